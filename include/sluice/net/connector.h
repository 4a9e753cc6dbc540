/* Gets a connected TCP socket for a host and port. It is its own memory, as a look-up in libuv's
 * thread pool cannot always be taken back. */
#ifndef SLUICE_NET_CONNECTOR_H
#define SLUICE_NET_CONNECTOR_H

#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"

struct connector; /* opaque; frees itself after on_done */

/* `fd`: connected, non-blocking and close-on-exec, the callee's now; or why there is none: a
 * negative errno or UV_EAI_… of the last address that was tried, -ECANCELED after connector_cancel.
 */
typedef void (*connector_done_fn)(void *owner, int fd);

/* Looks the host up and tries its addresses in turn. on_done comes once, always, never within this
 * call. The string is copied. 0 or a negative errno: on_done will not come. */
MUST_CHECK int connector_open(struct connector **ret_connector, uv_loop_t *loop, const char *host,
	uint16_t port, connector_done_fn on_done, void *owner);

/* Gives up. on_done comes as soon as libuv lets go of the memory, never within this call. Twice
 * does no harm. */
void connector_cancel(struct connector *connector);

#endif
