/* The Origin check (RFC 6455 §10.2, RFC 6454 §7): which pages may open connections.
 *
 * An allowed origin is one of "same-host" (an http or https origin with the host and port of the
 * Host header; only https where TLS ends here), "none" (no Origin header: not a browser), "*" (all), or a serialised origin such as
 * "https://app.example.com". For "same-host", a Host without a port has the default port of the
 * origin's scheme. Scheme and host are compared without case, ports as numbers with the default
 * filled in; nothing else is normalised. Only "*" matches "null", userinfo, a path, a query or two
 * origins. */
#ifndef SLUICE_PROTO_HTTP_ORIGIN_H
#define SLUICE_PROTO_HTTP_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"

/* Is `allowed` one of these forms? */
bool origin_setting_is_valid(struct slice allowed);

/* Where a request was sent to. */
struct origin_target {
	struct slice host; /* the Host header */
	bool over_tls;     /* TLS ends here. If not, a proxy may end it: the scheme is not known */
};

/* `origin` is absent if the request has no Origin header. */
bool origin_is_allowed(const struct slice *allowed, size_t n_allowed, struct slice origin,
	const struct origin_target *target);

#endif
