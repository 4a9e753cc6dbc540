/* What nearly every file uses. */
#ifndef SLUICE_BASE_DEFS_H
#define SLUICE_BASE_DEFS_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/param.h> /* MIN, MAX */

/* Aborts, in every build, if an invariant of the program is broken, and prints it. Never use it for
 * anything that a peer can cause. */
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

/* Bytes of a cache line. Some processors fetch two at a time. */
enum { CACHE_LINE = 64 };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The caller must use the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

#endif
