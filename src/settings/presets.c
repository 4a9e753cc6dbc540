/* One row for each framework.
 *
 * A row has what its framework writes by default: the cookie and how it is signed, the Redis key,
 * how the record is written, and where the record says who is logged in. It has nothing that a
 * configuration could not say itself, and a key that is set in the configuration wins. A key that a
 * row leaves out keeps its own default from the table of settings.
 *
 * Where a framework has no log-in of its own (express-session, koa, PHP, …), the row expects the
 * flag `authenticated` and the id `userId`. Where it has one, the row uses that. */
#include "presets.h"

#include <stddef.h>
#include <string.h>

#include "sluice/base/defs.h"

#define LARAVEL_USER "login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d"
#define SPRING_USER \
	"/sessionAttr:org.springframework.session.FindByIndexNameSessionRepository." \
	"PRINCIPAL_NAME_INDEX_NAME"

const char *const preset_names[] = {
	[SESSION_PRESET_EXPRESS] = "express",
	[SESSION_PRESET_PASSPORT] = "passport",
	[SESSION_PRESET_FASTIFY] = "fastify",
	[SESSION_PRESET_KOA] = "koa",
	[SESSION_PRESET_KOA_GENERIC] = "koa-generic",
	[SESSION_PRESET_BETTER_AUTH] = "better-auth",
	[SESSION_PRESET_DJANGO_JSON] = "django-json",
	[SESSION_PRESET_FLASK] = "flask",
	[SESSION_PRESET_STARSESSIONS] = "starsessions",
	[SESSION_PRESET_RAILS_JSON] = "rails-json",
	[SESSION_PRESET_SPRING] = "spring",
	[SESSION_PRESET_PHP] = "php",
	[SESSION_PRESET_LARAVEL] = "laravel",
	[SESSION_PRESET_TICKET] = "ticket",
	NULL,
};

/* The columns, named as the keys are. */
struct preset {
	const char *cookie, *cookie_encoding, *cookie_prefixes, *duplicates, *signature, *key;
	const char *must_exist, *lookup, *codec, *authenticated, *present, *user, *expires, *ticket;
};

static const struct preset presets[] = {
	[SESSION_PRESET_EXPRESS] = { .cookie = "connect.sid",
		.duplicates = "first",
		.signature = "connect",
		.key = "sess:{sid}",
		.authenticated = "authenticated",
		.user = "userId" },
	[SESSION_PRESET_PASSPORT] = { .cookie = "connect.sid",
		.duplicates = "first",
		.signature = "connect",
		.key = "sess:{sid}",
		.present = "passport.user",
		.user = "passport.user" },
	[SESSION_PRESET_FASTIFY] = { .cookie = "sessionId",
		.duplicates = "first",
		.signature = "dot-hmac-sha256",
		.key = "sess:{sid}",
		.authenticated = "authenticated",
		.user = "userId",
		.expires = "cookie.expires" },
	[SESSION_PRESET_KOA] = { .cookie = "koa.sess",
		.cookie_encoding = "none",
		.duplicates = "first",
		.signature = "keygrip",
		.key = "{sid}",
		.authenticated = "authenticated",
		.user = "userId",
		.expires = "_expire" },
	[SESSION_PRESET_KOA_GENERIC] = { .cookie = "koa.sid",
		.cookie_encoding = "none",
		.duplicates = "first",
		.signature = "keygrip",
		.key = "koa:sess:{sid}",
		.authenticated = "authenticated",
		.user = "userId" },
	[SESSION_PRESET_BETTER_AUTH] = { .cookie = "better-auth.session_token",
		.cookie_prefixes = "true",
		.duplicates = "first",
		.signature = "dot-hmac-sha256",
		.key = "{sid}",
		.present = "session.userId",
		.user = "session.userId",
		.expires = "session.expiresAt" },
	[SESSION_PRESET_DJANGO_JSON] = { .cookie = "sessionid",
		.cookie_encoding = "none",
		.duplicates = "last",
		.key = ":1:django.contrib.sessions.cache{sid}",
		.present = "_auth_user_id",
		.user = "_auth_user_id" },
	[SESSION_PRESET_FLASK] = { .cookie = "session",
		.cookie_encoding = "none",
		.duplicates = "first",
		.key = "session:{sid}",
		.codec = "msgpack",
		.authenticated = "authenticated",
		.user = "userId" },
	[SESSION_PRESET_STARSESSIONS] = { .cookie = "session",
		.cookie_encoding = "none",
		.duplicates = "last",
		.key = "starsessions.{sid}",
		.authenticated = "authenticated",
		.user = "userId" },
	[SESSION_PRESET_RAILS_JSON] = { .cookie = "_session_id",
		.duplicates = "first",
		.key = "2::{sid:sha256hex}",
		.authenticated = "authenticated",
		.user = "userId" },
	/* The indexed repository keeps the hash of an ended session for some minutes; the other key
	 * ends with the session. The repository without indexes has no such key: set must_exist to
	 * "" for it. */
	[SESSION_PRESET_SPRING] = { .cookie = "SESSION",
		.cookie_encoding = "base64",
		.duplicates = "each",
		.key = "spring:session:sessions:{sid}",
		.must_exist = "spring:session:sessions:expires:{sid}",
		.lookup = "hash",
		.present = "/sessionAttr:SPRING_SECURITY_CONTEXT",
		.user = SPRING_USER },
	[SESSION_PRESET_PHP] = { .cookie = "PHPSESSID",
		.duplicates = "first",
		.key = "PHPREDIS_SESSION:{sid}",
		.codec = "php",
		.authenticated = "authenticated",
		.user = "userId" },
	[SESSION_PRESET_LARAVEL] = { .cookie = "laravel_session",
		.duplicates = "first",
		.signature = "laravel",
		.key = "laravel_database_laravel_cache_{sid}",
		.codec = "laravel",
		.present = LARAVEL_USER,
		.user = LARAVEL_USER },
	[SESSION_PRESET_TICKET] = { .cookie = "",
		.key = "{sid}",
		.lookup = "exists",
		.user = "userId",
		.ticket = "ticket:{sid}" },
};
_Static_assert(COUNT_OF(preset_names) == COUNT_OF(presets) + 1, "a name for each row");

static const struct {
	const char *key;
	size_t column;
} columns[] = {
#define COLUMN(name) \
	{ \
		"session." #name, offsetof(struct preset, name) \
	}
	COLUMN(cookie),
	COLUMN(cookie_encoding),
	COLUMN(cookie_prefixes),
	COLUMN(duplicates),
	COLUMN(signature),
	COLUMN(key),
	COLUMN(must_exist),
	COLUMN(lookup),
	COLUMN(codec),
	COLUMN(authenticated),
	COLUMN(present),
	COLUMN(user),
	COLUMN(expires),
	COLUMN(ticket),
#undef COLUMN
};

static const char *value_at(const struct preset *preset, size_t column)
{
	const char *value;
	memcpy(&value, (const char *)preset + column, sizeof(value));
	return value;
}

const char *preset_value(enum session_preset preset, const char *key)
{
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		if (strcmp(columns[i].key, key) == 0)
			return value_at(&presets[preset], columns[i].column);
	}
	return NULL;
}

bool presets_set(const char *key)
{
	for (size_t i = 0; i < COUNT_OF(columns); i++) {
		if (strcmp(columns[i].key, key) == 0)
			return true;
	}
	return false;
}
