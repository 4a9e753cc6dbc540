/* MessagePack (the format's specification of 2013-08 and later) as JSON: what Flask-Session, Django's
 * MSGPackSerializer and PHP's msgpack write. */
#ifndef SLUICE_PROTO_RECORD_MSGPACK_H
#define SLUICE_PROTO_RECORD_MSGPACK_H

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

/* Appends one value, which is all of `record`, as JSON for session_value, with its limits of length and
 * depth. Whole numbers keep their digits; a key that is a whole number is written as a text. Binary
 * data and extensions are {}; a member whose key is anything else is left out. 0; -EINVAL: it is not
 * MessagePack, or beyond the limits; -ENOMEM. After an error `json` is to be thrown away. */
MUST_CHECK int msgpack_to_json(struct slice record, struct buffer *json);

#endif
