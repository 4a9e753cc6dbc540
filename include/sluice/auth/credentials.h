/* The credentials that a request carries: its session cookie, with the signature checked. */
#ifndef SLUICE_AUTH_CREDENTIALS_H
#define SLUICE_AUTH_CREDENTIALS_H

#include "sluice/proto/http/http_request.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/settings/settings.h"

/* Reads the session id from the request's cookie. 0 and an id that borrows from `value`; -EACCES:
 * there is no cookie or its signature is wrong, and `ret_problem`, a literal, says which;
 * -ENOMEM. `at` is 0 at first; another call with what it is then reads the next id, if
 * session.duplicates wants each of several cookies. */
MUST_CHECK int credentials_session_id(const struct settings *settings,
	const struct http_request *request, size_t *at, char value[SESSION_COOKIE_MAX],
	struct slice *ret_sid, const char **ret_problem);

#endif
