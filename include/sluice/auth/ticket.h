/* A ticket logs a browser in for one connection. A backend uses it if Sluice cannot read its
 * sessions or if its pages send no cookie. It writes who the user is to Redis, under a random name
 * and for a few seconds:
 *
 *	SET ticket:Zm9v… '{"userId":"u1","teams":["red"],"session":"sess:4711"}' EX 30
 *
 * The page presents the name as ?ticket=Zm9v… or as a subprotocol "ticket.Zm9v…". One GETDEL (Redis
 * 6.2) takes it, so it works once. It is as secret as a cookie: never log it, never echo it. */
#ifndef SLUICE_AUTH_TICKET_H
#define SLUICE_AUTH_TICKET_H

#include "sluice/auth/record/session_record.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/redis/link.h"
#include "sluice/settings/settings.h"

/* Finds the ticket of a request: in its query, or `offered` as a subprotocol. 0, and the ticket is
 * decoded to `room`; -ENOENT: there is no ticket; -EACCES: it is malformed, or there are two, and
 * `ret_problem`, a literal, says which. */
MUST_CHECK int ticket_find(struct slice query, struct slice offered, char room[SESSION_ID_MAX],
	struct slice *ret_ticket, const char **ret_problem);

/* Embedded by the caller of ticket_take. */
struct ticket_waiter {
	struct list link;
	/* Called once. `json` (only with SESSION_GOOD) is the ticket's value, not parsed yet, and
	 * borrowed for the call. */
	void (*on_result)(
		struct ticket_waiter *waiter, enum session_result result, struct slice json);
};

/* Takes a ticket from Redis, or with `leave` only reads it. on_result follows, never within this
 * call. 0, -ENOMEM, or an error of redis_link_command. `metrics` must outlive the link; the waiter
 * must live until on_result or ticket_waiter_cancel. */
MUST_CHECK int ticket_take(struct redis_link *link, const struct settings *settings,
	struct metrics *metrics, struct slice ticket, bool leave, struct ticket_waiter *waiter);

/* on_result will not be called; the ticket is taken nevertheless. May be called twice. */
void ticket_waiter_cancel(struct ticket_waiter *waiter);

/* Reads the identity from a ticket (see session_record_parse_ticket). 0 and an identity
 * that the caller must finish; -EACCES: the ticket has no log-in; -ENOMEM. */
MUST_CHECK int ticket_parse(
	const struct settings *settings, struct slice json, struct identity *ret_identity);

/* The Redis key of the session that a ticket belongs to: its member "session". 0; absent: the
 * ticket names none; -EACCES: the member is not a key. */
MUST_CHECK int ticket_session_key(const struct identity *identity, struct slice *ret_key);

#endif
