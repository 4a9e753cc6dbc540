/* What the WebSockets of a worker share: frames that are the same for all, limits for the readers,
 * and the state of permessage-deflate. */
#ifndef SLUICE_CONN_OPEN_WS_SHARED_H
#define SLUICE_CONN_OPEN_WS_SHARED_H

#include "sluice/base/chunk.h"
#include "sluice/base/defs.h"
#include "sluice/conn/open/dialect.h"
#include "sluice/proto/ws/ws_deflate.h"
#include "sluice/proto/ws/ws_inflate.h"
#include "sluice/proto/ws/ws_reader.h"
#include "sluice/settings/settings.h"

/* The limits of a connection's reader, those that it checks itself and the others. */
struct ws_reading {
	struct ws_reader_settings settings;
	uint32_t frames_per_second; /* 0: any number */
};

struct ws_shared {
	struct {
		struct chunk *heartbeat; /* the dialect's message, if any, and a ping frame */
		struct chunk *gap;       /* NULL: the dialect has no such message */
		struct ws_reading reading;
	} of[DIALECTS_MAX]; /* by the dialect's index in the table */
	struct ws_inflaters *inflaters;
	struct ws_deflater *deflater;
	/* private */
	const struct dialect *const *dialects;
};

/* The readers' events: [1] for dialects that have an on_message, [0] for the others. */
struct ws_reader_events_pair {
	struct ws_reader_events of[2];
};

/* 0 or -ENOMEM; ws_shared_finish is due in any case. */
MUST_CHECK int ws_shared_init(struct ws_shared *ws, const struct dialect *const *dialects,
	const struct ws_reader_events_pair *events, const struct settings *settings);
void ws_shared_finish(struct ws_shared *ws);

/* After a reload. It applies to existing readers too. */
void ws_shared_set_settings(struct ws_shared *ws, const struct settings *settings);

#endif
