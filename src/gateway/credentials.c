#include "sluice/gateway/credentials.h"

#include <errno.h>

#include "sluice/proto/cookie.h"

int credentials_session_id(const struct options *options, const struct http_request *request,
	char value[SESSION_COOKIE_MAX], struct slice *ret_sid, const char **ret_problem)
{
	struct buffer header = { 0 };
	int error = http_request_join(request, SLICE("Cookie"), "; ", &header);
	ssize_t len = error ? error
			    : cookie_get(buffer_slice(&header), options->session.cookie, value,
				      SESSION_COOKIE_MAX);
	buffer_finish(&header);
	*ret_problem = "there is no session cookie";
	if (len < 0)
		return error ? error : -EACCES;
	*ret_problem = "the session cookie's signature is not good";
	return session_cookie_verify(options->session.signature, options->session.secrets,
		options->session.n_secrets, slice_make(value, (size_t)len), ret_sid);
}
