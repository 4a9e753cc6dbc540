/* Random bytes that are drawn from the kernel in bulk, because one system call for each connection
 * would be a part of what a log-in costs. For ids and for jitter; keys are drawn with getrandom. */
#ifndef SLUICE_BASE_RANDOM_H
#define SLUICE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `len` bytes that nobody can predict. */
void random_bytes(void *bytes, size_t len);

/* A number from 0 to `bound` - 1; `bound` must not be 0. */
uint32_t random_below(uint32_t bound);

/* A wait, from half of `bound` to all of it, so that many who wait do not act at the same moment. */
static inline uint32_t random_wait(uint32_t bound)
{
	return bound / 2 + random_below(bound - bound / 2 + 1);
}

#endif
