/* Sessions that are Redis hashes (Spring Session): each field is a member of the record. */
#ifndef SLUICE_PROTO_RECORD_SESSION_HASH_H
#define SLUICE_PROTO_RECORD_SESSION_HASH_H

#include "sluice/base/buffer.h"
#include "sluice/proto/record/record_scan.h"

/* Appends a name to a record or, after it, its value. 0 or -ENOMEM. */
MUST_CHECK int session_hash_add_text(struct buffer *record, struct slice text);

/* Appends a field: both of them. 0 or -ENOMEM. */
MUST_CHECK int session_hash_add(struct buffer *record, struct slice name, struct slice value);

/* Reads a record that consists of fields. A value that is JSON (RFC 8259) is read as such; a String
 * as the JDK serializes it, and any other text, is a text; of everything else only the existence is
 * known. */
struct session_hash {
	struct record_scan scan, inner;
	struct slice value; /* of the field that is being read */
	uint64_t at;        /* the paths that lead to it */
};

/* A record_step_fn whose scan is that of a struct session_hash. */
int session_hash_step(struct record_scan *scan);

#endif
