/* Patterns of channel names: the `match` of a channel rule.
 *
 * A pattern is literal text, with {dotted.path} for a string from the session (or for any element,
 * if the path leads to an array) and, only at the very end, * for the rest of the name (which may
 * be empty). {user} is the session's user, whatever its field is called; a field "user" is {/user}.
 * A {path} that does not exist in the session matches nothing. Strings from the session are
 * compared literally: neither a string nor a name is ever treated as a pattern. */
#ifndef SLUICE_PROTO_CHANNEL_PATTERN_H
#define SLUICE_PROTO_CHANNEL_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"
#include "sluice/proto/channel_match.h"
#include "sluice/proto/record/session_value.h"

/* NULL: the pattern is valid; else a literal that tells the operator what is wrong. The other
 * functions take valid patterns only. */
const char *channel_pattern_problem(struct slice pattern);

/* Does the pattern end with "*"? */
bool channel_pattern_is_open(struct slice pattern);

/* Cuts a pattern up to its next {path}, {user} apart, and returns that path. False: there are no
 * more. */
bool channel_pattern_next_field(struct slice *pattern, struct slice *ret_path);

/* Does it match the name for this identity (NULL: anonymous)? Each byte of the pattern, and of each
 * string at one of its paths, is looked at once at most. Of a path with RECORD_SET_TEXTS strings or
 * more the name is looked at instead if that is less: behind a literal at the pattern's beginning,
 * a step for each of its bytes, however many strings there are. */
bool channel_pattern_matches(
	struct slice pattern, const struct identity *identity, struct channel_match *name);

/* Could it match the name for some identity? Each {path} stands for any string. */
bool channel_pattern_could_match(struct slice pattern, struct slice name);

/* Calls `each` with every name of at most CHANNEL_NAME_MAX bytes that the pattern generates for
 * this identity (NULL: anonymous); a pattern with "*" generates none. The name is borrowed for the
 * call. Stops at the first result of `each` that is not 0, and returns it. `steps` is decremented
 * with the work; at 0 it ends and returns 0. */
int channel_pattern_each(struct slice pattern, const struct identity *identity, size_t *steps,
	int (*each)(void *context, struct slice name), void *context);

#endif
