#include "sluice/auth/credentials.h"

#include <errno.h>

#include "sluice/proto/record/session_key.h"

/* Has the backend chosen the id, or could a stranger have, and so name a key of something else?
 *
 * - Where session.must_exist is set, the key of the session "expires:X" may be the second key of X.
 * - Most signatures do not say what was signed: a backend may sign other cookies with the same
 *   secret, and put into them what its users type. Where the id alone is the key, that would be any
 *   key of Redis, unless the signature is over the cookie's name, too. */
static bool may_have_parts(const struct settings *settings)
{
	enum session_signature signature = settings->session.signature;
	if (signature == SESSION_SIGNATURE_NONE || settings->session.must_exist.len)
		return false;
	return signature == SESSION_SIGNATURE_KEYGRIP || signature == SESSION_SIGNATURE_LARAVEL ||
	       !session_key_template_is_bare(settings->session.key);
}

int credentials_session_id(const struct settings *settings, const struct http_request *request,
	size_t *at, char value[SESSION_COOKIE_MAX], struct slice *ret_sid, const char **ret_problem)
{
	const struct session_cookie_settings cookie = {
		.name = settings->session.cookie,
		.prefixes = settings->session.cookie_prefixes,
		.encoding = settings->session.cookie_encoding,
		.signature = settings->session.signature,
		.secrets = settings->session.secrets,
		.n_secrets = settings->session.n_secrets,
		.keys = settings->session.keys,
		.duplicates = settings->session.duplicates,
		.plain = !may_have_parts(settings),
	};
	struct buffer header = { 0 };
	int error = http_request_join(request, SLICE("Cookie"), "; ", &header);
	if (!error)
		error = session_cookie_read(&cookie, buffer_slice(&header), at, value, ret_sid);
	buffer_finish(&header);
	*ret_problem = error == -ENOENT ? "there is no session cookie"
					: "the session cookie's signature is not good";
	return error == -ENOENT ? -EACCES : error;
}
