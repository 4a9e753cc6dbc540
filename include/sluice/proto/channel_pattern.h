/* What the `match` of a channel rule says.
 *
 * A pattern is literal text, with {dotted.path} for a text from the session (if an array is there,
 * any of its elements) and, only at the very end, * for the rest of the name (which may be empty).
 * A {path} that leads nowhere in the session matches nothing. Texts from the session are compared
 * as they are: neither a text nor a name ever becomes a pattern. */
#ifndef SLUICE_PROTO_CHANNEL_PATTERN_H
#define SLUICE_PROTO_CHANNEL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "sluice/proto/record/session_value.h"

/* NULL: the pattern is valid; else a literal that tells the operator what is wrong. The other
 * functions take valid patterns only. */
const char *channel_pattern_problem(struct slice pattern);

/* Does the pattern end with "*"? */
bool channel_pattern_is_open(struct slice pattern);

/* Does it match the name for this identity (NULL: anonymous)? A name of at most CHANNEL_NAME_MAX
 * bytes. */
bool channel_pattern_matches(
	struct slice pattern, const struct identity *identity, struct slice name);

/* Could it match the name for some identity? Each {path} stands for any text. */
bool channel_pattern_could_match(struct slice pattern, struct slice name);

/* Calls `each` with every name that the pattern stands for with this identity (NULL: anonymous), of
 * at most CHANNEL_NAME_MAX bytes; a pattern with "*" stands for none. The name is borrowed for the
 * call. Stops at, and gives, the first result of `each` that is not 0. `steps`: counted down with
 * the work; at 0 it ends and gives 0. */
int channel_pattern_each(struct slice pattern, const struct identity *identity, size_t *steps,
	int (*each)(void *context, struct slice name), void *context);

#endif
