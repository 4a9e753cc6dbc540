#include "sluice/process/descriptors.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

static struct rlimit limit;

static int remember(void **state)
{
	(void)state;
	return getrlimit(RLIMIT_NOFILE, &limit);
}

static int restore(void **state)
{
	(void)state;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static void allow(rlim_t n)
{
	struct rlimit lower = limit;
	lower.rlim_cur = n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &lower), 0);
}

static void raises_the_soft_limit(void **state)
{
	(void)state;
	struct rlimit now;
	allow(64);
	descriptors_raise_limit();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
	assert_int_equal(now.rlim_cur, limit.rlim_max);
}

static void browsers_get_the_rest_of_the_descriptors(void **state)
{
	(void)state;
	allow(256);
	unsigned one = descriptors_for_browsers(1);
	assert_in_range(one, 256 - 32 - 8 - 20, 256 - 32 - 8 - 3);
	assert_int_equal(descriptors_for_browsers(4), one - 3 * 8);
	int fd = open("/dev/null", O_RDONLY);
	assert_int_equal(descriptors_for_browsers(1), one - 1);
	close(fd);
	allow(200);
	assert_int_equal(descriptors_for_browsers(1), one - 56);
}

static void browsers_get_some_under_the_lowest_limits(void **state)
{
	(void)state;
	allow(60);
	assert_in_range(descriptors_for_browsers(64), 20, 30);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(raises_the_soft_limit, remember, restore),
		cmocka_unit_test_setup_teardown(
			browsers_get_the_rest_of_the_descriptors, remember, restore),
		cmocka_unit_test_setup_teardown(
			browsers_get_some_under_the_lowest_limits, remember, restore),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
