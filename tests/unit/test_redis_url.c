#include "unit.h"

#include <stdlib.h>

#include "sluice/base/defs.h"
#include "sluice/redis/redis_url.h"

static const struct {
	const char *text, *host;
	unsigned port;
	const char *path, *user, *password, *ca;
	unsigned database;
	bool tls, has_password;
	const char *masked;
} good[] = {
	{ "redis://h", "h", 6379, "", "", "", "", 0, false, false, "redis://h:6379/0" },
	{ "redis://127.0.0.1:7000/3", "127.0.0.1", 7000, "", "", "", "", 3, false, false,
		"redis://127.0.0.1:7000/3" },
	{ "redis://h/", "h", 6379, "", "", "", "", 0, false, false, "redis://h:6379/0" },
	{ "REDIS://h?db=7", "h", 6379, "", "", "", "", 7, false, false, "redis://h:6379/7" },
	{ "redis://:secret@h", "h", 6379, "", "", "secret", "", 0, false, true,
		"redis://:***@h:6379/0" },
	{ "redis://:@h", "h", 6379, "", "", "", "", 0, false, true, "redis://:***@h:6379/0" },
	{ "redis://u:p@h:1", "h", 1, "", "u", "p", "", 0, false, true, "redis://u:***@h:1/0" },
	{ "redis://u:a@b:c@h:1", "h", 1, "", "u", "a@b:c", "", 0, false, true,
		"redis://u:***@h:1/0" },
	{ "redis://a%3ab:%70%2F%3f%40%25%23@h", "h", 6379, "", "a:b", "p/?@%#", "", 0, false, true,
		"redis://a%3Ab:***@h:6379/0" },
	{ "redis://%2fu:p@h", "h", 6379, "", "/u", "p", "", 0, false, true,
		"redis://%2Fu:***@h:6379/0" },
	{ "redis://[::1]", "::1", 6379, "", "", "", "", 0, false, false, "redis://[::1]:6379/0" },
	{ "redis://u:p@[fe80::1%eth0]:99/2", "fe80::1%eth0", 99, "", "u", "p", "", 2, false, true,
		"redis://u:***@[fe80::1%eth0]:99/2" },
	{ "rediss://h:6380", "h", 6380, "", "", "", "", 0, true, false, "rediss://h:6380/0" },
	{ "rediss://h/1?ca=/etc/a%20b.pem", "h", 6379, "", "", "", "/etc/a b.pem", 1, true, false,
		"rediss://h:6379/1?ca=/etc/a%20b.pem" },
	{ "rediss://h?ca=x&db=2", "h", 6379, "", "", "", "x", 2, true, false,
		"rediss://h:6379/2?ca=x" },
	{ "unix:///run/r.sock", "", 0, "/run/r.sock", "", "", "", 0, false, false,
		"unix:///run/r.sock?db=0" },
	{ "unix://u:p@/run/r%20s?db=4", "", 0, "/run/r s", "u", "p", "", 4, false, true,
		"unix://u:***@/run/r%20s?db=4" },
	{ "unix:///a@b", "", 0, "/a@b", "", "", "", 0, false, false, "unix:///a%40b?db=0" },
};

/* From memory of exactly this size, so that the sanitizer sees a read beyond it. */
static const char *parse(struct redis_url *url, struct slice text)
{
	char *copy = malloc(text.len);
	if (text.len)
		memcpy(copy, text.at, text.len);
	const char *problem = redis_url_parse(url, slice_make(copy, text.len));
	free(copy);
	return problem;
}

static void parses_and_masks_urls(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct redis_url url, again;
		char masked[256];
		const char *problem = parse(&url, slice_of(good[i].text));
		if (problem)
			fail_msg("%s: %s", good[i].text, problem);
		assert_int_equal(url.kind, REDIS_STANDALONE);
		assert_int_equal(url.n_hosts, *good[i].path ? 0 : 1);
		assert_string_equal(url.n_hosts ? url.hosts[0].name : "", good[i].host);
		assert_int_equal(url.hosts[0].port, good[i].port);
		assert_string_equal(url.master, "");
		assert_string_equal(url.path, good[i].path);
		assert_string_equal(url.user, good[i].user);
		assert_string_equal(url.password, good[i].password);
		assert_string_equal(url.ca, good[i].ca);
		assert_int_equal(url.database, good[i].database);
		assert_int_equal(url.tls, good[i].tls);
		assert_int_equal(url.has_password, good[i].has_password);
		assert_string_equal(redis_url_mask(&url, masked, sizeof(masked)), good[i].masked);
		assert_null(parse(&again, slice_of(masked)));
	}
}

static const struct {
	const char *text, *hosts, *master;
	enum redis_kind kind;
	bool tls;
	const char *masked;
} several[] = {
	{ "redis+sentinel://s1/mymaster", "s1:26379", "mymaster", REDIS_SENTINEL, false,
		"redis+sentinel://s1:26379/mymaster/0" },
	{ "redis+sentinel://u:p@s1:26380,s2,[::1]:9/my%2fm/3", "s1:26380 s2:26379 ::1:9", "my/m",
		REDIS_SENTINEL, false,
		"redis+sentinel://u:***@s1:26380,s2:26379,[::1]:9/my%2Fm/3" },
	{ "rediss+sentinel://s1,s2/m?db=4&ca=/c", "s1:26379 s2:26379", "m", REDIS_SENTINEL, true,
		"rediss+sentinel://s1:26379,s2:26379/m/4?ca=/c" },
	{ "redis+cluster://:p@n1,n2:7001", "n1:6379 n2:7001", "", REDIS_CLUSTER, false,
		"redis+cluster://:***@n1:6379,n2:7001" },
	{ "REDISS+CLUSTER://[fd00::1],[fd00::2]:7/0", "fd00::1:6379 fd00::2:7", "", REDIS_CLUSTER,
		true, "rediss+cluster://[fd00::1]:6379,[fd00::2]:7" },
	{ "redis+cluster://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p:1",
		"a:6379 b:6379 c:6379 d:6379 e:6379 f:6379 g:6379 h:6379 i:6379 j:6379 k:6379 "
		"l:6379 m:6379 n:6379 o:6379 p:1",
		"", REDIS_CLUSTER, false,
		"redis+cluster://a:6379,b:6379,c:6379,d:6379,e:6379,f:6379,g:6379,h:6379,i:6379,"
		"j:6379,k:6379,l:6379,m:6379,n:6379,o:6379,p:1" },
};

/* "host:port host:port …" */
static void join_hosts(const struct redis_url *url, char text[512])
{
	size_t len = 0;
	*text = '\0';
	for (size_t i = 0; i < url->n_hosts; i++)
		len += (size_t)snprintf(text + len, 512 - len, "%s%s:%u", i ? " " : "",
			url->hosts[i].name, url->hosts[i].port);
}

static void parses_and_masks_urls_of_several_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(several); i++) {
		struct redis_url url, again;
		char masked[REDIS_URL_MASKED_MAX], hosts[512];
		const char *problem = parse(&url, slice_of(several[i].text));
		if (problem)
			fail_msg("%s: %s", several[i].text, problem);
		join_hosts(&url, hosts);
		assert_int_equal(url.kind, several[i].kind);
		assert_int_equal(url.tls, several[i].tls);
		assert_string_equal(url.master, several[i].master);
		assert_string_equal(hosts, several[i].hosts);
		assert_string_equal(
			redis_url_mask(&url, masked, sizeof(masked)), several[i].masked);
		assert_null(parse(&again, slice_of(masked)));
	}
}

/* What an operator is told. */
static void says_what_is_wrong(void **state)
{
	(void)state;
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{ "redis://a,b", "redis+sentinel://" },
		{ "rediss://a:1,b:2/0", "redis+cluster://" },
		{ "redis+sentinel://s", "redis+sentinel://host/mymaster" },
		{ "redis+sentinel://s/", "redis+sentinel://host/mymaster" },
		{ "redis+sentinel://s?db=1", "name of the master is missing" },
		{ "redis+sentinel://s/a%20b", "name of the master contains" },
		{ "redis+sentinel://s/a%0a", "name of the master contains" },
		{ "redis+sentinel://s/%", "%25" },
		{ "redis+sentinel://s/m/x", "database is not a number" },
		{ "redis+sentinel://s/m/1?db=1", "database is given twice" },
		{ "redis+sentinel://s,/m", "a host is missing" },
		{ "redis+sentinel://,s/m", "a host is missing" },
		{ "redis+sentinel://u@s/m", "a user needs a password" },
		{ "redis+sentinel://s/m?ca=/c", "with rediss" },
		{ "redis+cluster://a/1", "only database 0" },
		{ "redis+cluster://a?db=1", "only database 0" },
		{ "redis+cluster://a,fd00::1", "IPv6 address is not in []" },
		{ "redis+cluster://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q", "more than 16" },
		{ "redis+sentinels://s/m", "redis+sentinel://" },
		{ "redis+unix:///s", "must begin with" },
		{ "sentinel://s/m", "must begin with" },
		{ "s://h", "must begin with" },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct redis_url url;
		const char *problem = parse(&url, slice_of(cases[i].text));
		if (!problem || !strstr(problem, cases[i].problem))
			fail_msg("%s: %s", cases[i].text, problem ? problem : "accepted");
	}
}

static void rejects_malformed_urls(void **state)
{
	(void)state;
	static const struct slice bad[] = {
		SLICE(""),
		SLICE("h:6379"),
		SLICE("http://h"),
		SLICE("redis:/h"),
		SLICE("redis://"),
		SLICE("redis:///0"),
		SLICE("redis://:6379"),
		SLICE("redis://h:"),
		SLICE("redis://h:0"),
		SLICE("redis://h:65536"),
		SLICE("redis://h:99999999999999999999"),
		SLICE("redis://h:1x"),
		SLICE("redis://h:-1"),
		SLICE("redis://h:1:2"),
		SLICE("redis://h,i"),
		SLICE("redis://h%41"),
		SLICE("redis://[::1"),
		SLICE("redis://[::1]x"),
		SLICE("redis://[]"),
		SLICE("redis://[localhost]"),
		SLICE("redis://[a%b]"),
		SLICE("redis://user@h"),
		SLICE("redis://u:%@h"),
		SLICE("redis://u:%4@h"),
		SLICE("redis://u:%4g@h"),
		SLICE("redis://u:%00@h"),
		SLICE("redis://%zz:p@h"),
		SLICE("redis://h/x"),
		SLICE("redis://h/-1"),
		SLICE("redis://h/0/"),
		SLICE("redis://h/9999999999"),
		SLICE("redis://h/1?db=1"),
		SLICE("redis://h?db=1&db=1"),
		SLICE("redis://h?db="),
		SLICE("redis://h?db"),
		SLICE("redis://h?"),
		SLICE("redis://h?timeout=3"),
		SLICE("redis://h?ca=/x"),
		SLICE("rediss://h?ca="),
		SLICE("rediss://h?ca=%"),
		SLICE("rediss://h?ca=a&ca=b"),
		SLICE("redis://h#x"),
		SLICE("redis://h /0"),
		SLICE("redis://h\n"),
		SLICE("redis://h\0"),
		SLICE("unix://"),
		SLICE("unix:///"),
		SLICE("unix://host/path"),
		SLICE("unix://u:p@host/path"),
		SLICE("unix://u@/path"),
		SLICE("unix:///pa%th"),
		SLICE("unix:///path?ca=/x"),
		SLICE("unix:///"
		      "0123456789012345678901234567890123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456"),
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct redis_url url;
		const char *problem = parse(&url, bad[i]);
		if (!problem)
			fail_msg("%.*s is accepted", SLICE_ARGS(bad[i]));
		assert_null(strstr(problem, "p@"));
	}
}

/* Every prefix of a valid URL is parsed, too, for the sanitizers. */
static void stores_the_longest_url(void **state)
{
	(void)state;
	struct redis_url url;
	char text[REDIS_URL_MAX + 2];
	memset(text, 'p', sizeof(text));
	memcpy(text, "rediss://u:", 11);
	memcpy(text + REDIS_URL_MAX - 7, "@h?ca=c", 7);
	assert_null(parse(&url, slice_make(text, REDIS_URL_MAX)));
	assert_int_equal(strlen(url.password), REDIS_URL_MAX - 18);
	assert_string_equal(url.ca, "c");
	assert_non_null(parse(&url, slice_make(text, REDIS_URL_MAX + 1)));
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		for (size_t len = 0; len < strlen(good[i].text); len++)
			parse(&url, slice_make(good[i].text, len));
	}
}

static void cuts_the_masked_url_to_its_size(void **state)
{
	(void)state;
	struct redis_url url;
	assert_null(parse(&url, SLICE("rediss://u:p@[::1]:7/1?ca=/a%20b")));
	for (size_t size = 1; size < 64; size++) {
		char *text = malloc(size);
		assert_ptr_equal(redis_url_mask(&url, text, size), text);
		assert_int_equal(strncmp("rediss://u:***@[::1]:7/1?ca=/a%20b", text, size - 1), 0);
		assert_true(strlen(text) < size);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_and_masks_urls),
		cmocka_unit_test(parses_and_masks_urls_of_several_hosts),
		cmocka_unit_test(says_what_is_wrong),
		cmocka_unit_test(rejects_malformed_urls),
		cmocka_unit_test(stores_the_longest_url),
		cmocka_unit_test(cuts_the_masked_url_to_its_size),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
