/* Who we are at Redis, and how it is reached: user, password and TLS. A link asks before each
 * attempt, so that what has changed meanwhile counts from then on.
 *
 * An account may be used in any thread; a redis_login is read-only. */
#ifndef SLUICE_REDIS_LOGIN_ACCOUNT_H
#define SLUICE_REDIS_LOGIN_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"

enum {
	REDIS_USER_MAX = 4096 + 1,
	REDIS_PASSWORD_MAX = 4096 + 1,
	REDIS_LOGIN_PROBLEM_MAX = 256,
};

struct tls_settings;

/* As the configuration gives it. Strings are NUL-terminated, and "" where absent. */
struct redis_login {
	const char *user; /* "": the default user */
	const char *password;
	bool has_password; /* which may be empty */
	/* It holds the password from now on, and is read for each attempt; "": `password` is it. */
	const char *password_file;
};

/* A copy for one attempt, to be wiped by redis_credentials_wipe. */
struct redis_credentials {
	bool has_password;
	char user[REDIS_USER_MAX], password[REDIS_PASSWORD_MAX];
	uint64_t user_mark, mark; /* other numbers for another user; for another user or password */
};

struct redis_account {
	/* private */
	uv_mutex_t mutex;
	const struct redis_login *login;
	struct tls_settings *tls;
};

/* `login` must stay valid, but for its password once the account has been changed. `tls`: NULL: no
 * TLS; else it must stay valid. 0 or a negative errno. */
MUST_CHECK int redis_account_init(
	struct redis_account *account, const struct redis_login *login, struct tls_settings *tls);
void redis_account_finish(struct redis_account *account);

/* For attempts from now on. */
void redis_account_change(
	struct redis_account *account, const struct redis_login *login, struct tls_settings *tls);

/* Reads the password's file if there is one, which blocks. False: `problem` is one line for the
 * operator. */
MUST_CHECK bool redis_account_read(struct redis_account *account,
	struct redis_credentials *ret_credentials, char problem[REDIS_LOGIN_PROBLEM_MAX]);

struct tls_settings *redis_account_tls(struct redis_account *account);

void redis_credentials_wipe(struct redis_credentials *credentials);

#endif
