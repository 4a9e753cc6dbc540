/* May the members of a session still have what is published?
 *
 *	Redis says that it has changed       they wait, until it has been read again: it may have ended
 *	it cannot be read, for a short time  yes: what was known of it counts
 *	the same, for longer than            no, until it has been read
 *	session.unverified_seconds
 *
 * A read fails because Redis answers with an error: that concerns one session, which is then read
 * once a second. Or there is no link: that concerns all of them, and no member is told by itself, as
 * there may be a hundred thousand.
 *
 * While Redis is away as a whole, nothing is published, and nobody loses a connection by this. */
#include "sessions_internal.h"
#include "sluice/base/log.h"

static void tell(struct sessions *sessions, struct session *session, enum session_doubt doubt)
{
	LIST_EACH_SAFE (node, &session->members)
		sessions->setup.events->on_doubt(
			container_of(node, struct session_member, link), doubt);
}

void session_doubt(struct sessions *sessions, struct session *session)
{
	session->in_doubt = true;
	if (!session->unverified)
		tell(sessions, session, SESSION_IN_DOUBT);
}

static void read_failed(struct sessions *sessions, struct session *session)
{
	uint32_t now = (uint32_t)sessions_now(sessions);
	unsigned limit = sessions->setup.settings->session.unverified_ms;
	if (!session->failed_at)
		session->failed_at = MAX(now, 1U);
	if (limit && !session->unverified && now - session->failed_at >= limit) {
		session->unverified = true;
		tell(sessions, session, SESSION_UNVERIFIED);
	}
}

void session_doubt_read(struct sessions *sessions, struct session *session, bool failed)
{
	if (failed)
		read_failed(sessions, session);
	else if (session->stale)
		return; /* it is read once more */
	else
		session->failed_at = 0;
	bool was_told = session->in_doubt || (session->unverified && !failed);
	session->in_doubt = false;
	session->unverified &= failed;
	if (was_told && !session->unverified)
		tell(sessions, session, SESSION_NO_DOUBT);
}

/* ---- without a link ---- */

static void on_unverified(struct deadline *deadline)
{
	struct sessions *sessions = container_of(deadline, struct sessions, unverified_due);
	sessions->unverified = true;
	if (sessions->live)
		log_warn("sessions cannot be verified: who has one gets nothing more until Redis "
			 "can be asked",
			log_number("sessions", (long long)sessions->live),
			log_number("session.unverified_seconds",
				sessions->setup.settings->session.unverified_ms / 1000));
}

void sessions_link_down(struct sessions *sessions)
{
	unsigned limit = sessions->setup.settings->session.unverified_ms;
	if (limit && !sessions->unverified && !deadline_is_set(&sessions->unverified_due))
		deadline_set(
			sessions->setup.deadlines, &sessions->unverified_due, limit, on_unverified);
	look_ups_link_down(&sessions->look_ups);
}

void sessions_link_up(struct sessions *sessions)
{
	deadline_clear(sessions->setup.deadlines, &sessions->unverified_due);
	sessions->unverified = false;
	look_ups_link_up(&sessions->look_ups);
}

void sessions_doubt_finish(struct sessions *sessions)
{
	deadline_clear(sessions->setup.deadlines, &sessions->unverified_due);
}
