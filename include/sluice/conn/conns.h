/* The connections of a worker: accepts them, drains them, and hands them new settings. */
#ifndef SLUICE_CONN_CONNS_H
#define SLUICE_CONN_CONNS_H

#include <sys/socket.h>

#include "sluice/conn/conn.h"
#include "sluice/conn/open/open_shared.h"
#include "sluice/conn/open/ws_shared.h"
#include "sluice/conn/opening/opening.h"

struct conns {
	/* Before conns_open the owner sets the fields of `shared` up to `metrics`, and on_empty; the
	 * rest is zero. */
	struct conn_shared shared;
	/* While draining: the last connection has closed. */
	void (*on_empty)(struct conns *conns);
	/* private */
	struct opening_shared opening;
	struct open_shared open;
	struct ws_shared ws;
	struct deadline drain; /* of its next step */
	uint64_t drain_begin;
	size_t drain_total, drain_closed; /* open connections when it began; closed since */
};

/* 0 or -ENOMEM. */
MUST_CHECK int conns_open(struct conns *conns);

/* Adds a web site beside the WebSocket endpoint, for --dev. Call it before the first connection is
 * accepted. */
void conns_set_site(struct conns *conns, const struct site *site);

/* There must be no connection left. */
void conns_finish(struct conns *conns);

/* After shared.settings was replaced. */
void conns_settings_changed(struct conns *conns);

/* Takes an accepted descriptor. */
void conns_accept(struct conns *conns, int fd, const struct sockaddr_storage *peer);

/* Descriptors are short: closes some of the connections that have waited longest for their
 * request. */
void conns_make_room(struct conns *conns);

/* Publications may have been missed on channels of these homes (one bit for each). */
void conns_on_gap(struct conns *conns, uint64_t homes);

/* Closes all with 1012, spread evenly over settings->drain_ms; new requests get 503. A second later
 * the rest is aborted. on_empty follows (within this call if there is no connection). */
void conns_drain(struct conns *conns);

/* Closes the remaining connections at once, without a close frame. */
void conns_abort(struct conns *conns);

#endif
