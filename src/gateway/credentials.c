#include "sluice/gateway/credentials.h"

#include <errno.h>

int credentials_session_id(const struct options *options, const struct http_request *request,
	char value[SESSION_COOKIE_MAX], struct slice *ret_sid, const char **ret_problem)
{
	const struct session_cookie_settings settings = {
		.name = options->session.cookie,
		.prefixes = options->session.cookie_prefixes,
		.encoding = options->session.cookie_encoding,
		.signature = options->session.signature,
		.secrets = options->session.secrets,
		.n_secrets = options->session.n_secrets,
	};
	struct buffer header = { 0 };
	int error = http_request_join(request, SLICE("Cookie"), "; ", &header);
	if (!error)
		error = session_cookie_read(&settings, buffer_slice(&header), value, ret_sid);
	buffer_finish(&header);
	*ret_problem = error == -ENOENT ? "there is no session cookie"
					: "the session cookie's signature is not good";
	return error == -ENOENT ? -EACCES : error;
}
