/* What a request says about who sends it: the session cookie, verified. */
#ifndef SLUICE_GATEWAY_CREDENTIALS_H
#define SLUICE_GATEWAY_CREDENTIALS_H

#include "sluice/gateway/options.h"
#include "sluice/proto/http_request.h"
#include "sluice/proto/session_cookie.h"

/* The verified session id of a request's cookie, borrowed from `value`. 0; -EACCES: there is none, and
 * `ret_problem`, a literal, says why; -ENOMEM: whether there is one is not known. */
MUST_CHECK int credentials_session_id(const struct options *options,
	const struct http_request *request, char value[SESSION_COOKIE_MAX], struct slice *ret_sid,
	const char **ret_problem);

#endif
