#include "unit.h"

#include "exact.h"
#include "sluice/base/defs.h"
#include "sluice/proto/http/origin.h"

/* One setting against one request, in blocks of their exact sizes. */
static bool allowed(const char *setting, const char *origin, const char *host)
{
	struct slice allow = slice_of(setting);
	char *origin_copy = origin ? exact_copy(slice_of(origin)) : NULL;
	char *host_copy = host ? exact_copy(slice_of(host)) : NULL;
	const struct origin_target target = { slice_make(host_copy, host ? strlen(host) : 0),
		false };
	bool result = origin_is_allowed(
		&allow, 1, slice_make(origin_copy, origin ? strlen(origin) : 0), &target);
	free(origin_copy);
	free(host_copy);
	return result;
}

#define APP "https://app.example.com"

static void compares_with_a_listed_origin(void **state)
{
	(void)state;
	static const struct {
		const char *setting, *origin;
		bool allowed;
	} cases[] = {
		{ APP, "https://app.example.com", true },
		{ APP, "https://app.example.com:443", true },
		{ APP, "https://app.example.com:0443", true },
		{ APP, "https://APP.Example.COM", true },
		{ APP, "HTTPS://app.example.com", true },
		{ "HTTPS://App.Example.com:443", "https://app.example.com", true },
		/* another scheme */
		{ APP, "http://app.example.com", false },
		{ APP, "http://app.example.com:443", false },
		{ APP, "wss://app.example.com", false },
		{ APP, "httpss://app.example.com", false },
		{ APP, "ttps://app.example.com", false },
		{ APP, "app.example.com", false },
		{ APP, "//app.example.com", false },
		{ APP, "://app.example.com", false },
		{ APP, "https:app.example.com", false },
		{ APP, "https:/app.example.com", false },
		{ APP, "https:///app.example.com", false },
		{ APP, "https:\\\\app.example.com", false },
		/* another host that begins or ends alike */
		{ APP, "https://app.example.com.evil.org", false },
		{ APP, "https://app.example.comevil.org", false },
		{ APP, "https://app.example.co", false },
		{ APP, "https://evil-app.example.com", false },
		{ APP, "https://evil.app.example.com", false },
		{ APP, "https://pp.example.com", false },
		{ APP, "https://example.com", false },
		{ APP, "https://.app.example.com", false },
		{ APP, "https://app-example.com", false },
		{ APP, "https://appXexample.com", false },
		{ APP, "https://app.example.com.", false },
		{ APP, "https://xn--app-example-com.org", false },
		{ APP, "https://app.ex\xc3\xa4mple.com", false },
		{ APP, "https://\xd0\xb0pp.example.com", false },
		{ APP, "https://app%2Eexample.com", false },
		{ APP, "https://app.example.com%00.evil.org", false },
		{ APP, "https://*.example.com", false },
		{ APP, "https://*", false },
		{ APP, "*", false },
		{ APP, "same-host", false },
		{ APP, "none", false },
		/* another port, or an invalid one */
		{ APP, "https://app.example.com:8443", false },
		{ APP, "https://app.example.com:80", false },
		{ APP, "https://app.example.com:44", false },
		{ APP, "https://app.example.com:4430", false },
		{ APP, "https://app.example.com:", false },
		{ APP, "https://app.example.com:0", false },
		{ APP, "https://app.example.com:65979", false },
		{ APP, "https://app.example.com:4294967739", false },
		{ APP, "https://app.example.com:000443", false },
		{ APP, "https://app.example.com:+443", false },
		{ APP, "https://app.example.com: 443", false },
		{ APP, "https://app.example.com:443:443", false },
		{ APP, "https://app.example.com:443x", false },
		{ APP, "https://app.example.com:https", false },
		/* userinfo */
		{ APP, "https://user@app.example.com", false },
		{ APP, "https://user:password@app.example.com", false },
		{ APP, "https://@app.example.com", false },
		{ APP, "https://app.example.com@evil.org", false },
		{ APP, "https://app.example.com:443@evil.org", false },
		/* more than an origin */
		{ APP, "https://app.example.com/", false },
		{ APP, "https://app.example.com/path", false },
		{ APP, "https://app.example.com?query", false },
		{ APP, "https://app.example.com#fragment", false },
		{ APP, "https://evil.org/https://app.example.com", false },
		{ APP, "https://evil.org?https://app.example.com", false },
		{ APP, "https://evil.org\\app.example.com", false },
		/* two origins, or blanks */
		{ APP, "https://app.example.com https://evil.org", false },
		{ APP, "https://evil.org https://app.example.com", false },
		{ APP, "https://app.example.com, https://evil.org", false },
		{ APP, "https://app.example.com,https://app.example.com", false },
		{ APP, "https://app.example.com;", false },
		{ APP, " https://app.example.com", false },
		{ APP, "https://app.example.com ", false },
		{ APP, "https:// app.example.com", false },
		{ APP, "https://app.example.com\t", false },
		{ APP, "https://app.example.com\n", false },
		{ APP, "\"https://app.example.com\"", false },
		/* no origin at all */
		{ APP, "null", false },
		{ APP, "NULL", false },
		{ APP, "", false },
		{ APP, NULL, false },
		{ APP, "https://", false },
		{ APP, "https://:443", false },
		{ APP, "undefined", false },
		{ APP, "about:blank", false },
		{ APP, "data:text/html,x", false },
		{ APP, "file://", false },
		/* other forms */
		{ "http://localhost:3000", "http://localhost:3000", true },
		{ "http://localhost:3000", "http://localhost", false },
		{ "http://localhost:3000", "http://127.0.0.1:3000", false },
		{ "http://localhost", "http://localhost:80", true },
		{ "http://localhost:65535", "http://localhost:65535", true },
		{ "http://localhost:65535", "http://localhost:65536", false },
		{ "https://xn--bcher-kva.example", "https://XN--bcher-kva.example", true },
		{ "https://my_app.example.com", "https://my_app.example.com", true },
		{ "https://[::1]:8443", "https://[::1]:8443", true },
		{ "https://[2001:DB8::a]", "https://[2001:db8::A]:443", true },
		{ "https://[::1]", "https://::1", false },
		{ "https://[::1]", "https://[::1", false },
		{ "https://[::1]", "https://[::1]]", false },
		{ "https://[::1]", "https://[::1]x", false },
		{ "https://[::1]", "https://[::1].evil.org", false },
		{ "https://[::1]", "https://[::1]@evil.org", false },
		{ "https://[::1]", "https://[]", false },
		{ "https://[::1]", "https://[::1%25eth0]", false },
		{ "https://[::1]", "https://[0:0:0:0:0:0:0:1]", false },
		{ "chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnop",
			true },
		{ "chrome-extension://abcdefghijklmnop", "chrome-extension://abcdefghijklmnoq",
			false },
		{ "chrome-extension://abcdefghijklmnop", "moz-extension://abcdefghijklmnop",
			false },
		{ "chrome-extension://abc", "chrome-extension://abc:0", false },
		{ "null", "null", false },
		{ "file://", "file://", false },
		{ "https://*.example.com", "https://*.example.com", false },
		{ "", "", false },
		{ "", NULL, false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (allowed(cases[i].setting, cases[i].origin, "app.example.com") !=
			cases[i].allowed)
			fail_msg("%s for %s", cases[i].setting, cases[i].origin);
	}
	struct slice allow = SLICE(APP);
	const struct origin_target target = { SLICE("h"), false };
	assert_false(origin_is_allowed(&allow, 1, SLICE(APP "\0"), &target));
	assert_false(
		origin_is_allowed(&allow, 1, SLICE("https://app.example.com\0.evil.org"), &target));
}

static void compares_with_the_host_header(void **state)
{
	(void)state;
	static const struct {
		const char *origin, *host;
		bool allowed;
	} cases[] = {
		{ "https://app.example.com", "app.example.com", true },
		{ "http://app.example.com", "app.example.com", true },
		{ "https://App.Example.com", "aPP.eXAMPLE.COM", true },
		{ "https://app.example.com", "app.example.com:443", true },
		{ "https://app.example.com:443", "app.example.com", true },
		{ "http://app.example.com", "app.example.com:80", true },
		{ "http://app.example.com", "app.example.com:443", false },
		{ "https://app.example.com", "app.example.com:80", false },
		{ "http://127.0.0.1:8080", "127.0.0.1:8080", true },
		{ "http://127.0.0.1:8080", "127.0.0.1", false },
		{ "http://127.0.0.1", "127.0.0.1:8080", false },
		{ "http://127.0.0.1:8080", "127.0.0.1:8081", false },
		{ "http://localhost:8080", "127.0.0.1:8080", false },
		{ "http://[::1]:8080", "[::1]:8080", true },
		{ "http://[::1]", "[::1]:80", true },
		{ "http://[::1]", "::1", false },
		{ "https://app.example.com.", "app.example.com.", true },
		{ "https://app.example.com.", "app.example.com", false },
		{ "https://app.example.com.evil.org", "app.example.com", false },
		{ "https://example.com", "app.example.com", false },
		{ "https://app.example.com", "example.com", false },
		{ "https://app.example.com@evil.org", "app.example.com", false },
		{ "https://user@app.example.com", "app.example.com", false },
		{ "https://user@app.example.com", "user@app.example.com", false },
		{ "https://app.example.com/", "app.example.com", false },
		{ "https://app.example.com/", "app.example.com/", false },
		{ "https://app.example.com", "app.example.com, evil.org", false },
		{ "https://app.example.com", " app.example.com", false },
		{ "https://app.example.com", "app.example.com:", false },
		{ "https://app.example.com", "app.example.com:x", false },
		{ "https://app.example.com", "https://app.example.com", false },
		{ "https://app.example.com", "", false },
		{ "https://app.example.com", NULL, false },
		{ "https://", "", false },
		{ "null", "null", false },
		{ "null", "", false },
		{ "", "", false },
		{ NULL, "app.example.com", false },
		{ NULL, NULL, false },
		{ "ftp://app.example.com", "app.example.com", false },
		{ "capacitor://localhost", "localhost", false },
		{ "chrome-extension://localhost", "localhost", false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (allowed("same-host", cases[i].origin, cases[i].host) != cases[i].allowed)
			fail_msg("%s for host %s", cases[i].origin, cases[i].host);
	}
}

static void accepts_none_and_all(void **state)
{
	(void)state;
	assert_true(allowed("none", NULL, "h"));
	assert_true(allowed("none", NULL, NULL));
	assert_false(allowed("none", "", "h"));
	assert_false(allowed("none", "null", "h"));
	assert_false(allowed("none", "none", "h"));
	assert_false(allowed("none", "http://h", "h"));
	assert_true(allowed("*", NULL, "h"));
	assert_true(allowed("*", "", "h"));
	assert_true(allowed("*", "null", "h"));
	assert_true(allowed("*", "https://evil.org/ x", NULL));
}

static void accepts_any_of_several(void **state)
{
	(void)state;
	const struct origin_target target = { SLICE("h.example"), false };
	struct slice list[] = { SLICE("same-host"), SLICE("none"), SLICE(APP) };
	assert_true(origin_is_allowed(list, 3, SLICE("http://h.example"), &target));
	assert_true(origin_is_allowed(list, 3, (struct slice){ NULL, 0 }, &target));
	assert_true(origin_is_allowed(list, 3, SLICE(APP), &target));
	assert_false(origin_is_allowed(list, 2, SLICE(APP), &target));
	assert_false(origin_is_allowed(list, 3, SLICE("https://evil.org"), &target));
	assert_false(origin_is_allowed(list, 3, SLICE("null"), &target));
	assert_false(origin_is_allowed(NULL, 0, SLICE(APP), &target));
	assert_false(origin_is_allowed(NULL, 0, (struct slice){ NULL, 0 }, &target));
}

/* Only "same-host" depends on it: an origin that is listed is allowed as it stands. */
static void same_host_needs_https_where_tls_ends_here(void **state)
{
	(void)state;
	static const struct {
		const char *allow, *origin, *host;
		bool plain, tls;
	} cases[] = {
		{ "same-host", "https://h.example", "h.example", true, true },
		{ "same-host", "HTTPS://h.example:443", "h.example", true, true },
		{ "same-host", "https://h.example:8443", "h.example:8443", true, true },
		{ "same-host", "http://h.example", "h.example", true, false },
		{ "same-host", "HTTP://h.example", "h.example", true, false },
		{ "same-host", "http://h.example:8443", "h.example:8443", true, false },
		{ "same-host", "http://h.example:443", "h.example", false, false },
		{ "same-host", "https://h.example:80", "h.example", false, false },
		{ "http://h.example", "http://h.example", "h.example", true, true },
		{ "*", "http://h.example", "h.example", true, true },
		{ "none", "http://h.example", "h.example", false, false },
	};
	for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
		const struct origin_target target = { slice_of(cases[i / 2].host), i % 2 };
		struct slice allow = slice_of(cases[i / 2].allow);
		bool allowed = origin_is_allowed(&allow, 1, slice_of(cases[i / 2].origin), &target);
		if (allowed != (i % 2 ? cases[i / 2].tls : cases[i / 2].plain))
			fail_msg("%s, %zu", cases[i / 2].origin, i % 2);
	}
}

static void recognizes_valid_settings(void **state)
{
	(void)state;
	static const struct {
		const char *setting;
		bool valid;
	} cases[] = {
		{ "same-host", true },
		{ "none", true },
		{ "*", true },
		{ APP, true },
		{ "http://localhost:3000", true },
		{ "https://[::1]:8443", true },
		{ "chrome-extension://abc", true },
		{ "", false },
		{ "null", false },
		{ "Same-Host", false },
		{ "NONE", false },
		{ "**", false },
		{ "app.example.com", false },
		{ "https://*.example.com", false },
		{ "https://app.example.com/", false },
		{ "https://app.example.com/path", false },
		{ "https://user@app.example.com", false },
		{ "https://app.example.com:", false },
		{ "https://app.example.com:65536", false },
		{ "https://app.example.com https://b", false },
		{ " https://app.example.com", false },
		{ "https://", false },
		{ "http://[::1", false },
		{ "file://", false },
		{ "https://b\xc3\xbc"
		  "cher.example",
			false },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		if (origin_setting_is_valid(slice_of(cases[i].setting)) != cases[i].valid)
			fail_msg("%s", cases[i].setting);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compares_with_a_listed_origin),
		cmocka_unit_test(compares_with_the_host_header),
		cmocka_unit_test(accepts_none_and_all),
		cmocka_unit_test(accepts_any_of_several),
		cmocka_unit_test(same_host_needs_https_where_tls_ends_here),
		cmocka_unit_test(recognizes_valid_settings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
