/* One connection to Redis, kept up: connect, log in, PING, and reconnect after a wait.
 *
 *	down -> connecting -> greeting (AUTH, SELECT, INFO, PING) -> up
 *	 ^----------+--------------------+---------------------'   (fails)
 *
 * A link fails as a whole: on an error, a timeout or an unexpected reply it is closed, every
 * pending command gets NULL as its reply, and the link reconnects (transport.h). It sends a PING
 * every second. If nothing at all arrives for two seconds after a PING, the link fails. */
#ifndef SLUICE_REDIS_LINK_H
#define SLUICE_REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/list.h"
#include "sluice/net/deadlines.h"
#include "sluice/redis/info/server_info.h"
#include "sluice/redis/transport.h"

enum {
	REDIS_PING_MS = 1000,
	REDIS_PENDING_MAX = 8192, /* unanswered commands */
};

struct redis_link;

struct redis_link_events {
	/* Commands may be sent. */
	void (*on_up)(struct redis_link *link);
	/* The link was up and is lost (every pending command has got NULL), or an attempt to
	 * connect has failed. `reason` is one line for the operator. Raised once for each
	 * attempt. */
	void (*on_down)(struct redis_link *link, const char *reason);
	/* A push on a subscribed link: an array of three elements, "message", "subscribe" or
	 * "unsubscribe". NULL on a link for commands. The reply is borrowed. */
	void (*on_push)(struct redis_link *link, const struct redisReply *reply);
	/* The oldest unanswered subscription command has failed as a whole: none of its `channels`
	 * gets a push. NULL on a link for commands. The reply, an error, is borrowed. */
	void (*on_refused)(
		struct redis_link *link, size_t channels, const struct redisReply *reply);
	/* All replies of one read have been raised. May be NULL. */
	void (*on_batch_end)(struct redis_link *link);
	/* The answer to redis_link_log_in_again. NULL: Redis has accepted; `is_other_user`: as
	 * another user. Else one line for the operator: the link goes on as who it was. May be
	 * NULL. */
	void (*on_renewed)(struct redis_link *link, const char *problem, bool is_other_user);
	/* A PING was answered after `ns`. May be NULL. */
	void (*on_round_trip)(struct redis_link *link, uint64_t ns);
	/* After redis_link_close: the memory may be freed. */
	void (*on_closed)(struct redis_link *link);
};

/* `reply` is borrowed; NULL: the link failed before the reply arrived. An error of Redis is a reply
 * too. */
typedef void (*redis_reply_fn)(void *context, const struct redisReply *reply);

/* A string of a reply; borrowed. The link must not be touched. */
typedef void (*redis_element_fn)(void *context, struct slice text);

struct redis_link {
	void *owner;
	/* private */
	const struct redis_link_events *events;
	struct redis_transport transport;
	struct list pending; /* struct pending_command, by .link, oldest first */
	size_t pending_count;
	struct deadline ping; /* of the next PING */
	uint64_t ping_sent;   /* uv_hrtime of the unanswered PING; 0: none */
	/* Marks (account.h) of the credentials in force, and of those that AUTH was last sent with;
	 * 0: they were refused. */
	uint64_t user_mark, sent_user_mark, sent_mark;
	uint8_t silent_periods;
	struct redis_server_info server;
	uint64_t server_asked; /* uv_hrtime of server.time_ms */
	bool up, subscribed, closing;
};

/* Begins to connect at the end of the turn: no event is raised within this call, and it is no error
 * if Redis cannot be reached. Everything handed in must outlive the link. 0 or a negative errno. */
MUST_CHECK int redis_link_open(struct redis_link *link, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_link_events *events, void *owner);

/* Closes the link for good; every pending command gets NULL as its reply. May be called twice. */
void redis_link_close(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);

/* The first 64 bits of the run id of the server that the link is on; 0: the link is down, or Redis does
 * not tell us (an ACL without INFO, a proxy). */
uint64_t redis_link_run_id(const struct redis_link *link);

/* The server's time of day at `now` (uv_hrtime), in ms; 0: not known, as above, or before Redis 6.2.
 * It drifts from the server's clock unless redis_link_refresh_server asks for it now and then. */
uint64_t redis_link_server_ms(const struct redis_link *link, uint64_t now);
void redis_link_refresh_server(struct redis_link *link);

/* Tells the link's place that its server may be the wrong one, or gone (place.h). */
void redis_link_suspect(const struct redis_link *link, const char *reason);

/* When the unanswered PING was sent (uv_hrtime); 0: there is none, or the link is down. */
uint64_t redis_link_ping_sent(const struct redis_link *link);

/* Sends a command; all commands of one turn leave in one write. `on_reply` is called exactly once,
 * later. 0; -ENOTCONN: the link is not up; -ENOBUFS: REDIS_PENDING_MAX commands are unanswered;
 * -ENOMEM. After an error on_reply is not called. */
MUST_CHECK int redis_link_command(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context);

/* The command that was sent last has a reply that may be a long array of strings. Then `on_element`,
 * with the command's context, gets each of them as it arrives, and on_reply the array with its
 * number of ->elements, but without them (->element is NULL). If the link fails in between,
 * on_reply gets NULL. A reply that is no array is as always. */
void redis_link_take_elements(struct redis_link *link, redis_element_fn on_element);

/* Sends SUBSCRIBE or UNSUBSCRIBE with at least one channel. Each channel is answered by a push, in
 * the same order, or all of them by one on_refused. After the first such command the link is a
 * subscribed link, and redis_link_command returns -ENOTCONN. Same results. */
MUST_CHECK int redis_link_subscription_command(
	struct redis_link *link, const struct slice *words, size_t n);

/* Logs in again on a link that is up and not subscribed, if user or password have changed since it
 * has logged in: on_renewed follows, unless the link fails first. */
void redis_link_log_in_again(struct redis_link *link);

/* Fails the link, for example because of an unexpected reply. */
void redis_link_fail(struct redis_link *link, const char *reason);

/* Fails the link because of the reply to `command`; an error's text becomes the reason. */
void redis_link_fail_by_reply(
	struct redis_link *link, const char *command, const struct redisReply *reply);

#endif
