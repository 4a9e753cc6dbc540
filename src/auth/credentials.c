#include "sluice/auth/credentials.h"

#include <errno.h>

int credentials_session_id(const struct settings *settings, const struct http_request *request,
	char value[SESSION_COOKIE_MAX], struct slice *ret_sid, const char **ret_problem)
{
	const struct session_cookie_settings cookie = {
		.name = settings->session.cookie,
		.prefixes = settings->session.cookie_prefixes,
		.encoding = settings->session.cookie_encoding,
		.signature = settings->session.signature,
		.secrets = settings->session.secrets,
		.n_secrets = settings->session.n_secrets,
	};
	struct buffer header = { 0 };
	int error = http_request_join(request, SLICE("Cookie"), "; ", &header);
	if (!error)
		error = session_cookie_read(&cookie, buffer_slice(&header), value, ret_sid);
	buffer_finish(&header);
	*ret_problem = error == -ENOENT ? "there is no session cookie"
					: "the session cookie's signature is not good";
	return error == -ENOENT ? -EACCES : error;
}
