/* These functions stand in for the C library's, for libuv too. The wall clock stays real until a
 * test sets it, for libFuzzer. */
#include "machine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "sluice/base/defs.h"
#include "sluice/base/log.h"
#include "sluice/base/random.h"

enum { FIRST_MS = 1000000 };

static uint64_t now_ms = FIRST_MS;
static int64_t wall_ahead_ms; /* of the other clock; 0: it is real */
static uint32_t random_state;
static const char *kept_secret;

void machine_reset(void)
{
	now_ms = FIRST_MS;
	wall_ahead_ms = 0;
	random_state = 1;
	kept_secret = NULL;
}

void machine_pass(uint64_t ms)
{
	now_ms += ms;
}

void machine_keep_out_of_log(const char *secret)
{
	kept_secret = secret;
}

void machine_set_wall(int64_t ms)
{
	wall_ahead_ms = ms - (int64_t)now_ms;
}

int clock_gettime(clockid_t clock, struct timespec *ret_time)
{
	bool wall = clock == CLOCK_REALTIME && wall_ahead_ms;
	if (!wall && clock != CLOCK_MONOTONIC && clock != CLOCK_MONOTONIC_COARSE)
		return (int)syscall(SYS_clock_gettime, clock, ret_time);
	uint64_t ms = now_ms + (wall ? (uint64_t)wall_ahead_ms : 0);
	*ret_time = (struct timespec){ .tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000 };
	return 0;
}

/* A linear congruential generator. */
static uint32_t draw(void)
{
	random_state = random_state * 1664525 + 1013904223;
	return random_state >> 8;
}

/* Both in place of base's, whose pool would outlive a script. */
void random_bytes(void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		((unsigned char *)bytes)[i] = (unsigned char)draw();
}

uint32_t random_below(uint32_t bound)
{
	return draw() % bound;
}

ssize_t getrandom(void *bytes, size_t len, unsigned flags)
{
	(void)flags;
	random_bytes(bytes, len);
	return (ssize_t)len;
}

/* The linker puts it in place of log_write. */
void __wrap_log_write(enum log_level level, const struct log_field *fields);

void __wrap_log_write(enum log_level level, const struct log_field *fields)
{
	(void)level;
	for (; fields->key; fields++)
		MUST(!kept_secret || !fields->text.len ||
			!memmem(fields->text.at, fields->text.len, kept_secret,
				strlen(kept_secret)));
}
