/* redis.username and redis.password stand in place of the URL's. A password in a file is read once
 * here, so that a mistake is found at once, and again by each link (redis/account.h); but a pipe can
 * only be read once. */
#include "settle_redis.h"

#include <stdio.h>
#include <sys/stat.h>

#include "given_secret.h"

static const char *file_to_read_again(struct slice password)
{
	struct stat info;
	const char *path = secret_path(password);
	return path && stat(path, &info) == 0 && S_ISREG(info.st_mode) ? path : "";
}

static void settle_login(struct draft *draft, struct redis_login *login, const char *user,
	const char *key, struct slice password)
{
	struct secret secret = { draft, draft_given(draft, key) };
	snprintf(secret.name, sizeof(secret.name), "%s", key);
	login->password_file = "";
	if (*user)
		login->user = user;
	if (!password.len)
		return;
	struct slice text = secret_take(&secret, password);
	login->has_password = true;
	login->password = text.at ? text.at : "";
	login->password_file = file_to_read_again(password);
}

/* AUTH takes no user without a password. */
static void require_password(
	struct draft *draft, const struct redis_login *login, const char *key, const char *remedy)
{
	if (*login->user && !login->has_password)
		draft_refuse(draft, key, remedy);
}

static void settle_logins(struct draft *draft)
{
	struct settings *settings = draft->settings;
	const struct redis_url *url = &settings->redis.url;
	settings->redis.login =
		(struct redis_login){ url->user, url->password, url->has_password, "" };
	settings->redis.sentinel_login = (struct redis_login){ "", "", false, "" };
	settle_login(draft, &settings->redis.login, settings->redis.username, "redis.password",
		settings->redis.password);
	settle_login(draft, &settings->redis.sentinel_login, settings->redis.sentinel_username,
		"redis.sentinel_password", settings->redis.sentinel_password);
	require_password(
		draft, &settings->redis.login, "redis.username", "needs redis.password too");
	require_password(draft, &settings->redis.sentinel_login, "redis.sentinel_username",
		"needs redis.sentinel_password too");
}

static void require_tls(struct draft *draft, const char *key, bool is_set)
{
	if (is_set && !draft->settings->redis.url.tls)
		draft_refuse(draft, key, "needs TLS: redis.url must begin with rediss");
}

static void settle_tls(struct draft *draft)
{
	struct settings *settings = draft->settings;
	const struct redis_url *url = &settings->redis.url;
	require_tls(draft, "redis.ca", *settings->redis.ca);
	require_tls(draft, "redis.certificate", *settings->redis.certificate);
	require_tls(draft, "redis.key", *settings->redis.key);
	require_tls(draft, "redis.verify", settings->redis.verify != TLS_VERIFY_FULL);
	if (*url->ca && *settings->redis.ca && strcmp(url->ca, settings->redis.ca) != 0)
		draft_refuse(draft, "redis.ca",
			"must be the same file as ?ca= in redis.url, or one of the two be left "
			"out");
	if (*url->ca)
		settings->redis.ca = url->ca;
	if (!*settings->redis.certificate != !*settings->redis.key)
		draft_refuse(draft, *settings->redis.key ? "redis.key" : "redis.certificate",
			*settings->redis.key ? "needs redis.certificate too"
					     : "needs redis.key too");
	draft_check_file_at(draft, draft_given(draft, *url->ca ? "redis.url" : "redis.ca"),
		*url->ca ? "redis.url" : "redis.ca", settings->redis.ca);
	draft_check_file(draft, "redis.certificate", settings->redis.certificate);
	draft_check_file(draft, "redis.key", settings->redis.key);
}

static void settle_kind(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	enum redis_kind kind = settings->redis.url.kind;
	if (kind != REDIS_STANDALONE)
		draft_refuse(draft, "redis.url",
			"this version does not know Sentinel and Cluster yet: name one server, "
			"redis://host:port");
	if (kind != REDIS_SENTINEL && *settings->redis.sentinel_username)
		draft_refuse(draft, "redis.sentinel_username", "is for redis+sentinel:// only");
	if (kind != REDIS_SENTINEL && settings->redis.sentinel_password.len)
		draft_refuse(draft, "redis.sentinel_password", "is for redis+sentinel:// only");
}

void settle_redis(struct draft *draft)
{
	const struct redis_url *url = &draft->settings->redis.url;
	if (draft->problems.n)
		return;
	if (url->has_password && strcmp(url->password, SETTLE_MASK) == 0)
		draft_refuse(draft, "redis.url",
			"must have the password itself, not the \"***\" that --print-config shows");
	settle_kind(draft);
	settle_logins(draft);
	settle_tls(draft);
}
