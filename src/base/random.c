/* Each thread has a pool of its own, so nothing is locked. */
#include "sluice/base/random.h"

#include <string.h>
#include <sys/random.h>

#include "sluice/base/defs.h"

/* getrandom always gives that many at once, whatever signals arrive (getrandom(2)). */
enum { POOL_BYTES = 256 };

static _Thread_local struct {
	unsigned char bytes[POOL_BYTES];
	size_t left; /* the last bytes, which nobody has got yet */
} pool;

void random_bytes(void *bytes, size_t len)
{
	for (char *at = bytes; len > 0;) {
		if (pool.left == 0) {
			MUST(getrandom(pool.bytes, POOL_BYTES, 0) == POOL_BYTES);
			pool.left = POOL_BYTES;
		}
		size_t n = MIN(len, pool.left);
		memcpy(at, pool.bytes + POOL_BYTES - pool.left, n);
		pool.left -= n;
		at += n;
		len -= n;
	}
}

/* Scaling 32 bits favours some numbers by at most bound / 2^32, which matters to no jitter. */
uint32_t random_below(uint32_t bound)
{
	uint32_t random;
	random_bytes(&random, sizeof(random));
	return (uint32_t)((uint64_t)random * bound >> 32);
}
