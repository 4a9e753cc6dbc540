/* One connection of ours to Redis, kept up: connect, AUTH, SELECT, PING, and again with back-off.
 *
 *	waiting -> connecting -> greeting (AUTH, SELECT, PING) -> up
 *	   ^-----------+--------------------+---------------------'   (fails)
 *
 * A link fails as a whole: on an error, a time-out or a reply of an unexpected shape it is closed,
 * every pending command is told, and it comes back after 100 ms growing by half to 700 ms, with jitter
 * (a wait is drawn from the upper half of its bound). Not longer, because browsers are to receive again
 * within a second of Redis' return, however long it was away; to be refused a connection is cheap. A PING goes out every second; when nothing at
 * all comes for two seconds after one, the link is dead. */
#ifndef SLUICE_REDIS_LINK_H
#define SLUICE_REDIS_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/list.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/stream.h"
#include "sluice/net/turn.h"
#include "sluice/redis/redis_url.h"
#include "sluice/redis/resp.h"

enum {
	REDIS_CONNECT_MS = 2000, /* for connecting and greeting together */
	REDIS_PING_MS = 1000,
	REDIS_BACKOFF_FIRST_MS = 100,
	REDIS_BACKOFF_MAX_MS = 700,
	REDIS_PENDING_MAX = 4096, /* commands that are not answered yet */
};

struct redis_link;

struct redis_link_events {
	/* Commands may be sent. */
	void (*on_up)(struct redis_link *link);
	/* It was up and is no more (every pending command has been told), or could not be brought
	 * up. `reason` is one line for the operator. Raised once for each attempt. */
	void (*on_down)(struct redis_link *link, const char *reason);
	/* A subscribed link's pushes: arrays "message", "subscribe", "unsubscribe" with three
	 * elements. NULL on a link for commands. The reply is borrowed. */
	void (*on_push)(struct redis_link *link, const struct redisReply *reply);
	/* The oldest subscription command that has no answer yet gets an error, and none of its
	 * `channels` a push. NULL on a link for commands. The reply is borrowed. */
	void (*on_refused)(
		struct redis_link *link, size_t channels, const struct redisReply *reply);
	/* All that one read brought has been handed on. May be NULL. */
	void (*on_batch_end)(struct redis_link *link);
	/* A PING was answered after `ns`. May be NULL. */
	void (*on_round_trip)(struct redis_link *link, uint64_t ns);
	/* After redis_link_close: the memory may be freed. */
	void (*on_closed)(struct redis_link *link);
};

struct redis_link_settings {
	const struct redis_url *url;
	struct tls_settings *tls; /* NULL unless the URL says so */
	size_t reply_bytes;       /* a longer reply fails the link */
};

/* `reply` is borrowed; NULL: the link failed before it came. An error reply is a reply like others.
 */
typedef void (*redis_reply_fn)(void *context, const struct redisReply *reply);

struct redis_link {
	void *owner;
	/* private */
	struct stream stream;
	const struct redis_link_events *events;
	const struct redis_link_settings *settings;
	struct stream_loop *shared;
	struct deadlines *deadlines;
	struct deadline deadline; /* time is up for connecting; next PING; next attempt */
	struct turn_task task;    /* the first attempt; on_closed when there is no stream */
	struct resp_reader reader;
	struct buffer command; /* the one that is being laid out */
	struct list pending;   /* struct redis_pending, by .link, oldest first */
	size_t pending_count;
	uint64_t ping_sent;  /* uv_hrtime of the unanswered PING; 0: none */
	uint32_t backoff_ms; /* bound of the next wait */
	uint8_t state, silent_periods;
	bool heard; /* anything, since the PING or since the last look */
	bool subscribed, stream_open, in_batch, closing;
};

/* Begins to connect, soon: no event comes within this call, and a Redis that is away is no error of
 * it. Everything handed in must outlive the link. 0 or a negative errno. */
MUST_CHECK int redis_link_open(struct redis_link *link, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_link_events *events, void *owner);

/* Ends for good; pending commands are told. Twice does no harm. */
void redis_link_close(struct redis_link *link);

bool redis_link_is_up(const struct redis_link *link);

/* Sends a command (all of one turn in one write); `on_reply` is called exactly once, later. 0;
 * -ENOTCONN: the link is not up; -ENOBUFS: too many are pending; -ENOMEM. In all of these on_reply
 * is not called. */
MUST_CHECK int redis_link_command(struct redis_link *link, const struct slice *words, size_t n,
	redis_reply_fn on_reply, void *context);

/* Sends SUBSCRIBE or UNSUBSCRIBE and the channels, at least one. Each is answered by a push, in the
 * same order, or all of them by one on_refused. From the first on, the link is a subscribed one:
 * redis_link_command is refused with -ENOTCONN. Same results. */
MUST_CHECK int redis_link_subscription_command(
	struct redis_link *link, const struct slice *words, size_t n);

/* Fails the link: somebody above found a reply of an unexpected shape. */
void redis_link_fail(struct redis_link *link, const char *reason);

/* Fails the link because of the reply to `command`, whose error text becomes the reason. */
void redis_link_fail_by_reply(
	struct redis_link *link, const char *command, const struct redisReply *reply);

#endif
