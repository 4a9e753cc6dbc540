/* The clock, and what processes have used so far. */
#ifndef BENCH_USAGE_H
#define BENCH_USAGE_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define SECOND 1000000000LL /* the unit of time is the nanosecond */

/* A server may be several processes; none is fine too, and uses nothing. */
struct processes {
	pid_t ids[16];
	int count;
};

struct usage {
	int64_t cpu;      /* of all threads, user and system */
	int64_t resident; /* KiB */
	int64_t own;      /* KiB of that which is no file's: heap and stacks */
};

int64_t clock_now(void);

/* "12,13" */
int processes_parse(struct processes *processes, const char *text);

struct usage usage_now(const struct processes *processes);

#endif
