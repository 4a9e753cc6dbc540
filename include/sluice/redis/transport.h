/* The connection to one Redis server, with automatic reconnecting. Each attempt has a stream of its
 * own; the transport sends commands over it and reads replies from it.
 *
 *	waiting -> connecting -> open
 *	   ^-----------+-----------'   (fails)
 *
 * It does not interpret commands. After a failure it waits for up to 100 ms, and each further bound
 * is 1.5 times the last, up to 700 ms; a wait is drawn at random from the upper half of its bound.
 * The bound is this low because browsers should receive again within a second of Redis' return, and
 * a refused connection costs little. */
#ifndef SLUICE_REDIS_TRANSPORT_H
#define SLUICE_REDIS_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/net/deadlines.h"
#include "sluice/net/stream.h"
#include "sluice/net/turn.h"
#include "sluice/redis/login/account.h"
#include "sluice/redis/place.h"
#include "sluice/redis/resp.h"

enum {
	REDIS_CONNECT_MS = 2000, /* from an attempt's beginning to redis_transport_accepted */
	REDIS_BACKOFF_FIRST_MS = 100,
	REDIS_BACKOFF_MAX_MS = 700,
};

struct redis_transport;

struct redis_transport_events {
	/* The stream is open. */
	void (*on_open)(struct redis_transport *transport);
	/* Borrowed. */
	void (*on_reply)(struct redis_transport *transport, const struct redisReply *reply);
	/* Is the next reply, an array that begins, to be raised string by string? */
	bool (*wants_elements)(struct redis_transport *transport);
	/* The next string of it; borrowed. The transport must not be touched. After the last one
	 * on_reply gets the array, with ->elements but without ->element. */
	void (*on_element)(struct redis_transport *transport, struct slice text);
	/* All replies of one read have been raised. */
	void (*on_read_end)(struct redis_transport *transport);
	/* The attempt, or the open stream, has failed; the next attempt follows by itself. `reason`
	 * is one line for the operator. Nothing can be sent from here on to the next on_open. */
	void (*on_failed)(struct redis_transport *transport, const char *reason);
	/* After redis_transport_close: the memory may be freed. */
	void (*on_closed)(struct redis_transport *transport);
};

struct redis_link_settings {
	struct redis_place *place;     /* where to connect */
	struct redis_account *account; /* as whom, and by which TLS */
	unsigned database;
	size_t reply_bytes; /* a longer reply fails the link */
	bool asks_server;   /* which one it is, see redis_link_run_id */
};

/* A member of its owner, which gets itself with container_of. */
struct redis_transport {
	bool heard; /* set with each read, for the owner to reset */
	/* private */
	bool stream_open, in_read, closing;
	uint8_t state;
	uint32_t backoff_ms; /* bound of the next wait */
	const struct redis_transport_events *events;
	const struct redis_link_settings *settings;
	struct stream_loop *shared;
	struct deadlines *deadlines;
	struct deadline deadline;     /* connecting has timed out, or the next attempt is due */
	struct turn_task task;        /* the first attempt; on_closed when there is no stream */
	struct redis_address address; /* of the last attempt */
	struct stream stream;
	struct resp_reader reader;
	struct buffer command; /* reused for each that is sent */
	size_t elements;       /* raised since it last began to read */
	struct turn_task rest; /* reads on, after many of them */
};

/* The first attempt begins at the turn's end: no event comes within this call. Everything handed in
 * must outlive the transport. Each attempt asks settings->place where to connect. */
void redis_transport_open(struct redis_transport *transport, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_transport_events *events);

/* No event but on_closed follows. To be called once. */
void redis_transport_close(struct redis_transport *transport);

bool redis_transport_is_open(const struct redis_transport *transport);

/* Sends a command of `n` words; all commands of one turn leave in one write. 0; -ENOTCONN;
 * -ENOMEM. */
MUST_CHECK int redis_transport_send(
	struct redis_transport *transport, const struct slice *words, size_t n);

/* To be called when the server has accepted us, within REDIS_CONNECT_MS, or the transport fails. */
void redis_transport_accepted(struct redis_transport *transport);

/* To be called when the server answers: the wait after the next failure is the shortest again. */
void redis_transport_reset_backoff(struct redis_transport *transport);

/* Closes the stream and raises on_failed, unless the transport is already waiting or closing. */
void redis_transport_fail(struct redis_transport *transport, const char *reason);

#endif
