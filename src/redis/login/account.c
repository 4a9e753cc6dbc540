#include "sluice/redis/login/account.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sluice/base/file.h"
#include "sluice/base/hash.h"
#include "sluice/base/secret.h"

int redis_account_init(
	struct redis_account *account, const struct redis_login *login, struct tls_settings *tls)
{
	*account = (struct redis_account){ .login = login, .tls = tls };
	return uv_mutex_init(&account->mutex);
}

void redis_account_finish(struct redis_account *account)
{
	uv_mutex_destroy(&account->mutex);
}

void redis_account_change(
	struct redis_account *account, const struct redis_login *login, struct tls_settings *tls)
{
	uv_mutex_lock(&account->mutex);
	account->login = login;
	account->tls = tls;
	uv_mutex_unlock(&account->mutex);
}

struct tls_settings *redis_account_tls(struct redis_account *account)
{
	uv_mutex_lock(&account->mutex);
	struct tls_settings *tls = account->tls;
	uv_mutex_unlock(&account->mutex);
	return tls;
}

/* ---- credentials ---- */

/* False: it does not fit. */
static bool copy(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size)
		return false;
	memcpy(to, from, len);
	to[len] = '\0';
	return true;
}

/* NULL, or what is wrong. */
static const char *take_file(struct redis_credentials *credentials, struct slice text)
{
	text = slice_without_line_end(text);
	if (!text.len)
		return "it is empty";
	if (memchr(text.at, '\0', text.len))
		return "it contains a NUL byte";
	return copy(credentials->password, REDIS_PASSWORD_MAX, text.at, text.len)
		       ? NULL
		       : "it is larger than 4096 bytes";
}

static bool read_file(struct redis_credentials *credentials, const char *path,
	char problem[REDIS_LOGIN_PROBLEM_MAX])
{
	struct buffer bytes;
	int error = file_read(path, REDIS_PASSWORD_MAX, &bytes);
	const char *why = error ? strerror(-error) : take_file(credentials, buffer_slice(&bytes));
	if (why)
		snprintf(problem, REDIS_LOGIN_PROBLEM_MAX,
			"cannot read the password from %.128s: %s", path, why);
	secret_finish(&bytes);
	return !why;
}

/* The strings of `login` may be wiped once the account has another one, so they are copied under
 * the lock. The name of the file stays. */
static bool copy_login(
	struct redis_account *account, struct redis_credentials *credentials, const char **ret_file)
{
	uv_mutex_lock(&account->mutex);
	const struct redis_login *login = account->login;
	bool good = copy(credentials->user, REDIS_USER_MAX, login->user, strlen(login->user)) &&
		    copy(credentials->password, REDIS_PASSWORD_MAX, login->password,
			    strlen(login->password));
	credentials->has_password = login->has_password;
	*ret_file = login->password_file;
	uv_mutex_unlock(&account->mutex);
	return good;
}

bool redis_account_read(struct redis_account *account, struct redis_credentials *ret_credentials,
	char problem[REDIS_LOGIN_PROBLEM_MAX])
{
	const char *file;
	if (!copy_login(account, ret_credentials, &file)) {
		snprintf(problem, REDIS_LOGIN_PROBLEM_MAX, "the user or password is too long");
		return false;
	}
	if (*file && !read_file(ret_credentials, file, problem))
		return false;
	uint64_t password = hash_bytes(slice_of(ret_credentials->password));
	ret_credentials->user_mark = hash_bytes(slice_of(ret_credentials->user));
	ret_credentials->mark =
		ret_credentials->user_mark * 31 + password + ret_credentials->has_password;
	return true;
}

void redis_credentials_wipe(struct redis_credentials *credentials)
{
	secret_wipe(credentials, sizeof(*credentials));
}
