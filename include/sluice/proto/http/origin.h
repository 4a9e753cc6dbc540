/* The Origin check (RFC 6455 §10.2, RFC 6454 §7): which pages may open connections.
 *
 * An allowed origin is "same-host" (an http or https origin whose host and port are those of the
 * Host header; a Host without a port has the default one of the origin's scheme), "none" (there is
 * no Origin header: not a browser), "*" (all), or a serialised origin, "https://app.example.com".
 * Scheme and host are compared without regard to case, ports as numbers with the default filled in;
 * nothing else is normalised. "null", userinfo, a path, a query or two origins never match (but by
 * "*"). */
#ifndef SLUICE_PROTO_HTTP_ORIGIN_H
#define SLUICE_PROTO_HTTP_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"

/* Is `allowed` one of the forms above? */
bool origin_setting_is_valid(struct slice allowed);

/* `origin` is absent (.at NULL) when the request has none; `host` is the Host header. */
bool origin_is_allowed(
	const struct slice *allowed, size_t n_allowed, struct slice origin, struct slice host);

#endif
