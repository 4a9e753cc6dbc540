/* What a request says about who sends it: the session cookie, verified. */
#ifndef SLUICE_AUTH_CREDENTIALS_H
#define SLUICE_AUTH_CREDENTIALS_H

#include "sluice/proto/http/http_request.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/settings/settings.h"

/* The verified session id of a request's cookie, borrowed from `value`. 0; -EACCES: there is none, and
 * `ret_problem`, a literal, says why; -ENOMEM: whether there is one is not known. */
MUST_CHECK int credentials_session_id(const struct settings *settings,
	const struct http_request *request, char value[SESSION_COOKIE_MAX], struct slice *ret_sid,
	const char **ret_problem);

#endif
