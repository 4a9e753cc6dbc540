#include "sluice/process/readiness.h"
#include "unit.h"

static struct readiness readiness;

static bool note(bool trouble, uint64_t now_ms)
{
	return readiness_note(&readiness, trouble, now_ms);
}

static int set_up(void **state)
{
	(void)state;
	readiness = (struct readiness){ 0 };
	return 0;
}

static void is_ready_from_the_first_time_without_trouble_on(void **state)
{
	(void)state;
	assert_false(note(true, 0));
	assert_false(note(true, 90000));
	assert_true(note(false, 90001));
}

static void is_patient_with_trouble(void **state)
{
	(void)state;
	assert_true(note(false, 100));
	assert_true(note(true, 200));
	assert_true(note(true, 2199));
	assert_true(note(false, 2200));
	assert_true(note(true, 2300));
	assert_true(note(true, 4299));
	assert_false(note(true, 4300));
}

static void is_not_ready_again_at_once(void **state)
{
	(void)state;
	note(false, 0);
	note(true, 0);
	assert_false(note(true, READINESS_TROUBLE_MS));
	assert_false(note(false, 3000));
	assert_false(note(false, 3999));
	assert_false(note(true, 4000));
	assert_false(note(false, 4500));
	assert_false(note(false, 5499));
	assert_true(note(false, 5500));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_ready_from_the_first_time_without_trouble_on, set_up),
		cmocka_unit_test_setup(is_patient_with_trouble, set_up),
		cmocka_unit_test_setup(is_not_ready_again_at_once, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
