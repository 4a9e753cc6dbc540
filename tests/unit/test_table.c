#include <errno.h>

#include "sluice/base/table.h"
#include "unit.h"

struct item {
	struct table_entry entry;
	char name[8];
};

static void finds_what_was_added(void **state)
{
	(void)state;
	static struct item items[500];
	struct table table = { 0 };
	for (size_t i = 0; i < COUNT_OF(items); i++) {
		snprintf(items[i].name, sizeof(items[i].name), "k%zu", i);
		assert_int_equal(table_add(&table, &items[i].entry, slice_of(items[i].name)), 0);
	}
	assert_int_equal(table_count(&table), COUNT_OF(items));
	for (size_t i = 0; i < COUNT_OF(items); i++)
		assert_ptr_equal(table_find(&table, slice_of(items[i].name)), &items[i].entry);
	assert_null(table_find(&table, SLICE("k")));
	TABLE_EACH (entry, &table)
		table_remove(&table, entry);
	assert_int_equal(table_count(&table), 0);
}

static void refuses_a_key_twice(void **state)
{
	(void)state;
	struct table table = { 0 };
	struct item one = { .name = "a\0b" }, two = { .name = "a\0b" }, three = { .name = "a\0c" };
	assert_int_equal(table_add(&table, &one.entry, slice_make(one.name, 3)), 0);
	assert_int_equal(table_add(&table, &two.entry, slice_make(two.name, 3)), -EEXIST);
	assert_int_equal(table_add(&table, &three.entry, slice_make(three.name, 3)), 0);
	assert_ptr_equal(table_find(&table, slice_make("a\0b", 3)), &one.entry);
	table_remove(&table, &one.entry);
	table_remove(&table, &three.entry);
	assert_null(table.first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_was_added),
		cmocka_unit_test(refuses_a_key_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
