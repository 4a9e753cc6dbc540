#include <errno.h>

#include "sluice/conn/quota.h"
#include "unit.h"

static void counts_connections_up_to_the_limit(void **state)
{
	(void)state;
	struct quota quota;
	quota_init(&quota);
	assert_true(quota_take_connection(&quota, 2));
	assert_true(quota_take_connection(&quota, 2));
	assert_false(quota_take_connection(&quota, 2));
	assert_true(quota_take_connection(&quota, 0));
	quota_give_connection(&quota);
	quota_give_connection(&quota);
	assert_true(quota_take_connection(&quota, 2));
	quota_give_connection(&quota);
	quota_give_connection(&quota);
	quota_finish(&quota);
}

static void counts_upgrades_within_a_second(void **state)
{
	(void)state;
	struct quota quota;
	quota_init(&quota);
	assert_true(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 2, 5000));
	assert_true(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 2, 5999));
	assert_false(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 2, 5999));
	assert_true(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 2, 6000));
	assert_true(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 0, 6000));
	assert_true(quota_take_upgrade(
		&quota, QUOTA_LOGGED_IN, 2, 5999)); /* a worker whose clock is behind */
	assert_false(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 2, 6000));
	assert_false(quota_has_upgrade(&quota, QUOTA_LOGGED_IN, 2, 6000));
	assert_true(quota_has_upgrade(&quota, QUOTA_LOGGED_IN, 0, 6000));
	assert_true(quota_has_upgrade(&quota, QUOTA_LOGGED_IN, 2, 7000));
	quota_finish(&quota);
}

static void upgrades_without_a_log_in_take_nothing_from_log_ins(void **state)
{
	(void)state;
	struct quota quota;
	quota_init(&quota);
	assert_true(quota_take_upgrade(&quota, QUOTA_ANONYMOUS, 1, 5000));
	assert_false(quota_take_upgrade(&quota, QUOTA_ANONYMOUS, 1, 5000));
	assert_true(quota_take_upgrade(&quota, QUOTA_LOGGED_IN, 1, 5000));
	quota_finish(&quota);
}

static void counts_look_ups_that_find_nobody_by_address(void **state)
{
	(void)state;
	struct quota quota;
	uint64_t second, late;
	quota_init(&quota);
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 1, 5000, &second), 0);
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 1, 5999, &late), -EBUSY);
	assert_int_equal(quota_take_try(&quota, SLICE("y"), 1, 5999, &late), 0);
	quota_give_try(&quota, SLICE("x"), second);
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 1, 5999, &second), 0);
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 1, 6000, &late), 0);
	quota_give_try(&quota, SLICE("x"), second); /* of a second that has passed */
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 1, 6000, &second), -EBUSY);
	assert_int_equal(quota_take_try(&quota, SLICE("x"), 0, 6000, &second), 0);
	quota_give_try(&quota, SLICE("x"), second);
	quota_finish(&quota);
}

static void shares_are_apart_by_kind_and_name(void **state)
{
	(void)state;
	struct quota quota;
	struct quota_share *address, *user, *other, *none;
	quota_init(&quota);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, &address), 0);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, &none), -EBUSY);
	assert_null(none);
	assert_int_equal(quota_take_share(&quota, 'u', SLICE("x"), 1, &user), 0);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("y"), 1, &other), 0);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 0, &none), 0);
	assert_null(none);
	quota_give_share(&quota, address);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, &address), 0);
	quota_give_share(&quota, address);
	quota_give_share(&quota, user);
	quota_give_share(&quota, other);
	quota_give_share(&quota, NULL);
	quota_finish(&quota);
}

static void who_only_looks_takes_nothing(void **state)
{
	(void)state;
	struct quota quota;
	struct quota_share *share;
	quota_init(&quota);
	for (int i = 0; i < 3; i++) {
		assert_true(quota_has_connection(&quota, 1));
		assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, NULL), 0);
	}
	assert_true(quota_take_connection(&quota, 1));
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, &share), 0);
	assert_false(quota_has_connection(&quota, 1));
	assert_true(quota_has_connection(&quota, 2));
	assert_true(quota_has_connection(&quota, 0));
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 1, NULL), -EBUSY);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 2, NULL), 0);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("x"), 0, NULL), 0);
	assert_int_equal(quota_take_share(&quota, 'a', SLICE("y"), 1, NULL), 0);
	quota_give_connection(&quota);
	quota_give_share(
		&quota, share); /* quota_finish finds what was counted and not given back */
	quota_finish(&quota);
}

static void sockets_may_be_as_many_as_there_is_room_for(void **state)
{
	(void)state;
	struct quota quota;
	quota_init(&quota);
	assert_true(quota_has_socket(&quota));
	quota_set_sockets_max(&quota, 2);
	quota_take_socket(&quota);
	assert_true(quota_has_socket(&quota));
	quota_take_socket(&quota);
	assert_false(quota_has_socket(&quota));
	quota_take_socket(&quota); /* another thread was as quick */
	quota_give_socket(&quota);
	assert_false(quota_has_socket(&quota));
	quota_give_socket(&quota);
	assert_true(quota_has_socket(&quota));
	quota_give_socket(&quota);
	quota_finish(&quota);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_connections_up_to_the_limit),
		cmocka_unit_test(counts_upgrades_within_a_second),
		cmocka_unit_test(upgrades_without_a_log_in_take_nothing_from_log_ins),
		cmocka_unit_test(counts_look_ups_that_find_nobody_by_address),
		cmocka_unit_test(shares_are_apart_by_kind_and_name),
		cmocka_unit_test(who_only_looks_takes_nothing),
		cmocka_unit_test(sockets_may_be_as_many_as_there_is_room_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
