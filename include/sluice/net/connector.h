/* Connects a socket, to a host and port or to a Unix socket's path. A connector owns its own
 * memory, as a look-up in libuv's thread pool cannot always be cancelled. */
#ifndef SLUICE_NET_CONNECTOR_H
#define SLUICE_NET_CONNECTOR_H

#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"

struct connector; /* opaque; frees itself after on_done */

/* `fd`: connected, non-blocking, close-on-exec, and owned by the callee; or a negative errno or
 * UV_EAI_… of the last address that was tried; -ECANCELED after connector_cancel. */
typedef void (*connector_done_fn)(void *owner, int fd);

/* Looks the host up and tries its addresses in turn. on_done is called exactly once, never within
 * this call. The string is copied. 0, or a negative errno: on_done will not be called. */
MUST_CHECK int connector_open(struct connector **ret_connector, uv_loop_t *loop, const char *host,
	uint16_t port, connector_done_fn on_done, void *owner);

/* Gives up. on_done is called as soon as libuv releases the memory, never within this call. May be
 * called twice. */
void connector_cancel(struct connector *connector);

/* Connects to a Unix socket, which succeeds or fails at once. The descriptor (non-blocking,
 * close-on-exec), or a negative errno. */
MUST_CHECK int connector_local(const char *path);

#endif
