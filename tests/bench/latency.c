#include "latency.h"

/*
 * A value is put into steps as a floating-point number is: its highest bit chooses the doubling, the
 * six bits below that the step within. Values below 64 have a step each.
 */
#define STEP_BITS 6
#define BUCKETS   ((int64_t)(sizeof((struct latency *)0)->counts / sizeof(uint64_t)))

_Static_assert(LATENCY_STEPS == 1 << STEP_BITS, "the steps are the values of their bits");

static int64_t bucket_of(int64_t value)
{
	if (value < LATENCY_STEPS)
		return value;
	int shift = 63 - __builtin_clzll((unsigned long long)value) - STEP_BITS;
	return ((int64_t)shift + 1) * LATENCY_STEPS + (value >> shift) - LATENCY_STEPS;
}

static int64_t value_of(int64_t bucket)
{
	if (bucket < LATENCY_STEPS)
		return bucket;
	int64_t shift = bucket / LATENCY_STEPS - 1;
	return (bucket % LATENCY_STEPS + LATENCY_STEPS) << shift;
}

void latency_add(struct latency *latency, int64_t nanoseconds)
{
	int64_t bucket = bucket_of(nanoseconds < 0 ? 0 : nanoseconds);
	latency->counts[bucket < BUCKETS ? bucket : BUCKETS - 1]++;
	latency->total++;
	if (nanoseconds > latency->longest)
		latency->longest = nanoseconds;
}

int64_t latency_quantile(const struct latency *latency, double share)
{
	double wanted = share * (double)latency->total;
	uint64_t seen = 0;
	for (int64_t i = 0; i < BUCKETS; i++) {
		seen += latency->counts[i];
		if (seen > 0 && (double)seen >= wanted)
			return value_of(i);
	}
	return 0;
}
