#include "sluice/base/defs.h"
#include "sluice/base/hash.h"
#include "unit.h"

static void depends_on_every_byte_and_length(void **state)
{
	(void)state;
	char text[40] = { 0 };
	for (size_t len = 0; len < sizeof(text); len++) {
		uint64_t whole = hash_bytes(slice_make(text, len));
		assert_true(whole != hash_bytes(slice_make(text, len + 1)));
		for (size_t i = 0; i < len; i++) {
			text[i] = 1;
			assert_true(whole != hash_bytes(slice_make(text, len)));
			text[i] = 0;
		}
	}
}

static void spreads_channels_over_workers(void **state)
{
	(void)state;
	int counts[4] = { 0 };
	for (int i = 0; i < 4000; i++) {
		char name[32];
		int len = snprintf(name, sizeof(name), "user:%d", i);
		counts[hash_bytes(slice_make(name, (size_t)len)) % 4]++;
	}
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		assert_in_range(counts[i], 850, 1150);
}

static void is_seeded(void **state)
{
	(void)state;
	uint64_t before = hash_bytes(SLICE("news"));
	assert_true(before == hash_bytes(SLICE("news")));
	hash_init();
	assert_true(before != hash_bytes(SLICE("news")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depends_on_every_byte_and_length),
		cmocka_unit_test(spreads_channels_over_workers),
		cmocka_unit_test(is_seeded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
