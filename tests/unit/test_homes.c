#include "sluice/hub/homes.h"
#include "unit.h"

static void keeps_a_channel_from_its_first_to_its_last_worker(void **state)
{
	(void)state;
	struct homes homes;
	homes_init(&homes, 3);
	assert_int_equal(homes_want(&homes, SLICE("news"), 0, 11), 1);
	assert_int_equal(homes_want(&homes, SLICE("news"), 2, 22), 0);
	assert_int_equal(homes_workers(&homes, SLICE("news")), 5);
	assert_false(homes_unwant(&homes, SLICE("news"), 0));
	assert_false(homes_unwant(&homes, SLICE("news"), 0));
	assert_int_equal(homes_workers(&homes, SLICE("news")), 4);
	assert_true(homes_unwant(&homes, SLICE("news"), 2));
	assert_int_equal(homes_workers(&homes, SLICE("news")), 0);
	assert_false(homes_unwant(&homes, SLICE("news"), 2));
	homes_finish(&homes);
}

static void keeps_the_newest_ticket_of_each_worker(void **state)
{
	(void)state;
	struct homes homes;
	homes_init(&homes, HOMES_WORKERS_MAX);
	assert_int_equal(homes_want(&homes, SLICE("a"), 0, 1), 1);
	assert_int_equal(homes_want(&homes, SLICE("a"), 63, 2), 0);
	assert_int_equal(homes_want(&homes, SLICE("a"), 0, 3), 0);
	assert_int_equal(homes_ticket(&homes, SLICE("a"), 0), 3);
	assert_int_equal(homes_ticket(&homes, SLICE("a"), 63), 2);
	assert_true(homes_workers(&homes, SLICE("a")) == (UINT64_C(1) << 63 | 1));
	homes_finish(&homes);
}

static void counts_channels_and_frees_the_rest(void **state)
{
	(void)state;
	struct homes homes;
	homes_init(&homes, 2);
	for (int i = 0; i < 100; i++) {
		char name[16];
		int len = snprintf(name, sizeof(name), "user:%d", i);
		assert_int_equal(homes_want(&homes, slice_make(name, (size_t)len), 1, 1), 1);
	}
	assert_int_equal(homes_count(&homes), 100);
	assert_true(homes_unwant(&homes, SLICE("user:7"), 1));
	assert_int_equal(homes_count(&homes), 99);
	homes_finish(&homes);
	assert_int_equal(homes_count(&homes), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_channel_from_its_first_to_its_last_worker),
		cmocka_unit_test(keeps_the_newest_ticket_of_each_worker),
		cmocka_unit_test(counts_channels_and_frees_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
