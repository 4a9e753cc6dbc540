#include "sluice/base/metrics.h"

#include <string.h>

static const struct {
	const char *family, *label, *type, *help;
} series[METRIC_COUNT] = {
#define METRIC_ROW(name, ...) [METRIC_##name] = { __VA_ARGS__ },
	METRICS(METRIC_ROW)
#undef METRIC_ROW
};

static const struct {
	const char *family, *help;
} histograms[HISTOGRAM_COUNT] = {
#define HISTOGRAM_ROW(name, ...) [HISTOGRAM_##name] = { __VA_ARGS__ },
	HISTOGRAMS(HISTOGRAM_ROW)
#undef HISTOGRAM_ROW
};

static const uint64_t FIRST_BOUND_NS = 50 * 1000;

void metrics_observe(struct metrics *metrics, enum histogram histogram, uint64_t ns)
{
	unsigned bucket = 0;
	for (uint64_t bound = FIRST_BOUND_NS; bucket < HISTOGRAM_BUCKETS - 1 && ns > bound;
		bound *= 2)
		bucket++;
	atomic_fetch_add_explicit(
		&metrics->histograms[histogram].buckets[bucket], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&metrics->histograms[histogram].sum_ns, ns, memory_order_relaxed);
}

static int64_t sum_values(struct metrics *const *blocks, size_t n, size_t metric)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += atomic_load_explicit(&blocks[i]->values[metric], memory_order_relaxed);
	return sum;
}

static int print_series(struct metrics *const *blocks, size_t n, size_t i, struct buffer *out)
{
	const char *family = series[i].family, *label = series[i].label;
	int error = 0;
	if (i == 0 || strcmp(family, series[i - 1].family) != 0)
		error = buffer_printf(out, "# HELP %s %s.\n# TYPE %s %s\n", family, series[i].help,
			family, series[i].type);
	if (error)
		return error;
	return buffer_printf(out, "%s%s%s%s %lld\n", family, *label ? "{" : "", label,
		*label ? "}" : "", (long long)sum_values(blocks, n, i));
}

static int print_bucket(
	const char *family, unsigned bucket, uint64_t bound_ns, uint64_t count, struct buffer *out)
{
	if (bucket == HISTOGRAM_BUCKETS - 1)
		return buffer_printf(
			out, "%s_bucket{le=\"+Inf\"} %llu\n", family, (unsigned long long)count);
	return buffer_printf(out, "%s_bucket{le=\"%.5g\"} %llu\n", family, (double)bound_ns / 1e9,
		(unsigned long long)count);
}

static int print_histogram(struct metrics *const *blocks, size_t n, size_t i, struct buffer *out)
{
	const char *family = histograms[i].family;
	uint64_t count = 0, sum_ns = 0, bound_ns = FIRST_BOUND_NS;
	int error = buffer_printf(
		out, "# HELP %s %s.\n# TYPE %s histogram\n", family, histograms[i].help, family);
	for (unsigned bucket = 0; !error && bucket < HISTOGRAM_BUCKETS; bucket++, bound_ns *= 2) {
		for (size_t block = 0; block < n; block++)
			count += blocks[block]->histograms[i].buckets[bucket];
		error = print_bucket(family, bucket, bound_ns, count, out);
	}
	for (size_t block = 0; block < n; block++)
		sum_ns += blocks[block]->histograms[i].sum_ns;
	if (error)
		return error;
	return buffer_printf(out, "%s_sum %.9f\n%s_count %llu\n", family, (double)sum_ns / 1e9,
		family, (unsigned long long)count);
}

int metrics_print(struct metrics *const *blocks, size_t n, struct buffer *out)
{
	int error = 0;
	for (size_t i = 0; i < METRIC_COUNT && !error; i++)
		error = print_series(blocks, n, i, out);
	for (size_t i = 0; i < HISTOGRAM_COUNT && !error; i++)
		error = print_histogram(blocks, n, i, out);
	return error;
}
