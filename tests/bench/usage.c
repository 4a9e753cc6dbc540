#include "usage.h"
#include <errno.h>
#include <stdlib.h>
#include <time.h>

static int64_t in_nanoseconds(const struct timespec *time)
{
	return time->tv_sec * SECOND + time->tv_nsec;
}

/* By the process' own clock: /proc/PID/stat counts in ticks of 10 ms. */
static int64_t cpu_of(pid_t id)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(id, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return in_nanoseconds(&used);
}

static void add_memory_of(pid_t id, struct usage *usage)
{
	char path[32], line[128];
	long kib;
	snprintf(path, sizeof path, "/proc/%d/status", (int)id);
	FILE *status = fopen(path, "r");
	if (!status)
		return;
	while (fgets(line, sizeof line, status)) {
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			usage->resident += kib;
		if (sscanf(line, "RssAnon: %ld", &kib) == 1)
			usage->own += kib;
	}
	fclose(status);
}

int64_t clock_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return in_nanoseconds(&now);
}

int processes_parse(struct processes *processes, const char *text)
{
	const int most = (int)(sizeof processes->ids / sizeof processes->ids[0]);
	char *end;
	for (processes->count = 0; processes->count < most; text = end + 1) {
		long id = strtol(text, &end, 10);
		if (end == text || id <= 0)
			return -EINVAL;
		processes->ids[processes->count++] = (pid_t)id;
		if (*end == '\0')
			return 0;
	}
	return -E2BIG;
}

struct usage usage_now(const struct processes *processes)
{
	struct usage usage = { 0 };
	for (int i = 0; i < processes->count; i++) {
		usage.cpu += cpu_of(processes->ids[i]);
		add_memory_of(processes->ids[i], &usage);
	}
	return usage;
}
