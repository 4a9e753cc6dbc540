/* The sandbox: what the process may still do once it serves, whoever has taken it over.
 *
 *	sandbox_hide     at the start, before certificates are read: no core, no debugger, no setuid
 *	sandbox_enter    when the listeners are bound, before there is a loop or a second thread
 *	sandbox_listen   when the main loop is open
 *
 * docs/security.md tells operators what is in force. */
#ifndef SLUICE_PROCESS_SANDBOX_SANDBOX_H
#define SLUICE_PROCESS_SANDBOX_SANDBOX_H

#include <stdbool.h>
#include <uv.h>

#include "sluice/process/listening.h"
#include "sluice/settings/settings.h"

struct sandbox {
	/* private */
	const char *exempt; /* why there is none, or NULL */
	bool required;
	int hidden;         /* 0 or a negative errno */
	uv_async_t refused; /* a call has been refused, and is not in the log yet */
	bool is_open;
};

/* `exempt`: why this process has none, such as "--dev", or NULL. */
void sandbox_hide(struct sandbox *sandbox, enum sandbox_mode mode, const char *exempt);

/* From here on the process reads only what `settings` and the resolver need, writes no file, and
 * starts no program. Every thread that is made later inherits it. `sockets`: whose files will be
 * removed at the end. Logs one line with what is in force. False: sandbox is "required" and the
 * kernel lacks a part of it, which has been logged. */
MUST_CHECK bool sandbox_enter(struct sandbox *sandbox, const struct settings *settings,
	const struct listening *const sockets[2]);

/* Logs calls that are refused, in the loop's thread. 0 or a negative errno. */
MUST_CHECK int sandbox_listen(struct sandbox *sandbox, uv_loop_t *loop);

/* Closes the handle in `loop`. The sandbox stays in force. */
void sandbox_close(struct sandbox *sandbox);

#endif
