#include "unit.h"

#include "sluice/base/defs.h"
#include "sluice/redis/cluster/slot.h"

/* The first row is the specification's test vector for the CRC, 0x31c3, modulo 16384; the others are
 * CLUSTER KEYSLOT's answers, by Redis 7.0. */
static const struct {
	struct slice name;
	unsigned slot;
} rows[] = {
	{ { "123456789", 9 }, 0x31c3 },
	{ { "", 0 }, 0 },
	{ { "foo", 3 }, 12182 },
	{ { "bar", 3 }, 5061 },
	{ { "hello", 5 }, 866 },
	{ { "\0\xff\r\n", 4 }, 6261 },
	{ { "user1000", 8 }, 3443 },
	{ { "{user1000}.following", 20 }, 3443 },
	{ { "{user1000}.followers", 20 }, 3443 },
	{ { "foo{}{bar}", 10 }, 8363 },    /* an empty tag is none */
	{ { "foo{{bar}}zap", 13 }, 4015 }, /* "{bar" */
	{ { "{bar", 4 }, 4015 },
	{ { "foo{bar}{zap}", 13 }, 5061 }, /* the first tag */
	{ { "}foo{bar}", 9 }, 5061 },
	{ { "foo{", 4 }, 7673 },
	{ { "foo}bar{", 8 }, 11073 },
};

static void has_the_slots_of_the_specification(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(cluster_slot(rows[i].name), rows[i].slot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(has_the_slots_of_the_specification),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
