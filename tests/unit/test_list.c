#include "sluice/base/list.h"
#include "unit.h"

static void keeps_order_without_removed_nodes(void **state)
{
	(void)state;
	struct list head, nodes[4] = { 0 };
	list_init(&head);
	assert_true(list_is_empty(&head));
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		list_append(&head, &nodes[i]);
	list_remove(&nodes[1]);
	list_remove(&nodes[1]);
	assert_false(list_is_linked(&nodes[1]));
	struct list *expected[] = { &nodes[0], &nodes[2], &nodes[3] };
	size_t i = 0;
	LIST_EACH (node, &head)
		assert_ptr_equal(node, expected[i++]);
	assert_int_equal(i, 3);
}

static void allows_removing_while_walking(void **state)
{
	(void)state;
	struct list head, nodes[3] = { 0 };
	list_init(&head);
	for (size_t i = 0; i < COUNT_OF(nodes); i++)
		list_append(&head, &nodes[i]);
	LIST_EACH_SAFE (node, &head)
		list_remove(node);
	assert_true(list_is_empty(&head));
	assert_null(list_pop(&head));
}

static void moves_a_whole_list(void **state)
{
	(void)state;
	struct list from, to, nodes[2] = { 0 };
	list_init(&from);
	list_take(&to, &from);
	assert_true(list_is_empty(&to));
	list_append(&from, &nodes[0]);
	list_append(&from, &nodes[1]);
	list_take(&to, &from);
	assert_true(list_is_empty(&from));
	assert_ptr_equal(list_pop(&to), &nodes[0]);
	assert_ptr_equal(list_pop(&to), &nodes[1]);
	assert_true(list_is_empty(&to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_order_without_removed_nodes),
		cmocka_unit_test(allows_removing_while_walking),
		cmocka_unit_test(moves_a_whole_list),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
