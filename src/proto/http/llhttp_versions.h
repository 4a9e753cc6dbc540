/* llhttp: 8.1 on Debian 12, compiled here from its C sources, and 9.2 on Debian 13. Everything that
 * depends on the version is in this header.
 *
 * 8 is strict only if it is compiled with LLHTTP_STRICT_MODE (dependencies/meson.build does); 9 is
 * strict unless a parser asks for leniency, which we never do. Some versions let a bare CR end a
 * header (CVE-2023-30589, CVE-2025-23167); test_http_request fails with one of these. */
#ifndef SLUICE_PROTO_HTTP_LLHTTP_VERSIONS_H
#define SLUICE_PROTO_HTTP_LLHTTP_VERSIONS_H

#include <llhttp.h>
#include <stdbool.h>

_Static_assert(LLHTTP_VERSION_MAJOR > 8 || (LLHTTP_VERSION_MAJOR == 8 && LLHTTP_VERSION_MINOR >= 1),
	"llhttp 8.1 or later is needed");

/* After a whole head: llhttp pauses if the request asks for an upgrade. */
static inline bool llhttp_accepts_head(llhttp_errno_t error)
{
	return error == HPE_OK || error == HPE_PAUSED_UPGRADE;
}

#endif
