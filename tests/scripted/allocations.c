#include "allocations.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>

#include "sluice/base/pool.h"

/* The dynamic linker allocates through here, before a sanitizer is ready. */
#define BARE __attribute__((no_sanitize("address", "undefined")))

/* The sanitizer's replacement of malloc. */
void *__interceptor_malloc(size_t size) __attribute__((weak));
void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
void *__interceptor_realloc(void *block, size_t size) __attribute__((weak));
void __interceptor_free(void *block) __attribute__((weak));

/* The C library's own, of any version. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void __libc_free(void *block);

static size_t counted, fails_at;
static unsigned spared;
static long alive;
static size_t bytes;
static bool weighing; /* not before a sanitizer can report sizes */

BARE static bool fails(void)
{
	if (spared || ++counted != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

BARE static size_t size_of(void *block)
{
	return block && weighing ? malloc_usable_size(block) + sizeof(size_t) : 0;
}

BARE static void *made(void *block)
{
	alive += block != NULL;
	bytes += size_of(block);
	return block;
}

BARE void *malloc(size_t size)
{
	if (fails())
		return NULL;
	return made(__interceptor_malloc ? __interceptor_malloc(size) : __libc_malloc(size));
}

BARE void *calloc(size_t n, size_t size)
{
	if (fails())
		return NULL;
	return made(__interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size));
}

BARE void *realloc(void *block, size_t size)
{
	if (fails())
		return NULL;
	size_t before = size_of(block);
	void *grown = __interceptor_realloc ? __interceptor_realloc(block, size)
					    : __libc_realloc(block, size);
	if (grown || size == 0) { /* the old block has been freed */
		bytes -= before;
		alive -= block != NULL;
		made(grown);
	}
	return grown;
}

BARE void *reallocarray(void *block, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(block, n * size);
}

BARE void free(void *block)
{
	alive -= block != NULL;
	bytes -= size_of(block);
	if (__interceptor_free)
		__interceptor_free(block);
	else
		__libc_free(block);
}

void *__real_pool_take(struct pool *pool);
void __real_pool_give(struct pool *pool, void *block);
void *__wrap_pool_take(struct pool *pool);
void __wrap_pool_give(struct pool *pool, void *block);

void *__wrap_pool_take(struct pool *pool)
{
	void *block = fails() ? NULL : __real_pool_take(pool);
	if (block) {
		alive++;
		bytes += pool->block_size;
	}
	return block;
}

void __wrap_pool_give(struct pool *pool, void *block)
{
	if (block) {
		alive--;
		bytes -= pool->block_size;
	}
	__real_pool_give(pool, block);
}

void allocations_fail_at(size_t n)
{
	counted = 0;
	fails_at = n;
}

size_t allocations_counted(void)
{
	return counted;
}

bool allocations_failed(void)
{
	return fails_at && counted >= fails_at;
}

void allocations_spare(void)
{
	spared++;
}

void allocations_resume(void)
{
	spared--;
}

long allocations_alive(void)
{
	return alive;
}

size_t allocations_bytes(void)
{
	weighing = true;
	return bytes;
}
