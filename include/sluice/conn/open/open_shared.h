/* What the open connections of a worker share. */
#ifndef SLUICE_CONN_OPEN_OPEN_SHARED_H
#define SLUICE_CONN_OPEN_OPEN_SHARED_H

#include "sluice/conn/conn.h"
#include "sluice/conn/open/dialect.h"

struct ws_shared;

struct open_shared {
	const struct dialect *const *dialects; /* dialects.c */
	struct ws_shared *ws;                  /* what the WebSocket adds */
};

static inline const struct dialect *conn_dialect(const struct conn *conn)
{
	return conn->shared->open->dialects[conn->dialect];
}

#endif
