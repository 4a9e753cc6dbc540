/* Tickets: log-ins for one connection. A backend whose sessions cannot be read (or whose pages send no
 * cookie) writes who somebody is to Redis, under a random name and for some seconds:
 *
 *	SET ticket:Zm9v… '{"userId":"u1","teams":["red"],"session":"sess:4711"}' EX 30
 *
 * and the page presents the name, as ?ticket=Zm9v… or as a subprotocol "ticket.Zm9v…". It is taken with one
 * GETDEL (Redis 6.2), so it is good once, whoever else has seen it. It is as secret as a cookie: never
 * logged, never echoed.
 *
 * What a ticket says holds for as long as its connection is open, so it is kept for so long. One struct
 * tickets per worker, in its thread. */
#ifndef SLUICE_AUTH_TICKETS_H
#define SLUICE_AUTH_TICKETS_H

#include "sluice/auth/session_record.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/table.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/redis/link.h"
#include "sluice/settings/settings.h"

/* The ticket of a request, which is in its query, or `offered` as a subprotocol. 0, and it is written to
 * `room`; -ENOENT: there is none; -EACCES: it is not one, or there are two, and `ret_problem`, a literal,
 * says what. */
MUST_CHECK int ticket_find(struct slice query, struct slice offered, char room[SESSION_ID_MAX],
	struct slice *ret_ticket, const char **ret_problem);

/* Embedded in whoever presents one. */
struct ticket_waiter {
	struct list link;
	/* Called once. `json` (only with SESSION_GOOD, and not looked at yet) is borrowed for the call. */
	void (*on_result)(
		struct ticket_waiter *waiter, enum session_result result, struct slice json);
};

/* Takes a ticket from Redis, or with `leave` only reads it. on_result follows, never within this call. 0,
 * -ENOMEM, or what redis_link_command gives. Everything handed in must outlive the link. */
MUST_CHECK int ticket_take(struct redis_link *link, const struct settings *settings,
	struct metrics *metrics, struct slice ticket, bool leave, struct ticket_waiter *waiter);

/* on_result will not be called; a ticket is gone all the same. Twice does no harm. */
void ticket_waiter_cancel(struct ticket_waiter *waiter);

/* Who the ticket is for, by the same paths as a session. 0 and an identity that the caller must finish; -EACCES: that is no log-in;
 * -ENOMEM. */
MUST_CHECK int ticket_parse(
	const struct settings *settings, struct slice json, struct identity *ret_identity);

/* The Redis key of the session that a ticket was made for: its member "session". 0; absent: it says none,
 * or null; -EACCES: that is no key. */
MUST_CHECK int ticket_session_key(const struct identity *identity, struct slice *ret_key);

/* Zero-initialised is empty. */
struct tickets {
	/* private */
	struct table kept; /* struct kept_ticket, by owner */
};

/* Keeps what a ticket says for an owner that has none yet. 0 or -ENOMEM. */
MUST_CHECK int tickets_keep(struct tickets *tickets, void *owner, struct slice json);

/* Borrowed until it is forgotten; absent: nothing is kept for this owner. */
struct slice tickets_kept(const struct tickets *tickets, const void *owner);

/* Nothing happens when there is nothing. */
void tickets_forget(struct tickets *tickets, const void *owner);

/* Calls `each` for every owner; it may forget that one, but no other. */
void tickets_each(const struct tickets *tickets, void (*each)(void *owner));

#endif
