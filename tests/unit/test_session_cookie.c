#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/http/cookie.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/record/session_key.h"

#define CAT     "keyboard cat"
#define VEC_SIG "6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A"
#define VEC_RAW "6obqJ8aF02jkGuou/MTukE5n3c9uCsUPxP0/RyevC2A"
#define GOOD    "connect.sid=s%3Avec-7." VEC_SIG
#define X10     "xxxxxxxxxx"
#define X100    X10 X10 X10 X10 X10 X10 X10 X10 X10 X10

/* Finds and decodes the cookie, verifies it, and makes the key. False: refused. */
static bool key_of(const char *header, const char *name, enum session_signature form,
	const struct slice *secrets, size_t n_secrets, char *key)
{
	char value[SESSION_COOKIE_MAX];
	struct slice sid;
	struct slice raw = cookie_find(slice_of(header), slice_of(name));
	ssize_t len = cookie_decode(raw, value, sizeof(value));
	if (!raw.at || len < 0)
		return false;
	char *exact = exact_copy(slice_make(value, (size_t)len));
	int result = session_cookie_verify(
		form, secrets, n_secrets, slice_make(exact, (size_t)len), &sid);
	if (result == 0) {
		len = session_key_format(SLICE("sess:{sid}"), sid, key, SESSION_KEY_MAX);
		assert_true(len > 0 && len < SESSION_KEY_MAX);
		key[len] = '\0';
	} else {
		assert_int_equal(result, -EACCES);
	}
	free(exact);
	return result == 0;
}

static void verifies_known_cookies(void **state)
{
	(void)state;
	static const struct {
		const char *secret, *name, *header, *key;
	} vectors[] = {
		{ CAT, "connect.sid",
			"connect.sid=s%3AGOLDENsid-0123456789_abcdefGHIJKL."
			"y1qEgvwvjfhHJ%2BJCFUFe36nMQ329NR1BFoqpm8xzV4s",
			"sess:GOLDENsid-0123456789_abcdefGHIJKL" },
		{ CAT, "connect.sid", GOOD, "sess:vec-7" },
		{ "s\xc3\xa9"
		  "cret\xf0\x9f\x94\x91",
			"__Host-sid",
			"__Host-sid=s%3Aa.b.c.5DNV0cYvVEZfw9uk%2FcmVD8ALbJHg2rBqtFjPnDi9HMo",
			"sess:a.b.c" },
		{ "old-secret", "connect.sid",
			"connect.sid=s%3AROTsid.hm9%2BzF5cJ76biQUvHUzj%2F9juh8iSyIVah4cq8%2Fjo69I",
			"sess:ROTsid" },
		{ "new-secret", "connect.sid",
			"connect.sid=s%3AROTsid.bKMWGoG7ETdpMXHmPznN98T%2Bkewnq4PvU1GsKr6Em4U",
			"sess:ROTsid" },
		{ X100, "connect.sid",
			"connect.sid=s%3Alongkey.mzdVbu4qTjV3XINizqRy1OuS%2B52IwxGedDJEjNlDAcU",
			"sess:longkey" },
		{ CAT, "connect.sid",
			"connect.sid=s%3ABWmObiKxobiyg_rx4UPJ_HLX5mKLBwSz."
			"tQLhHLBnkTmyKtDzh4YkEvXXWr57q4NWGI9fVc2glig",
			"sess:BWmObiKxobiyg_rx4UPJ_HLX5mKLBwSz" },
	};
	struct slice every[COUNT_OF(vectors)];
	for (size_t i = 0; i < COUNT_OF(vectors); i++)
		every[i] = slice_of(vectors[i].secret);
	for (size_t i = 0; i < COUNT_OF(vectors); i++) {
		char key[SESSION_KEY_MAX];
		struct slice wrong = SLICE("keyboard ca");
		const char *header = vectors[i].header, *name = vectors[i].name;
		assert_true(key_of(header, name, SESSION_SIGNATURE_CONNECT, &every[i], 1, key));
		assert_string_equal(key, vectors[i].key);
		assert_true(key_of(
			header, name, SESSION_SIGNATURE_CONNECT, every, COUNT_OF(every), key));
		assert_string_equal(key, vectors[i].key);
		assert_false(key_of(header, name, SESSION_SIGNATURE_CONNECT, &wrong, 1, key));
		assert_false(key_of(header, name, SESSION_SIGNATURE_CONNECT, NULL, 0, key));
	}
}

/* Each was sent to express-session, which accepted or refused it. */
static void reads_headers_as_express_session_does(void **state)
{
	(void)state;
	static const struct {
		const char *header;
		bool accepted;
	} cases[] = {
		{ GOOD, true },
		{ "connect.sid=s:vec-7." VEC_RAW, true },
		{ "connect.sid=\"s%3Avec-7." VEC_SIG "\"", true },
		{ GOOD "; connect.sid=bad", true },
		{ "a=1; " GOOD ";b", true },
		{ " connect.sid = s%3Avec-7." VEC_SIG " ", true },
		{ "a=1; " GOOD, true },
		{ "connect.sid=bad; " GOOD, false },
		{ GOOD "x", false },
		{ "connect.sid=s%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2", false },
		{ GOOD "%3D", false },
		{ "CONNECT.SID=s%3Avec-7." VEC_SIG, false },
		{ "connect.sid=vec-7." VEC_SIG, false },
		{ GOOD "%", false },
		{ "connect.sid=%; " GOOD, false },
		{ "connect.sid=s%3Avec-7." VEC_SIG "; path=/", true },
		{ "connect.sid=", false },
		{ "connect.sid=s%3A", false },
		{ "connect.sid=s%3A.", false },
		{ "connect.sid=s%3Avec-7", false },
		{ "connect.sid=s%3Avec-7.", false },
		{ "connect.sid=s%3Avec-8." VEC_SIG, false },
		{ "connect.sid=S%3Avec-7." VEC_SIG, false },
		{ "connect.sid=s%3A%20vec-7." VEC_SIG, false },
		{ "connect.sid=s%3Avec-7%00." VEC_SIG, false },
		{ "connect.sid=j%3A%7B%7D", false },
		{ "other=1", false },
	};
	struct slice secret = SLICE(CAT);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char key[SESSION_KEY_MAX];
		bool accepted = key_of(
			cases[i].header, "connect.sid", SESSION_SIGNATURE_CONNECT, &secret, 1, key);
		if (accepted != cases[i].accepted)
			fail_msg("%s", cases[i].header);
		if (accepted)
			assert_string_equal(key, "sess:vec-7");
	}
}

static void refuses_a_signature_with_another_character(void **state)
{
	(void)state;
	char value[] = "s:vec-7." VEC_RAW;
	struct slice secrets[] = { SLICE("other"), SLICE(CAT) }, sid;
	struct slice whole = slice_make(value, sizeof(value) - 1);
	for (size_t i = 0; i < whole.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			value[i] = (char)(value[i] ^ (1 << bit));
			assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_CONNECT, secrets,
						 2, whole, &sid),
				-EACCES);
			value[i] = (char)(value[i] ^ (1 << bit));
		}
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_CONNECT, secrets, 2,
					 slice_make(value, i), &sid),
			-EACCES);
	}
	assert_int_equal(
		session_cookie_verify(SESSION_SIGNATURE_CONNECT, secrets, 2, whole, &sid), 0);
	assert_true(slice_equal(sid, SLICE("vec-7")));
}

static void verifies_with_any_secret(void **state)
{
	(void)state;
	const char *old = "connect.sid=s%3AROTsid."
			  "hm9%2BzF5cJ76biQUvHUzj%2F9juh8iSyIVah4cq8%2Fjo69I";
	struct slice secrets[] = { SLICE("new-secret"), SLICE(""), SLICE("old-secret") };
	char key[SESSION_KEY_MAX];
	assert_true(key_of(old, "connect.sid", SESSION_SIGNATURE_CONNECT, secrets, 3, key));
	assert_true(key_of(old, "connect.sid", SESSION_SIGNATURE_CONNECT, secrets + 2, 1, key));
	assert_false(key_of(old, "connect.sid", SESSION_SIGNATURE_CONNECT, secrets, 2, key));
}

static void empty_secret_verifies_nothing(void **state)
{
	(void)state;
	struct slice empty = SLICE(""), sid;
	char value[SESSION_COOKIE_MAX];
	ssize_t len = session_cookie_sign(
		SESSION_SIGNATURE_CONNECT, empty, SLICE("abc"), value, sizeof(value));
	assert_true(len > 0);
	assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_CONNECT, &empty, 1,
				 slice_make(value, (size_t)len), &sid),
		-EACCES);
}

static void verifies_dot_hmac_sha256(void **state)
{
	(void)state;
	const char *fastify = "fastifysid0123456789."
			      "/lyevLZuWyS/Vu6z8vqvRVylTl51qwNIK+jJ0UzVc0c";
	struct slice secret = SLICE("0123456789abcdef0123456789abcdef"), sid;
	static const struct {
		const char *suffix;
		int result;
	} cases[] = { { "", 0 }, { "=", 0 }, { "==", -EACCES }, { "x", -EACCES }, { "%", -EACCES },
		{ ".", -EACCES } };
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char value[128];
		snprintf(value, sizeof(value), "%s%s", fastify, cases[i].suffix);
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_DOT_HMAC_SHA256, &secret,
					 1, slice_of(value), &sid),
			cases[i].result);
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_CONNECT, &secret, 1,
					 slice_of(value), &sid),
			-EACCES);
	}
	assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_DOT_HMAC_SHA256, &secret, 1,
				 slice_of(fastify), &sid),
		0);
	assert_true(slice_equal(sid, SLICE("fastifysid0123456789")));
}

static void accepts_plain_ids_only(void **state)
{
	(void)state;
	static const struct {
		struct slice sid;
		int result;
		bool if_signed;
	} cases[] = {
		{ { "a", 1 }, 0 },
		{ { "ABCXYZabcxyz0189_.~+/=-", 23 }, 0 },
		{ { "a,b@c!d$e|f", 11 }, 0 },
		{ { "s:abc.def", 9 }, -EACCES, true },
		{ { "a:b", 3 }, -EACCES, true },
		{ { ":", 1 }, -EACCES, true },
		{ { "", 0 }, -EACCES },
		{ { NULL, 0 }, -EACCES },
		{ { "a b", 3 }, -EACCES },
		{ { "a\0b", 3 }, -EACCES },
		{ { "a\n", 2 }, -EACCES },
		{ { "a\r\nDEL x", 8 }, -EACCES },
		{ { "a*", 2 }, -EACCES },
		{ { "{a}", 3 }, -EACCES },
		{ { "a%2e", 4 }, -EACCES },
		{ { "\xc3\xa9", 2 }, -EACCES },
	};
	struct slice secret = SLICE(CAT), sid;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char value[SESSION_COOKIE_MAX];
		assert_int_equal(
			session_cookie_verify(SESSION_SIGNATURE_NONE, NULL, 0, cases[i].sid, &sid),
			cases[i].result);
		ssize_t len = session_cookie_sign(
			SESSION_SIGNATURE_CONNECT, secret, cases[i].sid, value, sizeof(value));
		assert_true(len > 0);
		/* A colon needs a signature. */
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_CONNECT, &secret, 1,
					 slice_make(value, (size_t)len), &sid),
			cases[i].if_signed ? 0 : cases[i].result);
	}
}

static void limits_the_length_of_ids(void **state)
{
	(void)state;
	char text[600], value[700];
	struct slice secret = SLICE(CAT), sid;
	memset(text, 'a', sizeof(text));
	for (size_t len = 250; len <= sizeof(text); len++) {
		int expected = len <= SESSION_ID_MAX ? 0 : -EACCES;
		ssize_t n = session_cookie_sign(SESSION_SIGNATURE_DOT_HMAC_SHA256, secret,
			slice_make(text, len), value, sizeof(value));
		assert_int_equal(n, len + 44);
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_DOT_HMAC_SHA256, &secret,
					 1, slice_make(value, (size_t)n), &sid),
			expected);
		assert_int_equal(session_cookie_verify(SESSION_SIGNATURE_NONE, NULL, 0,
					 slice_make(text, len), &sid),
			expected);
	}
}

static void signs_what_it_verifies(void **state)
{
	(void)state;
	static const struct {
		enum session_signature form;
		const char *value;
	} cases[] = {
		{ SESSION_SIGNATURE_CONNECT, "s:vec-7." VEC_RAW },
		{ SESSION_SIGNATURE_DOT_HMAC_SHA256, "vec-7." VEC_RAW },
		{ SESSION_SIGNATURE_NONE, "vec-7" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t expected = strlen(cases[i].value);
		for (size_t size = 0; size <= expected; size++) {
			char *value = malloc(size + 1);
			assert_non_null(value);
			ssize_t len = session_cookie_sign(
				cases[i].form, SLICE(CAT), SLICE("vec-7"), value, size);
			assert_int_equal(len, size < expected ? -EMSGSIZE : (ssize_t)expected);
			if (len > 0)
				assert_memory_equal(value, cases[i].value, expected);
			free(value);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verifies_known_cookies),
		cmocka_unit_test(reads_headers_as_express_session_does),
		cmocka_unit_test(refuses_a_signature_with_another_character),
		cmocka_unit_test(verifies_with_any_secret),
		cmocka_unit_test(empty_secret_verifies_nothing),
		cmocka_unit_test(verifies_dot_hmac_sha256),
		cmocka_unit_test(accepts_plain_ids_only),
		cmocka_unit_test(limits_the_length_of_ids),
		cmocka_unit_test(signs_what_it_verifies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
