/* The few words that every other file uses. */
#ifndef SLUICE_BASE_DEFS_H
#define SLUICE_BASE_DEFS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h> /* MIN, MAX */

/* A broken invariant of ours (never a peer's doing): say which and abort, in every build. */
#define MUST(x) \
	do { \
		if (__builtin_expect(!(x), 0)) { \
			fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #x); \
			abort(); \
		} \
	} while (0)

/* The struct that holds `pointer` as its member `member`. */
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Bytes that a processor fetches at a time, or half of them. */
enum { CACHE_LINE = 64 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

#endif
