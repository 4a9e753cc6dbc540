/* The end that a record names (session.expires) is the session's, whatever Redis' time to live says
 * and however seldom the sweep comes. But the backend may have extended it meanwhile, so when the
 * time has come, the record is read once more, and what it says then counts:
 *
 *	it names a later end          -> that counts
 *	it has ended                  -> its members lose it, as after any other read
 *	no answer in ANSWER_MS, or    -> its members lose it: by all that is known it has ended
 *	Redis cannot be asked
 *
 * Only a session with an end has this block, so the others cost nothing but a pointer. */
#include "sessions_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/auth/expiry.h"

enum { ANSWER_MS = 1000 };

struct session_end {
	struct expiry expiry;
	struct deadline answer; /* set while the record is read once more */
	struct sessions *sessions;
	struct session *session;
};

static void on_no_answer(struct deadline *deadline)
{
	struct session_end *end = container_of(deadline, struct session_end, answer);
	end->sessions->on_end(end->sessions, end->session);
}

static void on_over(struct expiry *expiry)
{
	struct session_end *end = container_of(expiry, struct session_end, expiry);
	struct sessions *sessions = end->sessions;
	if (!redis_link_is_up(sessions->setup.link)) {
		sessions->on_end(sessions, end->session);
		return;
	}
	deadline_set(sessions->setup.deadlines, &end->answer, ANSWER_MS, on_no_answer);
	session_event(sessions, end->session, SESSION_EXPIRED);
	sessions_go_on(sessions);
}

void session_end_clear(struct sessions *sessions, struct session *session)
{
	if (!session->end)
		return;
	expiry_clear(&session->end->expiry);
	deadline_clear(sessions->setup.deadlines, &session->end->answer);
	free(session->end);
	session->end = NULL;
}

int session_end_set(struct sessions *sessions, struct session *session, int64_t at_ms)
{
	struct session_end *end = session->end;
	if (at_ms == EXPIRY_NEVER) {
		session_end_clear(sessions, session);
		return 0;
	}
	if (!end)
		end = session->end = calloc(1, sizeof(*end));
	if (!end)
		return -ENOMEM;
	end->sessions = sessions;
	end->session = session;
	deadline_clear(sessions->setup.deadlines, &end->answer);
	if (end->expiry.at_ms != at_ms || !deadline_is_set(&end->expiry.deadline))
		expiry_set(&end->expiry, sessions->setup.deadlines, at_ms, on_over);
	return 0;
}

bool session_end_is_over(const struct session *session)
{
	return session->end && expiry_is_over(&session->end->expiry);
}
