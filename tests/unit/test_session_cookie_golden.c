/* Cookies that the frameworks wrote: each is accepted, and refused if any one byte of it is
 * changed. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/http/cookie.h"
#include "sluice/proto/record/session_cookie.h"

#define FASTIFY_SECRET "0123456789abcdef0123456789abcdef"
#define UUID           "6f1c2c1e-0000-4000-8000-000000000001"
#define NAMED(text) \
	{ \
		text, sizeof(text) - 1 \
	}

static const struct golden {
	const char *framework;
	struct session_cookie_settings settings; /* without the secrets */
	const char *secret;                      /* NULL: not signed */
	const char *header, *sid;
} goldens[] = {
	{ "express", { NAMED("connect.sid"), .signature = SESSION_SIGNATURE_CONNECT },
		"keyboard cat",
		"connect.sid=s%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A", "vec-7" },
	{ "fastify", { NAMED("sessionId"), .signature = SESSION_SIGNATURE_DOT_HMAC_SHA256 },
		FASTIFY_SECRET,
		"sessionId=fastifysid0123456789./lyevLZuWyS/Vu6z8vqvRVylTl51qwNIK+jJ0UzVc0c",
		"fastifysid0123456789" },
	{ "better-auth",
		{ NAMED("better-auth.session_token"), true,
			.signature = SESSION_SIGNATURE_DOT_HMAC_SHA256 },
		"better-auth-secret-for-golden-0001",
		"better-auth.session_token=AbCdEfGhIjKlMnOpQrStUvWxYz012345."
		"AJgyUIcI70GAxkwPJRW9WDnJboHCBoo9XZdY2iFixBs%3D",
		"AbCdEfGhIjKlMnOpQrStUvWxYz012345" },
	{ "better-auth over https",
		{ NAMED("better-auth.session_token"), true,
			.signature = SESSION_SIGNATURE_DOT_HMAC_SHA256 },
		"better-auth-secret-for-golden-0001",
		"__Secure-better-auth.session_token=AbCdEfGhIjKlMnOpQrStUvWxYz012345."
		"AJgyUIcI70GAxkwPJRW9WDnJboHCBoo9XZdY2iFixBs%3D",
		"AbCdEfGhIjKlMnOpQrStUvWxYz012345" },
	{ "koa",
		{ NAMED("koa.sess"), .encoding = SESSION_COOKIE_PLAIN,
			.signature = SESSION_SIGNATURE_KEYGRIP },
		"koa-key", "koa.sess=koasid0123; koa.sess.sig=-9TbuenPEkI8zsjj7TexUI7RKhM",
		"koasid0123" },
	{ "koa-generic",
		{ NAMED("koa.sid"), .encoding = SESSION_COOKIE_PLAIN,
			.signature = SESSION_SIGNATURE_KEYGRIP },
		"koa-key",
		"koa.sid=koagsid01234567890123456789012345; "
		"koa.sid.sig=GfYNmXACFI9utUMe972Uxc2L7C4",
		"koagsid01234567890123456789012345" },
	{ "koa with a prefix",
		{ NAMED("koa.sess"), true, SESSION_COOKIE_PLAIN, SESSION_SIGNATURE_KEYGRIP },
		"koa-key",
		"__Host-koa.sess=koasid0123; __Host-koa.sess.sig=4Rn-FGPtJq9JzFeavJ2xUaGf90s",
		"koasid0123" },
	{ "flask with a signer",
		{ NAMED("session"), .encoding = SESSION_COOKIE_PLAIN,
			.signature = SESSION_SIGNATURE_ITSDANGEROUS },
		"flask-secret", "session=" UUID ".VMycad5VnaB6TE_3W9UcSal7sTk", UUID },
	{ "laravel", { NAMED("laravel_session"), .signature = SESSION_SIGNATURE_LARAVEL },
		"0123456789abcdef0123456789abcdef",
		"laravel_session="
		"eyJpdiI6IkQ1di9RVUk1bFc3RzdPaDR0NU5iL0E9PSIsInZhbHVlIjoiU3crUUtRWTgxUH"
		"V2YVZ5V2ZGa3NmcUd1Si8wLy9NTkE2SldXamFnRUFaSU1zQVg3NlZZMWc2K1FzTmE0d2pO"
		"a1UwL0pFQTI4NE4vWmlVRk01dlp0RjlxaGVMMG5HakZ4a3pXeVdPdmdJRGtXc3YzeUxWd3"
		"RqY0FQcDExbysyWXAiLCJtYWMiOiJiMTFjMjVlNjI0YjZhZGE1MDBhODQ1OWM2MzhhNzIy"
		"N2E0Y2E2YjI2Yjk5NTFmYjA5YzM5YWRiYTVmNDViNWU3IiwidGFnIjoiIn0%3D",
		"AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd" },
	{ "spring",
		{ NAMED("SESSION"), .encoding = SESSION_COOKIE_BASE64,
			.signature = SESSION_SIGNATURE_NONE },
		NULL, "SESSION=NmYxYzJjMWUtMDAwMC00MDAwLTgwMDAtMDAwMDAwMDAwMDAx", UUID },
	{ "django",
		{ NAMED("sessionid"), .encoding = SESSION_COOKIE_PLAIN,
			.signature = SESSION_SIGNATURE_NONE },
		NULL, "sessionid=0123456789abcdefghijklmnopqrstuv",
		"0123456789abcdefghijklmnopqrstuv" },
	{ "php", { NAMED("PHPSESSID"), .signature = SESSION_SIGNATURE_NONE }, NULL,
		"PHPSESSID=0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef" },
};

/* Reads with keys that were prepared from the secrets: the result must be the same. */
static void expect_the_same_with_keys(
	const struct session_cookie_settings *without, struct slice header, int expected)
{
	struct session_cookie_settings settings = *without;
	struct digest_key keys[8];
	char room[SESSION_COOKIE_MAX];
	struct slice sid;
	size_t at = 0;
	if (!session_signature_has_keys(settings.signature))
		return;
	assert_in_range(settings.n_secrets, 0, COUNT_OF(keys));
	assert_int_equal(session_cookie_make_keys(
				 settings.signature, settings.secrets, settings.n_secrets, keys),
		0);
	settings.keys = keys;
	assert_int_equal(session_cookie_read(&settings, header, &at, room, &sid), expected);
}

/* Reads with these secrets, and copies the id. */
static int read_with(const struct golden *golden, const struct slice *secrets, size_t n_secrets,
	struct slice header, char sid[SESSION_COOKIE_MAX + 1])
{
	struct session_cookie_settings settings = golden->settings;
	char *room = malloc(SESSION_COOKIE_MAX);
	struct slice found = { NULL, 0 };
	size_t at = 0;
	assert_non_null(room);
	settings.secrets = secrets;
	settings.n_secrets = n_secrets;
	int error = session_cookie_read(&settings, header, &at, room, &found);
	if (!error) {
		memcpy(sid, found.at, found.len);
		sid[found.len] = '\0';
	}
	free(room);
	expect_the_same_with_keys(&settings, header, error);
	return error;
}

static int read_golden(
	const struct golden *golden, struct slice header, char sid[SESSION_COOKIE_MAX + 1])
{
	struct slice secret = slice_of(golden->secret);
	return read_with(golden, &secret, golden->secret != NULL, header, sid);
}

static void accepts_the_cookies_of_each_framework(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		char sid[SESSION_COOKIE_MAX + 1], header[1024];
		const struct golden *golden = &goldens[i];
		if (read_golden(golden, slice_of(golden->header), sid) != 0)
			fail_msg("%s", golden->framework);
		assert_string_equal(sid, golden->sid);
		snprintf(header, sizeof(header), "a=1; %s; b=2", golden->header);
		assert_int_equal(read_golden(golden, slice_of(header), sid), 0);
		assert_string_equal(sid, golden->sid);
	}
}

/* Escapes may be written in either case, and a final "=" means nothing. */
static bool says_the_same(const struct golden *golden, const char *header, const char *changed)
{
	char a[SESSION_COOKIE_MAX], b[SESSION_COOKIE_MAX], name[300];
	size_t len = (size_t)(strchr(header, '=') - header);
	memcpy(name, header, len);
	struct slice a_raw = cookie_find(slice_of(header), slice_make(name, len));
	struct slice b_raw = cookie_find(slice_of(changed), slice_make(name, len));
	ssize_t a_len = cookie_decode(a_raw, a, sizeof(a));
	ssize_t b_len = cookie_decode(b_raw, b, sizeof(b));
	if (golden->settings.signature == SESSION_SIGNATURE_DOT_HMAC_SHA256) {
		a_len -= a_len > 0 && a[a_len - 1] == '=';
		b_len -= b_len > 0 && b[b_len - 1] == '=';
	}
	return a_len > 0 && a_len == b_len && memcmp(a, b, (size_t)a_len) == 0;
}

static bool may_change(const struct golden *golden, const char *header, const char *changed)
{
	return golden->settings.encoding == SESSION_COOKIE_PERCENT &&
	       says_the_same(golden, header, changed);
}

static void refuses_a_cookie_with_another_byte(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		const struct golden *golden = &goldens[i];
		char sid[SESSION_COOKIE_MAX + 1], changed[1024];
		for (size_t at = 0; golden->header[at]; at++) {
			for (unsigned other = 1; other < 256; other++) {
				char *byte = &changed[at];
				strcpy(changed, golden->header);
				/* The part behind "__Secure;" is a cookie of its own. */
				if ((char)other == *byte || *byte == ' ' ||
					(other == ';' && at < strlen("__Secure-")))
					continue;
				*byte = (char)other;
				int error = read_golden(golden, slice_of(changed), sid);
				if (error == 0 && strcmp(sid, golden->sid) == 0 &&
					!may_change(golden, golden->header, changed))
					fail_msg("%s: %s", golden->framework, changed);
				if (error == 0 && golden->secret)
					assert_string_equal(sid, golden->sid);
			}
		}
	}
}

static void refuses_a_truncated_cookie(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		const struct golden *golden = &goldens[i];
		char sid[SESSION_COOKIE_MAX + 1], cut[1024];
		for (size_t len = 0; len < strlen(golden->header); len++) {
			snprintf(cut, len + 1, "%s", golden->header);
			int error = read_golden(golden, slice_of(cut), sid);
			if (error == 0 && strcmp(sid, golden->sid) == 0 &&
				!may_change(golden, golden->header, cut))
				fail_msg("%s: %s", golden->framework, cut);
			if (error == 0 && golden->secret)
				assert_string_equal(sid, golden->sid);
		}
	}
}

static void accepts_any_of_the_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(goldens); i++) {
		const struct golden *golden = &goldens[i];
		struct slice header = slice_of(golden->header);
		char sid[SESSION_COOKIE_MAX + 1];
		if (!golden->secret)
			continue;
		const struct slice good = slice_of(golden->secret), secrets[] = {
			SLICE("another"),
			SLICE(""),
			good,
			SLICE("0123456789abcdef0123456789abcdeF"),
		};
		assert_int_equal(read_with(golden, secrets, COUNT_OF(secrets), header, sid), 0);
		assert_string_equal(sid, golden->sid);
		assert_int_equal(read_with(golden, secrets, 2, header, sid), -EACCES);
		assert_int_equal(read_with(golden, secrets, 0, header, sid), -EACCES);
		assert_int_equal(read_with(golden, &secrets[3], 1, header, sid), -EACCES);
	}
}

static void prefers_a_prefixed_name(void **state)
{
	(void)state;
	struct session_cookie_settings settings = { NAMED("a"), true, SESSION_COOKIE_PLAIN,
		SESSION_SIGNATURE_NONE, NULL, 0 };
	static const struct {
		const char *header, *with, *without; /* NULL: none */
	} cases[] = {
		{ "a=1; __Secure-a=2; __Host-a=3", "3", "1" },
		{ "__Secure-a=2; a=1", "2", "1" },
		{ "__Host-a=3", "3", NULL },
		{ "a=1; b=2; __host-a=3; Host-a=4", "1", "1" },
		{ "b=1", NULL, NULL },
	};
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		struct slice header = slice_of(cases[i / 2].header), sid;
		char room[SESSION_COOKIE_MAX];
		size_t at = 0;
		settings.prefixes = i % 2 == 0;
		const char *expected = settings.prefixes ? cases[i / 2].with : cases[i / 2].without;
		int error = session_cookie_read(&settings, header, &at, room, &sid);
		assert_int_equal(error, expected ? 0 : -ENOENT);
		assert_true(!expected || slice_equal(sid, slice_of(expected)));
	}
}

/* The ids that a header has, read one after the other, each with a space behind it. */
static void read_all(const struct session_cookie_settings *settings, const char *header, char *ids)
{
	size_t at = 0, previous = 0;
	char room[SESSION_COOKIE_MAX];
	struct slice sid;
	*ids = '\0';
	while (session_cookie_read(settings, slice_of(header), &at, room, &sid) == 0) {
		assert_true(at > previous && at <= strlen(header));
		previous = at;
		sprintf(ids + strlen(ids), "%.*s ", SLICE_ARGS(sid));
	}
}

static void takes_the_cookie_that_counts(void **state)
{
	(void)state;
	static const struct {
		const char *header, *ids[3]; /* first, last, each */
	} cases[] = {
		{ "a=1", { "1 ", "1 ", "1 " } },
		{ "a=1; a=2; b=3; a=4", { "1 ", "4 ", "1 2 4 " } },
		{ "b=1; a; =2; a=3;a=3", { "3 ", "3 ", "3 3 " } },
		{ "a= ; a=1", { "", "1 ", "1 " } },
		{ "a=1; a={", { "1 ", "", "1 " } },
		{ "a={; a=1; a={; a=2; a={;", { "", "", "1 2 " } },
		{ "__Host-a=1; a=2; __Host-a=3", { "1 ", "3 ", "1 3 " } },
		{ "b=1", { "", "", "" } },
		{ "", { "", "", "" } },
	};
	for (size_t i = 0; i < 3 * COUNT_OF(cases); i++) {
		const struct session_cookie_settings settings = { NAMED("a"), true,
			SESSION_COOKIE_PLAIN, SESSION_SIGNATURE_NONE,
			.duplicates = (enum session_duplicates)(i % 3) };
		char ids[64];
		read_all(&settings, cases[i / 3].header, ids);
		if (strcmp(ids, cases[i / 3].ids[i % 3]) != 0)
			fail_msg("%s, %zu: %s", cases[i / 3].header, i % 3, ids);
	}
}

/* The second cookie of Keygrip is chosen as the first one is. */
static void takes_the_signature_that_counts(void **state)
{
	(void)state;
	static const char good[] = "koa.sess=koasid0123; koa.sess.sig=-9TbuenPEkI8zsjj7TexUI7RKhM";
	struct slice secret = SLICE("koa-key");
	struct session_cookie_settings settings = { NAMED("koa.sess"), false, SESSION_COOKIE_PLAIN,
		SESSION_SIGNATURE_KEYGRIP, &secret, 1 };
	char header[256], ids[64];
	snprintf(header, sizeof(header), "%s; koa.sess=x; koa.sess.sig=x", good);
	read_all(&settings, header, ids);
	assert_string_equal(ids, "koasid0123 ");
	settings.duplicates = SESSION_DUPLICATES_LAST;
	read_all(&settings, header, ids);
	assert_string_equal(ids, "");
	snprintf(header, sizeof(header), "koa.sess=x; koa.sess.sig=x; %s", good);
	read_all(&settings, header, ids);
	assert_string_equal(ids, "koasid0123 ");
}

/* The work for one header is limited. */
static void verifies_so_many_cookies_at_a_time(void **state)
{
	(void)state;
	struct session_cookie_settings settings = { NAMED("a"), false, SESSION_COOKIE_PLAIN,
		SESSION_SIGNATURE_NONE, .duplicates = SESSION_DUPLICATES_EACH };
	char header[1024] = "", room[SESSION_COOKIE_MAX];
	struct slice sid;
	for (unsigned bad = 1; bad <= 2 * SESSION_COOKIE_TRIES; bad++) {
		size_t at = 0;
		strcat(header, "a={; ");
		size_t len = strlen(header);
		strcat(header, "a=1");
		assert_int_equal(session_cookie_read(&settings, slice_of(header), &at, room, &sid),
			bad < SESSION_COOKIE_TRIES ? 0 : -EACCES);
		header[len] = '\0';
	}
}

static void decodes_every_encoding(void **state)
{
	(void)state;
	static const struct {
		const char *header, *sids[3]; /* percent, plain, base64; NULL: refused */
	} cases[] = {
		{ "a=YWI%2B", { "YWI+", NULL, NULL } },
		{ "a=YWJj", { "YWJj", "YWJj", "abc" } },
		{ "a=\"YWJj\"", { "YWJj", "YWJj", "abc" } },
		{ "a=YWJjLm5vZGUx", { "YWJjLm5vZGUx", "YWJjLm5vZGUx", "abc" } },
		{ "a=YS5iLmM=", { "YS5iLmM=", "YS5iLmM=", "a.b" } },
		{ "a=YWI=", { "YWI=", "YWI=", "ab" } },
		{ "a=YWI", { "YWI", "YWI", NULL } },
		{ "a=YWJ=", { "YWJ=", "YWJ=", NULL } },
		{ "a=YSBi", { "YSBi", "YSBi", NULL } },
		{ "a=Lg==", { "Lg==", "Lg==", NULL } },
		{ "a=", { NULL, NULL, NULL } },
	};
	for (size_t i = 0; i < 3 * COUNT_OF(cases); i++) {
		struct session_cookie_settings settings = { NAMED("a"), false,
			(enum session_cookie_encoding)(i % 3), SESSION_SIGNATURE_NONE, NULL, 0 };
		const char *expected = cases[i / 3].sids[i % 3];
		char room[SESSION_COOKIE_MAX];
		struct slice sid;
		size_t at = 0;
		int error = session_cookie_read(
			&settings, slice_of(cases[i / 3].header), &at, room, &sid);
		if (error != (expected ? 0 : -EACCES) ||
			(expected && !slice_equal(sid, slice_of(expected))))
			fail_msg("%s, %zu", cases[i / 3].header, i % 3);
	}
}

static void limits_the_length_of_values(void **state)
{
	(void)state;
	char header[2048] = "a=", room[SESSION_COOKIE_MAX];
	for (size_t i = 2; i < sizeof(header); i++)
		header[i] = "YWJj"[(i - 2) % 4];
	for (unsigned i = 0; i < 3; i++) {
		struct session_cookie_settings settings = { NAMED("a"), false,
			(enum session_cookie_encoding)i, SESSION_SIGNATURE_NONE, NULL, 0 };
		struct slice sid;
		size_t longest = i == SESSION_COOKIE_BASE64 ? 682 : SESSION_COOKIE_MAX;
		for (size_t len = 250; len < sizeof(header); len++) {
			size_t at = 0;
			int error = session_cookie_read(
				&settings, slice_make(header, len), &at, room, &sid);
			bool good = i != SESSION_COOKIE_BASE64 && len - 2 <= 256;
			bool text = (len - 2) % 4 == 0 && i == SESSION_COOKIE_BASE64;
			if (good || (text && len - 2 <= 256 / 3 * 4))
				assert_int_equal(error, 0);
			else
				assert_int_equal(error, len - 2 <= longest || (i == 2 && !text)
								? -EACCES
								: -ENOENT);
		}
	}
}

static void accepts_the_longest_name(void **state)
{
	(void)state;
	char name[SESSION_COOKIE_NAME_MAX], header[1024], room[SESSION_COOKIE_MAX];
	struct slice secret = SLICE("koa-key"), sid;
	size_t at = 0;
	memset(name, 'n', sizeof(name));
	struct session_cookie_settings settings = { { name, sizeof(name) }, true,
		SESSION_COOKIE_PLAIN, SESSION_SIGNATURE_KEYGRIP, &secret, 1 };
	snprintf(header, sizeof(header), "__Secure-%.*s=%0512d", (int)sizeof(name), name, 7);
	assert_int_equal(
		session_cookie_read(&settings, slice_of(header), &at, room, &sid), -EACCES);
	settings.name = (struct slice){ NULL, 0 };
	at = 0;
	assert_int_equal(session_cookie_read(&settings, SLICE("=1"), &at, room, &sid), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_cookies_of_each_framework),
		cmocka_unit_test(refuses_a_cookie_with_another_byte),
		cmocka_unit_test(refuses_a_truncated_cookie),
		cmocka_unit_test(accepts_any_of_the_secrets),
		cmocka_unit_test(prefers_a_prefixed_name),
		cmocka_unit_test(takes_the_cookie_that_counts),
		cmocka_unit_test(takes_the_signature_that_counts),
		cmocka_unit_test(verifies_so_many_cookies_at_a_time),
		cmocka_unit_test(decodes_every_encoding),
		cmocka_unit_test(limits_the_length_of_values),
		cmocka_unit_test(accepts_the_longest_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
