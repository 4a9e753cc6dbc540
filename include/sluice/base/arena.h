/* Memory that is taken piece by piece and freed all at once. Zero-initialised is empty and
 * valid. */
#ifndef SLUICE_BASE_ARENA_H
#define SLUICE_BASE_ARENA_H

#include <stddef.h>

#include "sluice/base/slice.h"

struct arena {
	struct arena_block *first; /* private */
};

/* Zeroed, and aligned for anything; it stays where it is until arena_finish. NULL: no memory. */
void *arena_take(struct arena *arena, size_t size);

/* A copy with a NUL behind it, which its length does not count. Absent: no memory. */
struct slice arena_copy(struct arena *arena, struct slice bytes);

/* Overwrites everything that was taken with zeros. */
void arena_wipe(struct arena *arena);

/* Frees everything; the arena is empty and may be used again. */
void arena_finish(struct arena *arena);

#endif
