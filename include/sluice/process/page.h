/* An HTTP answer of the admin port or of the page of --dev. The connection ends with it. */
#ifndef SLUICE_PROCESS_PAGE_H
#define SLUICE_PROCESS_PAGE_H

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

/* Appends status line, headers and body. `type`: its Content-Type; `headers`: more of them, each
 * with its CR LF. 0 or -ENOMEM. */
MUST_CHECK int page_print(
	struct buffer *out, int status, const char *type, struct slice headers, struct slice body);

#endif
