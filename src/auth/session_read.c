/* One read of one session's record: one command or two, sent together. It ends when each has been
 * answered; losing the link answers them all.
 *
 * Look-ups of the same session meanwhile wait for the same read. If many connections with one
 * session reconnect at once (a page in many tabs, or clients that share a log-in), each worker asks
 * Redis once. A look-up that joins gets the record as of the first look-up, at most one round trip
 * earlier.
 *
 * An answer is judged by the settings that its commands were made by: those of a reload may expect
 * the reply to another command.
 *
 * A long record is read in pieces, one after each turn's events, so that a megabyte of it delays
 * nobody. Until then it is kept here, with its own copy of the bytes: these reads depend on no link
 * any more. They take turns in the order in which they came. What is kept of all of them together
 * has a limit. Near it few sessions are read again at a time (sessions_pace.c), and beyond it a
 * record counts as unknown: the client is told 503, and a session that has members is read again in
 * a second. */
#include "sessions_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/log.h"

enum {
	FAILURE_QUIET_MS = 60000,
	KEPT_BYTES_MAX = 32 << 20,
	KEPT_BYTES_MANY = 8 << 20,
};

bool sessions_may_log(const struct sessions *sessions, uint64_t *logged)
{
	uint64_t now = sessions_now(sessions);
	if (*logged && now - *logged < FAILURE_QUIET_MS)
		return false;
	*logged = MAX(now, UINT64_C(1));
	return true;
}

static void complete(struct session_read *read)
{
	read->sessions->on_read(read);
	session_reading_finish(&read->reading);
	free(read);
}

/* ---- pieces ---- */

static void end_pieces(struct session_read *read)
{
	list_remove(&read->link);
	read->sessions->pieces.kept -= read->kept;
}

static struct session_read *first_in_pieces(const struct sessions *sessions)
{
	const struct list *reads = &sessions->pieces.reads;
	return list_is_empty(reads) ? NULL : container_of(reads->next, struct session_read, link);
}

static void complete_if_done(struct session_read *read)
{
	if (read->answers == read->commands && !read->reading.unfinished)
		complete(read);
}

static void read_piece(struct turn_task *task)
{
	struct sessions *sessions = container_of(task, struct sessions, pieces.task);
	struct session_read *read = first_in_pieces(sessions);
	if (!read)
		return;
	turn_schedule(sessions->setup.turn, task);
	if (session_reading_go_on(&read->reading, read->settings))
		return;
	end_pieces(read);
	complete_if_done(read);
}

static void begin_pieces(struct session_read *read)
{
	struct sessions *sessions = read->sessions;
	read->kept = read->reading.record.len;
	sessions->pieces.kept += read->kept;
	list_append(&sessions->pieces.reads, &read->link);
	turn_schedule(sessions->setup.turn, &sessions->pieces.task);
}

bool sessions_keep_much(const struct sessions *sessions)
{
	return sessions->pieces.kept > KEPT_BYTES_MANY;
}

void sessions_pieces_init(struct sessions *sessions)
{
	list_init(&sessions->pieces.reads);
	sessions->pieces.task.run = read_piece;
}

struct session *sessions_pieces_drop(struct sessions *sessions)
{
	struct session_read *read = first_in_pieces(sessions);
	turn_cancel(&sessions->pieces.task);
	if (!read)
		return NULL;
	struct session *session = read->session;
	end_pieces(read);
	session_reading_finish(&read->reading);
	free(read);
	session->read = NULL;
	return session;
}

/* ---- replies ---- */

static struct slice take(struct session_read *read, const struct redisReply *reply)
{
	bool before = read->reading.unfinished;
	read->reading.room = KEPT_BYTES_MAX - read->sessions->pieces.kept;
	struct slice problem =
		session_reading_take(&read->reading, read->settings, read->answers++, reply);
	if (read->answers == read->commands)
		read->answered_at = MAX(sessions_now(read->sessions), UINT64_C(1));
	if (read->reading.unfinished && !before)
		begin_pieces(read);
	return problem;
}

/* A hash may have many fields: it is taken field by field. */
static void on_element(void *context, struct slice text)
{
	struct session_read *read = context;
	session_reading_take_element(&read->reading, read->settings, text);
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct session_read *read = context;
	struct sessions *sessions = read->sessions;
	struct redis_link *link = sessions->setup.link;
	struct slice problem = take(read, reply);
	if (reply)
		look_ups_note(&sessions->look_ups, problem, sessions_now(sessions));
	if (problem.at && sessions_may_log(sessions, &sessions->read_failure_logged))
		log_warn("session look-up failed", log_slice("reason", problem));
	bool malformed = read->reading.answers & SESSION_ANSWER_MALFORMED;
	complete_if_done(read);
	if (malformed)
		redis_link_fail(link, "unexpected reply while reading a session");
}

static int send_commands(struct session_read *read)
{
	struct tracking *tracking = read->sessions->setup.tracking;
	struct session_commands commands;
	session_record_commands(read->settings, session_key(read->session), &commands);
	for (size_t i = 0; i < commands.n; i++) {
		int error = tracking_read(tracking, !read->blind, commands.all[i].words,
			commands.all[i].n_words, on_reply, read);
		if (error && i == 0)
			return error;
		if (error) /* the first command has been sent; this one will get no reply */
			session_reading_take(&read->reading, read->settings, i, NULL);
		if (!error && i == 0)
			redis_link_take_elements(read->sessions->setup.link, on_element);
		read->commands += !error;
	}
	return 0;
}

int session_read_begin(struct sessions *sessions, struct session *session,
	enum session_read_reason reason, bool trusted)
{
	MUST(!session_is_read(session));
	struct session_read *read = malloc(sizeof(*read));
	if (!read)
		return -ENOMEM;
	trusted = trusted || !list_is_empty(&session->members);
	*read = (struct session_read){ .sessions = sessions,
		.session = session,
		.settings = sessions->setup.settings,
		.reason = reason,
		.trusted = trusted,
		.blind = !trusted && tracking_is_selective(sessions->setup.tracking) };
	list_init(&read->waiters);
	int error = send_commands(read);
	if (error)
		free(read);
	else
		session->read = read;
	return error;
}
