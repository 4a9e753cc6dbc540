#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/record/session_key.h"

static void recognizes_valid_templates(void **state)
{
	(void)state;
	static const struct {
		const char *template;
		bool valid;
	} cases[] = {
		{ "sess:{sid}", true },
		{ "{sid}", true },
		{ ":1:django.contrib.sessions.cache{sid}", true },
		{ "a{sid}b", true },
		{ "_session_id:2::{sid:sha256hex}", true },
		{ "scs:session:{sid:sha256b64url}", true },
		{ "", false },
		{ "sess:", false },
		{ "sess:{}", false },
		{ "sess:{SID}", false },
		{ "sess:{sid }", false },
		{ "sess:{sid:}", false },
		{ "sess:{sid:md5}", false },
		{ "sess:{user}", false },
		{ "sess:{sid", false },
		{ "sess:sid}", false },
		{ "sess:{{sid}}", false },
		{ "{sid}{sid}", false },
		{ "{sid}{sid:sha256hex}", false },
		{ "{sid:sha256b64url}{sid}", false },
		{ "{tag}:{sid}", false },
		{ "}{sid}", false },
		{ "{sid}{", false },
		{ "{sid}}", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (session_key_template_is_valid(slice_of(cases[i].template)) != cases[i].valid)
			fail_msg("%s", cases[i].template);
	}
	assert_false(session_key_template_is_valid((struct slice){ NULL, 0 }));
}

static void formats_keys(void **state)
{
	(void)state;
	static const struct {
		const char *template, *sid, *key;
	} cases[] = {
		{ "sess:{sid}", "abc", "sess:abc" },
		{ "{sid}", "abc", "abc" },
		{ "a:{sid}:b", "abc", "a:abc:b" },
		{ "_session_id:2::{sid:sha256hex}", "0123456789abcdef0123456789abcdef",
			"_session_id:2::"
			"3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9" },
		{ "a:{sid:sha256b64url}:b", "0123456789abcdef0123456789abcdef",
			"a:PrG9Q5lH63YpmOVmzMLgmceREYsvQFecxPfaK1Bht_k:b" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		size_t expected = strlen(cases[i].key);
		for (size_t size = 0; size <= expected; size++) {
			char *key = malloc(size + 1);
			assert_non_null(key);
			ssize_t len = session_key_format(
				slice_of(cases[i].template), slice_of(cases[i].sid), key, size);
			assert_int_equal(len, size < expected ? -EMSGSIZE : (ssize_t)expected);
			if (len > 0)
				assert_memory_equal(key, cases[i].key, expected);
			free(key);
		}
	}
}

static void templates_agree_if_they_write_the_id_alike(void **state)
{
	(void)state;
	static const char *const forms[] = { "{sid}", "{sid:sha256hex}", "{sid:sha256b64url}" };
	for (size_t i = 0; i < COUNT_OF(forms); i++) {
		for (size_t j = 0; j < COUNT_OF(forms); j++) {
			char a[64], b[64];
			snprintf(a, sizeof(a), "sess:%s", forms[i]);
			snprintf(b, sizeof(b), "%s:more", forms[j]);
			assert_int_equal(
				session_key_templates_agree(slice_of(a), slice_of(b)), i == j);
		}
	}
}

static void finds_the_id_in_a_key(void **state)
{
	(void)state;
	static const struct {
		const char *template, *key, *id; /* NULL: not a key of this template */
	} cases[] = {
		{ "sess:{sid}", "sess:abc", "abc" },
		{ "{sid}", "abc", "abc" },
		{ "a{sid}b", "aXb", "X" },
		{ "a{sid}b", "aabb", "ab" },
		{ "h:{sid:sha256hex}", "h:3eb1", "3eb1" },
		{ "sess:{sid}", "sess:", NULL },
		{ "sess:{sid}", "sess", NULL },
		{ "sess:{sid}", "tess:abc", NULL },
		{ "sess:{sid}", "", NULL },
		{ "a{sid}b", "ab", NULL },
		{ "a{sid}b", "aX", NULL },
		{ "ab{sid}bc", "abc", NULL },
		{ "sessions:{sid}", "sessions:expires:abc", NULL },
		{ "sess:{sid}", "sess:a,b@c", "a,b@c" },
		{ "sess:{sid}", "sess:a b", NULL },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct slice id =
			session_key_id(slice_of(cases[i].template), slice_of(cases[i].key));
		if (!cases[i].id)
			assert_null(id.at);
		else
			assert_true(slice_equal(id, slice_of(cases[i].id)));
	}
	assert_null(session_key_id(SLICE("{sid}"), (struct slice){ NULL, 0 }).at);
}

static void moves_a_key_to_another_template(void **state)
{
	(void)state;
	static const char expected[] = "sessions:0-1-2:x";
	for (size_t size = 0; size <= sizeof(expected) - 1; size++) {
		char *key = malloc(size + 1);
		assert_non_null(key);
		ssize_t len = session_key_move(SLICE("expires:{sid}"), SLICE("expires:0-1-2"),
			SLICE("sessions:{sid}:x"), key, size);
		assert_int_equal(len,
			size < sizeof(expected) - 1 ? -EMSGSIZE : (ssize_t)sizeof(expected) - 1);
		if (len > 0)
			assert_memory_equal(key, expected, sizeof(expected) - 1);
		assert_int_equal(session_key_move(SLICE("expires:{sid}"), SLICE("expire:0-1-2"),
					 SLICE("sessions:{sid}"), key, size),
			-ENOENT);
		free(key);
	}
}

static void accepts_plain_ids_only(void **state)
{
	(void)state;
	char text[SESSION_ID_MAX + 1];
	memset(text, 'a', sizeof(text));
	for (size_t len = 0; len <= sizeof(text); len++)
		assert_int_equal(session_id_is_plain(slice_make(text, len)),
			len > 0 && len <= SESSION_ID_MAX);
	size_t n_plain = 0, n_parts = 0;
	for (unsigned c = 0; c < 256; c++) {
		text[1] = (char)c;
		n_plain += session_id_is_plain(slice_make(text, 3));
		n_parts += session_id_is_plain_or_parts(slice_make(text, 3));
	}
	assert_int_equal(n_plain, 26 + 26 + 10 + 12);
	assert_int_equal(n_parts, n_plain + 1);
	assert_false(session_id_is_plain(SLICE("a:b")));
	assert_true(session_id_is_plain_or_parts(SLICE("a:b")));
}

static void recognizes_bare_templates(void **state)
{
	(void)state;
	assert_true(session_key_template_is_bare(SLICE("{sid}")));
	assert_false(session_key_template_is_bare(SLICE("s{sid}")));
	assert_false(session_key_template_is_bare(SLICE("{sid}s")));
	assert_false(session_key_template_is_bare(SLICE("{sid:sha256hex}")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recognizes_valid_templates),
		cmocka_unit_test(recognizes_bare_templates),
		cmocka_unit_test(formats_keys),
		cmocka_unit_test(templates_agree_if_they_write_the_id_alike),
		cmocka_unit_test(finds_the_id_in_a_key),
		cmocka_unit_test(moves_a_key_to_another_template),
		cmocka_unit_test(accepts_plain_ids_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
