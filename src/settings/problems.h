/* The list of everything that is wrong with a configuration, one line for each problem. */
#ifndef SLUICE_SETTINGS_PROBLEMS_H
#define SLUICE_SETTINGS_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"

/* Where a value was given: a file and its line, or (line 0) an environment variable or a flag. A
 * name of NULL: nowhere, it is a default. The name is borrowed. */
struct place {
	const char *name;
	unsigned line;
};

struct problems {
	struct buffer *lines;
	unsigned n;     /* number of problems; `lines` may not contain all of them */
	bool no_memory; /* set by any code that runs out of memory */
};

/* Adds one line, "file:line: message". Control characters in it become "?". Beyond the 25th the
 * problem is only counted. Never put a secret into a message. */
void problems_add(struct problems *problems, struct place place, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Does the list have more problems than it shows? If so, looking for others is useless. */
bool problems_are_many(const struct problems *problems);

/* Adds the last line when problems were left out or memory ran out. If even that fails, `lines` may
 * be empty. */
void problems_finish(struct problems *problems);

/* How many bytes of a string from outside to show in a message: at most 60, and whole
 * characters. */
size_t problems_shown_length(const char *string);

#endif
