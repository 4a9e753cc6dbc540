#include "sluice/base/metrics.h"
#include "unit.h"

static char *print(struct metrics *a, struct metrics *b)
{
	struct metrics *const blocks[] = { a, b };
	struct buffer out = { 0 };
	assert_int_equal(metrics_print(blocks, 2, &out), 0);
	assert_int_equal(buffer_append(&out, "", 1), 0);
	return out.bytes;
}

static void sums_over_the_workers(void **state)
{
	(void)state;
	static struct metrics a, b;
	metrics_add(&a, METRIC_CONNECTIONS, 3);
	metrics_add(&b, METRIC_CONNECTIONS, 4);
	metrics_add(&b, METRIC_CONNECTIONS, -2);
	metrics_add(&a, METRIC_REFUSED_401, 1);
	metrics_set(&b, METRIC_CHANNELS, 9);
	char *text = print(&a, &b);
	assert_non_null(strstr(text, "# TYPE sluice_connections gauge\nsluice_connections 5\n"));
	assert_non_null(strstr(text, "\nsluice_upgrades_refused_total{status=\"401\"} 1\n"));
	assert_non_null(strstr(text, "\nsluice_channels 9\n"));
	free(text);
}

static void names_each_family_once(void **state)
{
	(void)state;
	static struct metrics a, b;
	char *text = print(&a, &b);
	const char *first = strstr(text, "# TYPE sluice_closes_total");
	assert_non_null(first);
	assert_null(strstr(first + 1, "# TYPE sluice_closes_total"));
	free(text);
}

static void histogram_counts_are_cumulative(void **state)
{
	(void)state;
	static struct metrics a, b;
	metrics_observe(&a, HISTOGRAM_LOOP_TURN, 50 * 1000);
	metrics_observe(&a, HISTOGRAM_LOOP_TURN, 51 * 1000);
	metrics_observe(&b, HISTOGRAM_LOOP_TURN, 5000000000);
	char *text = print(&a, &b);
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_bucket{le=\"5e-05\"} 1\n"));
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_bucket{le=\"0.0001\"} 2\n"));
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_bucket{le=\"1.6384\"} 2\n"));
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_sum 5.000101000\n"));
	assert_non_null(strstr(text, "sluice_loop_turn_seconds_count 3\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_over_the_workers),
		cmocka_unit_test(names_each_family_once),
		cmocka_unit_test(histogram_counts_are_cumulative),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
