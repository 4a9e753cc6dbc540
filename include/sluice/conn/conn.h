/* Connections: accepted browsers, from accept to close, and what those of one worker share.
 *
 *	request -> waiting -> open -> closing -> lingering -> (closed)
 *
 * request: the HTTP request is arriving. waiting: for the session, then for Redis to confirm the
 * channels. open: the 101 is out. closing: our close frame is out, the peer's is awaited. lingering:
 * our side of TCP is ended, the peer's end is awaited. Each of them has a deadline. */
#ifndef SLUICE_CONN_CONN_H
#define SLUICE_CONN_CONN_H

#include <stdbool.h>
#include <sys/socket.h>

#include "sluice/auth/sessions.h"
#include "sluice/auth/tickets.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"
#include "sluice/base/pool.h"
#include "sluice/conn/quota.h"
#include "sluice/feed/bridge.h"
#include "sluice/net/deadlines.h"
#include "sluice/net/stream.h"
#include "sluice/proto/http/http_request.h"
#include "sluice/proto/ws/ws_reader.h"
#include "sluice/settings/settings.h"

struct conn;

/* A web site beside the WebSocket endpoint, for --dev. */
struct site {
	void *context;
	/* A request to a path that is not the endpoint's. Answer it with conn_answer, now or later; the
	 * request is valid until then, and so is `call`, where a later answer may keep what it needs. */
	void (*on_request)(
		void *context, struct conn *conn, const struct http_request *request, void **call);
	/* The connection closes before it was answered: it must not be touched any more. */
	void (*on_gone)(void *context, void *call);
};

/* What a connection's reader is bound by, as it knows it and beyond. */
struct conn_reading {
	struct ws_reader_settings settings;
	uint32_t frames_per_second; /* 0: any number */
};

/* What the connections of a worker share. The owner fills the first part before conns_open. */
struct conns {
	struct stream_loop *shared;
	struct deadlines *deadlines;
	const struct settings *settings; /* may be replaced, the old ones must live on */
	struct tls_settings *tls;        /* or NULL; the same */
	struct sessions *sessions;
	struct bridge *bridge;
	struct quota *quota;
	struct metrics *metrics;
	const struct site *site; /* or NULL */
	/* While draining, the last connection has closed. */
	void (*on_empty)(struct conns *conns);
	/* private */
	struct list all;         /* struct conn, by .link */
	size_t count;            /* of them */
	size_t peak;             /* of count, since memory was given back */
	struct chunk *ping;      /* the ping frame that everyone is sent */
	struct chunk *heartbeat; /* what those with sluice.v1 are sent in place of it */
	struct chunk *gap;       /* the same: something on all channels may have been missed */
	struct pool pool;        /* struct conn */
	struct pool requests;    /* struct conn_http */
	struct tickets tickets;  /* those that connections have come with */
	struct list half_open;   /* struct conn_http, by .in_half_open, oldest first */
	struct conn_reading reading, reading_v1;
	struct ws_inflaters *inflaters;
	struct ws_deflater *deflater;
	uint64_t refusals_quiet_until; /* loop time: until then the log is not told of another */
	bool draining;
	struct deadline drain; /* its next step */
	uint64_t drain_begin;
	size_t drain_total, drain_closed; /* open ones when it began; closed since */
};

/* 0 or -ENOMEM. */
MUST_CHECK int conns_open(struct conns *conns);

/* There must be no connection left. */
void conns_finish(struct conns *conns);

/* After `settings` was replaced. */
void conns_settings_changed(struct conns *conns);

/* Takes an accepted descriptor. */
void conns_accept(struct conns *conns, int fd, const struct sockaddr_storage *peer);

/* Descriptors are short: closes some of those whose request has been awaited for longest. */
void conns_make_room(struct conns *conns);

/* Closes all with 1012, evenly over settings->drain_ms; new requests get 503. on_empty follows (at once,
 * within this call, when there are none). */
void conns_drain(struct conns *conns);

/* Closes what is left, at once and without a close frame. */
void conns_abort(struct conns *conns);

/* What the bridge tells its subscribers. */
void conn_on_confirmed(struct subscriber *subscriber, struct slice channel);
void conn_on_publication(struct subscriber *subscriber, struct publication *publication);
void conn_on_dropped(struct subscriber *subscriber, struct slice channel);
void conns_on_gap(struct conns *conns, uint64_t homes);

/* What the sessions tell their members. */
extern const struct sessions_events conn_session_events;

/* For a site: sends a complete HTTP answer and ends the connection. */
void conn_answer(struct conn *conn, struct slice answer);

/* For a site: what the connection's worker has. */
struct conns *conn_conns(struct conn *conn);

#endif
