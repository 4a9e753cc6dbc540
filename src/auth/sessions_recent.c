/* What was just read for a command of a page counts for the next commands of that session, too: a
 * page that asks for one channel after the other, or for channels that it may not have, would
 * otherwise have its record fetched and read for each. It counts until the next tick (50 ms), and
 * no longer than Redis says nothing: not after an invalidation, another read or a reload. A few are
 * kept; the oldest makes room. */
#include "sessions_internal.h"

static void forget(struct sessions *sessions, size_t i)
{
	identity_finish(&sessions->recent.all[i].identity);
	sessions->recent.all[i].session = NULL;
}

void sessions_recent_finish(struct sessions *sessions)
{
	deadline_clear(sessions->setup.deadlines, &sessions->recent.tick);
	for (size_t i = 0; i < SESSIONS_RECENT_MAX; i++)
		forget(sessions, i);
}

void session_recent_forget(struct sessions *sessions, const struct session *session)
{
	for (size_t i = 0; i < SESSIONS_RECENT_MAX; i++)
		if (sessions->recent.all[i].session == session)
			forget(sessions, i);
}

static void on_tick(struct deadline *deadline)
{
	sessions_recent_finish(container_of(deadline, struct sessions, recent.tick));
}

void session_recent_keep(
	struct sessions *sessions, struct session *session, struct identity *identity)
{
	size_t i = sessions->recent.next++ % SESSIONS_RECENT_MAX;
	forget(sessions, i);
	sessions->recent.all[i].session = session;
	sessions->recent.all[i].identity = *identity;
	*identity = (struct identity){ 0 };
	if (!deadline_is_set(&sessions->recent.tick))
		deadline_set(sessions->setup.deadlines, &sessions->recent.tick, 1, on_tick);
}

const struct identity *sessions_recent(
	const struct sessions *sessions, const struct session_member *member)
{
	const struct session *session = member->session;
	if (!session || session->stale)
		return NULL;
	for (size_t i = 0; i < SESSIONS_RECENT_MAX; i++)
		if (sessions->recent.all[i].session == session)
			return &sessions->recent.all[i].identity;
	return NULL;
}
