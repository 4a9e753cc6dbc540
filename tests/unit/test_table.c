#include <errno.h>
#include <stdlib.h>

#include "sluice/base/hash.h"
#include "sluice/base/table.h"
#include "unit.h"

/* The linker redirects the table's only allocation to this function (tests/unit/meson.build). */
void *__real_reallocarray(void *block, size_t n, size_t size);
void *__wrap_reallocarray(void *block, size_t n, size_t size);

static bool out_of_memory;

void *__wrap_reallocarray(void *block, size_t n, size_t size)
{
	return out_of_memory ? NULL : __real_reallocarray(block, n, size);
}

enum { NAME_MAX_LEN = 24 };

struct item {
	unsigned number;
	bool is_in, seen;
	struct table_key name;
	char room[NAME_MAX_LEN];
};

static struct item *item_of(struct table_key *key)
{
	return container_of(key, struct item, name);
}

/* Names of very different lengths: some have a zero byte, one is empty. */
static struct slice name_of(unsigned number)
{
	static char text[NAME_MAX_LEN];
	if (number == 0)
		return slice_make(NULL, 0);
	int len = snprintf(text, sizeof(text), "%u", number);
	if (number % 3 == 0)
		text[len++] = '\0';
	for (unsigned i = number % 7; i > 0; i--)
		text[len++] = 'x';
	return slice_make(text, (size_t)len);
}

static void add(struct table *table, struct item *item)
{
	assert_int_equal(table_add(table, &item->name, name_of(item->number)), 0);
	item->is_in = true;
}

static void drop(struct table *table, struct item *item)
{
	table_remove(table, &item->name);
	item->is_in = false;
}

static struct item *items_of(size_t n)
{
	struct item *items = calloc(n, sizeof(*items));
	assert_non_null(items);
	for (unsigned i = 0; i < n; i++)
		items[i].number = i;
	return items;
}

/* A key is found if and only if it is in the table, and a walk visits each key once. */
static void look_at_all(struct table *table, struct item *items, size_t n)
{
	size_t in = 0, met = 0;
	for (unsigned i = 0; i < n; i++) {
		struct table_key *found = table_find(table, name_of(i));
		assert_ptr_equal(found, items[i].is_in ? &items[i].name : NULL);
		if (found)
			assert_true(slice_equal(table_key_bytes(found), name_of(i)));
		in += items[i].is_in;
		items[i].seen = false;
	}
	TABLE_EACH (key, table) {
		assert_true(item_of(key)->is_in && !item_of(key)->seen);
		item_of(key)->seen = true;
		met++;
	}
	assert_int_equal(met, in);
	assert_int_equal(table_count(table), in);
}

static void finds_added_keys(void **state)
{
	(void)state;
	enum { MANY = 500 };
	struct item *items = items_of(MANY);
	struct table table = { 0 };
	look_at_all(&table, items, MANY);
	for (size_t i = 0; i < MANY; i++) {
		add(&table, &items[i]);
		look_at_all(&table, items, MANY);
	}
	for (size_t i = 0; i < MANY; i++) {
		drop(&table, &items[i]);
		look_at_all(&table, items, MANY);
	}
	free(items);
}

static void tells_keys_apart_by_every_byte(void **state)
{
	(void)state;
	static const struct slice names[] = { { NULL, 0 }, { "\0", 1 }, { "\0\0", 2 }, { "a", 1 },
		{ "a\0", 2 }, { "a\0b", 3 }, { "a\0c", 3 }, { "aa", 2 }, { "\377", 1 } };
	struct item items[COUNT_OF(names)], again;
	struct table table = { 0 };
	for (size_t i = 0; i < COUNT_OF(names); i++)
		assert_int_equal(table_add(&table, &items[i].name, names[i]), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		assert_ptr_equal(table_find(&table, names[i]), &items[i].name);
		assert_int_equal(table_add(&table, &again.name, names[i]), -EEXIST);
	}
	assert_null(table_find(&table, SLICE("ab")));
	assert_int_equal(table_count(&table), COUNT_OF(names));
	TABLE_EACH (key, &table)
		table_remove(&table, key);
	assert_int_equal(table_count(&table), 0);
}

static void accepts_long_keys_up_to_4_gib(void **state)
{
	(void)state;
	enum { LONG = 100000 };
	struct table table = { 0 };
	struct item *item = calloc(1, sizeof(*item) + LONG),
		    *shorter = calloc(1, sizeof(*item) + LONG);
	char *bytes = calloc(1, LONG);
	assert_true(item && shorter && bytes);
	assert_int_equal(table_add(&table, &item->name, slice_make(bytes, LONG)), 0);
	assert_int_equal(table_add(&table, &shorter->name, slice_make(bytes, LONG - 1)), 0);
	assert_ptr_equal(table_find(&table, slice_make(bytes, LONG)), &item->name);
	bytes[LONG - 1] = 1;
	assert_null(table_find(&table, slice_make(bytes, LONG)));
	assert_int_equal(table_key_bytes(&item->name).len, LONG);
	table_remove(&table, &item->name);
	assert_int_equal(table_add(&table, &item->name, slice_make(bytes, (size_t)UINT32_MAX + 1)),
		-EMSGSIZE);
	assert_int_equal(table_count(&table), 1);
	table_remove(&table, &shorter->name);
	free(item);
	free(shorter);
	free(bytes);
}

/* Half a million random steps, in waves that fill the table and empty it again. */
static void agrees_with_a_model(void **state)
{
	(void)state;
	enum { MANY = 5000, STEPS = 500000, WAVE = 50000 };
	struct item *items = items_of(MANY);
	struct table table = { 0 };
	uint64_t random = 1;
	for (size_t step = 0; step < STEPS; step++) {
		random = random * 6364136223846793005 + 1442695040888963407;
		struct item *item = &items[(random >> 33) % MANY];
		bool filling = step / WAVE % 2 == 0;
		assert_ptr_equal(table_find(&table, name_of(item->number)),
			item->is_in ? &item->name : NULL);
		if (!item->is_in && (filling || random >> 62 == 0))
			add(&table, item);
		else if (item->is_in && (!filling || random >> 62 == 0))
			drop(&table, item);
		if (step % (WAVE / 5) == 0)
			look_at_all(&table, items, MANY);
	}
	look_at_all(&table, items, MANY);
	TABLE_EACH (key, &table)
		drop(&table, item_of(key));
	look_at_all(&table, items, MANY);
	free(items);
}

/* A client that knew the seed could send such keys. */
static void survives_colliding_keys(void **state)
{
	(void)state;
	enum { TRIED = 400000, ALIKE_BITS = 12 };
	struct item *items = items_of(TRIED);
	struct table table = { 0 };
	size_t n = 0;
	for (unsigned i = 0; i < TRIED; i++) {
		if (hash_bytes(name_of(i)) >> 32 & ((1U << ALIKE_BITS) - 1))
			continue;
		add(&table, &items[i]);
		n++;
	}
	assert_in_range(n, 50, 200);
	look_at_all(&table, items, TRIED);
	TABLE_EACH (key, &table)
		if (item_of(key)->number % 2)
			drop(&table, item_of(key));
	look_at_all(&table, items, TRIED);
	TABLE_EACH (key, &table)
		drop(&table, item_of(key));
	free(items);
}

/* So many that some have the same hash. */
static void holds_very_many_keys(void **state)
{
	(void)state;
	enum { MANY = 300000 };
	struct item *items = items_of(MANY);
	struct table table = { 0 };
	for (size_t i = 0; i < MANY; i++)
		add(&table, &items[i]);
	look_at_all(&table, items, MANY);
	TABLE_EACH (key, &table)
		drop(&table, item_of(key));
	look_at_all(&table, items, MANY);
	free(items);
}

static void a_walk_may_remove_the_current_key(void **state)
{
	(void)state;
	enum { MANY = 1000 };
	struct item *items = items_of(MANY);
	for (unsigned kept = 1; kept <= 5; kept++) {
		struct table table = { 0 };
		size_t met = 0;
		for (size_t i = 0; i < MANY; i++)
			add(&table, &items[i]);
		TABLE_EACH (key, &table) {
			met++;
			if (item_of(key)->number % kept == 0)
				drop(&table, item_of(key));
		}
		assert_int_equal(met, MANY);
		look_at_all(&table, items, MANY);
		TABLE_EACH (key, &table)
			drop(&table, item_of(key));
	}
	free(items);
}

static void needs_memory_only_for_the_first_key(void **state)
{
	(void)state;
	enum { MANY = 1000 };
	struct item *items = items_of(MANY);
	struct table table = { 0 };
	out_of_memory = true;
	assert_int_equal(table_add(&table, &items[0].name, name_of(0)), -ENOMEM);
	look_at_all(&table, items, MANY);
	out_of_memory = false;
	add(&table, &items[0]);
	out_of_memory = true;
	for (size_t i = 1; i < MANY / 2; i++)
		add(&table, &items[i]);
	look_at_all(&table, items, MANY);
	out_of_memory = false; /* and the table catches up */
	for (size_t i = MANY / 2; i < MANY; i++)
		add(&table, &items[i]);
	look_at_all(&table, items, MANY);
	TABLE_EACH (key, &table)
		drop(&table, item_of(key));
	free(items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_added_keys),
		cmocka_unit_test(tells_keys_apart_by_every_byte),
		cmocka_unit_test(accepts_long_keys_up_to_4_gib),
		cmocka_unit_test(agrees_with_a_model),
		cmocka_unit_test(survives_colliding_keys),
		cmocka_unit_test(holds_very_many_keys),
		cmocka_unit_test(a_walk_may_remove_the_current_key),
		cmocka_unit_test(needs_memory_only_for_the_first_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
