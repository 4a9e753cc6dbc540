/* The fields of a session that is a Redis hash, as they arrive. Those that count are packed into one
 * record (session_hash.h), so that it can be kept and read like any other; all others are forgotten
 * at once, and only their bytes are counted. */
#ifndef SLUICE_AUTH_RECORD_RECORD_FIELDS_H
#define SLUICE_AUTH_RECORD_RECORD_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/settings/settings.h"

/* Zero-initialised is empty. It owns nothing. */
struct record_fields {
	/* private */
	size_t n;     /* names and values so far */
	size_t bytes; /* of them */
	bool counts;  /* the field whose name was the last one */
	int error;
};

/* Takes the next name or value, in turn, and appends it to the record if it counts. */
void record_fields_take(struct record_fields *fields, const struct settings *settings,
	struct buffer *record, struct slice text);

/* After the last one. 0: `record` is complete; -EMSGSIZE: all names and values together are longer
 * than limits.record_bytes; -EINVAL: a name has no value; -ENOMEM. */
MUST_CHECK int record_fields_end(const struct record_fields *fields);

#endif
