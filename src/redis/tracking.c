/* CLIENT TRACKING is sent before the next read, and Redis executes commands in order. So the read
 * is tracked, and on_tracked need not wait for the reply. If the reply is an error, only some
 * needless reads were made.
 *
 * Redis keeps the name of each tracked key, existing or not, until the key changes. Keys that
 * strangers make up never change. So tracking is turned on with OPTIN, and only a read that asks
 * for it is tracked:
 *
 *	CLIENT TRACKING ON OPTIN REDIRECT 7
 *	GET sess:made-up                        not tracked
 *	CLIENT CACHING YES, GET sess:1          tracked; CACHING is for the next command only
 *
 * Where nobody can make up the name of a key that is read, because ids are signed, that would be two
 * commands for nothing, so all reads are tracked. Redis lets a client change between both.
 *
 * If Redis does not know OPTIN, or denies CLIENT CACHING, all reads are tracked: that some names
 * are kept too long is better than a log-out that goes unnoticed. A CACHING that was refused says
 * so only if CLIENT TRACKING was not refused before it.
 *
 * Redis cannot notify a reader that its listener has gone: RESP2 has no message for it. None is
 * needed, because the listener's owner knows and passes the next client ID. */
#include "sluice/redis/tracking.h"

#include <inttypes.h>
#include <stdio.h>

enum { WORDS_MAX = 6 };

static void begin(struct tracking *tracking, enum tracking_mode mode);

static bool is_error(const struct redisReply *reply, const char *prefix)
{
	return reply && reply->type == REDIS_REPLY_ERROR &&
	       slice_starts_with(reply_text(reply), slice_of(prefix));
}

/* Redis would also refuse to track all reads: for want of a right, or because the listener that was
 * named is gone. */
static bool is_futile(const struct redisReply *reply)
{
	return is_error(reply, "NOPERM") || is_error(reply, "ERR The client ID");
}

static struct slice problem_of(const struct redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR ? reply_text(reply)
						: SLICE("unexpected reply to CLIENT TRACKING");
}

static void track_all(struct tracking *tracking, const struct redisReply *reply)
{
	tracking->events->on_unselective(tracking, problem_of(reply));
	begin(tracking, TRACKING_ALL);
}

/* Only the reply to the last CLIENT TRACKING counts. */
static void on_reply(void *context, const struct redisReply *reply)
{
	struct tracking *tracking = context;
	if (--tracking->unanswered > 0 || !reply || reply->type == REDIS_REPLY_STATUS)
		return;
	if (tracking->mode == TRACKING_SELECTED && !is_futile(reply)) {
		track_all(tracking, reply);
		return;
	}
	tracking->mode = TRACKING_OFF;
	tracking->events->on_refused(tracking, problem_of(reply));
}

static int send_tracking(struct tracking *tracking, enum tracking_mode mode)
{
	char listener[24];
	struct slice words[WORDS_MAX];
	size_t n = 0;
	snprintf(listener, sizeof(listener), "%" PRIu64, tracking->listener);
	words[n++] = SLICE("CLIENT");
	words[n++] = SLICE("TRACKING");
	words[n++] = SLICE("ON");
	if (mode == TRACKING_SELECTED)
		words[n++] = SLICE("OPTIN");
	words[n++] = SLICE("REDIRECT");
	words[n++] = slice_of(listener);
	return redis_link_command(tracking->reader, words, n, on_reply, tracking);
}

static void begin(struct tracking *tracking, enum tracking_mode mode)
{
	/* If there is no room for this command, there is none for reads either, so start over with
	 * a new link. */
	if (send_tracking(tracking, mode) != 0) {
		redis_link_fail(tracking->reader, "cannot send a command");
		return;
	}
	tracking->mode = mode;
	tracking->unanswered++;
	tracking->events->on_tracked(tracking);
}

static bool begin_if_possible(struct tracking *tracking)
{
	tracking->mode = TRACKING_OFF;
	if (!tracking->listener || !redis_link_is_up(tracking->reader))
		return false;
	begin(tracking, tracking->selects ? TRACKING_SELECTED : TRACKING_ALL);
	return true;
}

void tracking_init(struct tracking *tracking, struct redis_link *reader,
	const struct tracking_events *events, void *owner)
{
	*tracking = (struct tracking){ .owner = owner, .events = events, .reader = reader };
}

void tracking_set_selective(struct tracking *tracking, bool selects)
{
	bool changes = tracking->selects != selects;
	tracking->selects = selects;
	if (changes && tracking->mode != TRACKING_OFF)
		begin_if_possible(tracking);
}

bool tracking_set_listener(struct tracking *tracking, uint64_t listener)
{
	tracking->listener = listener;
	return begin_if_possible(tracking);
}

/* ---- reads ---- */

bool tracking_is_on(const struct tracking *tracking)
{
	return tracking->mode != TRACKING_OFF;
}

bool tracking_is_selective(const struct tracking *tracking)
{
	return tracking->mode == TRACKING_SELECTED;
}

/* While CLIENT TRACKING is unanswered, its reply will say what is wrong. */
static void on_caching(void *context, const struct redisReply *reply)
{
	struct tracking *tracking = context;
	if (!tracking_is_selective(tracking) || tracking->unanswered || !reply)
		return;
	if (reply->type == REDIS_REPLY_ERROR)
		track_all(tracking, reply);
}

int tracking_read(struct tracking *tracking, bool tracked, const struct slice *words, size_t n,
	redis_reply_fn on_read, void *context)
{
	const struct slice caching[] = { SLICE("CLIENT"), SLICE("CACHING"), SLICE("YES") };
	int error = 0;
	if (tracked && tracking_is_selective(tracking))
		error = redis_link_command(
			tracking->reader, caching, COUNT_OF(caching), on_caching, tracking);
	return error ? error : redis_link_command(tracking->reader, words, n, on_read, context);
}
