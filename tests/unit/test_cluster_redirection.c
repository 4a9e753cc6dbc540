#include "unit.h"

#include <stdlib.h>

#include "sluice/base/defs.h"
#include "sluice/redis/cluster/redirection.h"

static const struct {
	const char *text;
	enum cluster_redirection_kind kind;
	unsigned slot;
	const char *host; /* NULL: not known */
	uint16_t port;
} rows[] = {
	{ "MOVED 3999 127.0.0.1:6381", CLUSTER_MOVED, 3999, "127.0.0.1", 6381 },
	{ "MOVED 0 node-1.example.com:1", CLUSTER_MOVED, 0, "node-1.example.com", 1 },
	{ "MOVED 16383 ::1:65535", CLUSTER_MOVED, 16383, "::1", 65535 },
	{ "MOVED 1 [fe80::1%eth0]:7000", CLUSTER_MOVED, 1, "fe80::1%eth0", 7000 },
	{ "MOVED 1 :7000", CLUSTER_MOVED, 1, "", 7000 },
	{ "MOVED 1 ?:7000", CLUSTER_MOVED, 1, NULL, 7000 },
	{ "ASK 3999 127.0.0.1:6381", CLUSTER_ASK, 3999, "127.0.0.1", 6381 },
	{ "TRYAGAIN Multiple keys request during rehashing of slot", CLUSTER_TRY_AGAIN, 0, NULL,
		0 },
	{ "CLUSTERDOWN Hash slot not served", CLUSTER_DOWN, 0, NULL, 0 },
	{ "CLUSTERDOWN", CLUSTER_DOWN, 0, NULL, 0 },
	{ "CLUSTERDOWNS", CLUSTER_STAYS, 0, NULL, 0 },
	{ "ERR unknown command", CLUSTER_STAYS, 0, NULL, 0 },
	{ "NOPERM", CLUSTER_STAYS, 0, NULL, 0 },
	{ "ASK 3999 [ :1]:6381", CLUSTER_STAYS, 0, NULL, 0 },
	{ "", CLUSTER_STAYS, 0, NULL, 0 },
};

/* Each is malformed. */
static const char *const malformed[] = {
	"MOVED",
	"MOVED ",
	"MOVED 1",
	"MOVED 1 ",
	"MOVED 1 h",
	"MOVED 1 h:",
	"MOVED 1 h:0",
	"MOVED 1 h:65536",
	"MOVED 16384 h:1",
	"MOVED -1 h:1",
	"MOVED x h:1",
	"MOVED  h:1",
	"MOVED 1 h h:1",
	"MOVED 1 h\n:1",
	"ASK 1 h",
	"ASK 1 h:1x",
	"ask 1 h:1",
};

/* From memory of exactly this size, so that the sanitizer sees a read beyond it. */
static struct cluster_redirection read_text(const char *text, int type, char **ret_copy)
{
	size_t len = strlen(text);
	char *copy = malloc(MAX(len, (size_t)1));
	assert_non_null(copy);
	memcpy(copy, text, len);
	*ret_copy = copy;
	struct redisReply reply = { .type = type, .str = copy, .len = len };
	return cluster_redirection_of(&reply);
}

static void reads_every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char *copy;
		struct cluster_redirection got = read_text(rows[i].text, REDIS_REPLY_ERROR, &copy);
		assert_int_equal(got.kind, rows[i].kind);
		assert_int_equal(got.slot, rows[i].slot);
		assert_int_equal(got.port, rows[i].port);
		assert_int_equal(!got.host.at, !rows[i].host);
		assert_true(slice_equal(got.host, slice_of(rows[i].host)));
		free(copy);
	}
}

static void takes_what_is_malformed_for_an_answer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(malformed); i++) {
		char *copy;
		assert_int_equal(
			read_text(malformed[i], REDIS_REPLY_ERROR, &copy).kind, CLUSTER_STAYS);
		free(copy);
	}
}

static void takes_only_an_error_for_a_redirection(void **state)
{
	(void)state;
	char *copy;
	assert_int_equal(read_text("MOVED 1 h:1", REDIS_REPLY_STRING, &copy).kind, CLUSTER_STAYS);
	free(copy);
	assert_int_equal(cluster_redirection_of(NULL).kind, CLUSTER_STAYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_kind),
		cmocka_unit_test(takes_what_is_malformed_for_an_answer),
		cmocka_unit_test(takes_only_an_error_for_a_redirection),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
