/* How long deliveries took: a histogram with steps of 1.6 %, so that a million values cost nothing. */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_STEPS 64 /* in each doubling */

struct latency {
	uint64_t counts[40 * LATENCY_STEPS];
	uint64_t total;
	int64_t longest;
};

void latency_add(struct latency *latency, int64_t nanoseconds);

/* The latency that `share` of all deliveries did not exceed, in nanoseconds; 0 if there are
 * none. */
int64_t latency_quantile(const struct latency *latency, double share);

#endif
