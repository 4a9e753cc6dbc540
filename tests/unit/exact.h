/* Copies in heap blocks of their exact size, so that a sanitizer sees a read beyond them. */
#ifndef SLUICE_TESTS_EXACT_H
#define SLUICE_TESTS_EXACT_H

#include <stdlib.h>
#include <string.h>

#include "sluice/base/slice.h"
#include "unit.h"

/* The caller frees it. */
static inline char *exact_copy(struct slice slice)
{
	char *copy = malloc(slice.len ? slice.len : 1);
	assert_non_null(copy);
	if (slice.len)
		memcpy(copy, slice.at, slice.len);
	return copy;
}

#endif
