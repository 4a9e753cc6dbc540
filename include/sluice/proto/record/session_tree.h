/* A session record as a cJSON tree, for session_value alone. JSON is read as JavaScript's
 * JSON.parse reads it; a record that cJSON and JavaScript would read differently is refused:
 * duplicate names, bytes after the end, bad UTF-8, raw control characters, an escaped NUL or half
 * surrogate pair, numbers that are not JSON. */
#ifndef SLUICE_PROTO_RECORD_SESSION_TREE_H
#define SLUICE_PROTO_RECORD_SESSION_TREE_H

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

struct cJSON;

enum {
	SESSION_VALUE_BYTES_MAX = 65536,
	SESSION_VALUE_DEPTH_MAX = 16,
	/* For other formats that are turned into JSON: their deepest values may become {}. */
	SESSION_VALUE_DEPTH_MAX_CONVERTED = SESSION_VALUE_DEPTH_MAX - 1,
};

/* Parses an object of at most SESSION_VALUE_BYTES_MAX bytes, nested at most SESSION_VALUE_DEPTH_MAX
 * deep. In the tree, every string and every name is UTF-8 that ends with a NUL; every number is of
 * the type cJSON_Raw, and its `valuestring` has the characters as written. 0 and a tree to free
 * with cJSON_Delete; -EACCES: the record is refused; -ENOMEM. */
MUST_CHECK int session_tree_parse(struct slice json, struct cJSON **ret_tree);

#endif
