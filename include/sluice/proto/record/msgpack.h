/* MessagePack (the specification of 2013-08 and later) to JSON: the records of Flask-Session,
 * Django's MSGPackSerializer and PHP's msgpack. */
#ifndef SLUICE_PROTO_RECORD_MSGPACK_H
#define SLUICE_PROTO_RECORD_MSGPACK_H

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* Appends the one value that `record` consists of as JSON for session_value, within its limits of
 * length and depth. Integers keep their digits; a key that is an integer becomes a string. Binary
 * data and extensions become {}; a member with any other key is left out. 0; -EINVAL: not
 * MessagePack, or beyond the limits; -ENOMEM. After an error `json` is to be discarded. */
MUST_CHECK int msgpack_to_json(struct slice record, struct buffer *json);

#endif
