/* Session records in MessagePack (the specification of 2013-08 and later): those of Flask-Session,
 * Django's MSGPackSerializer and PHP's msgpack. */
#ifndef SLUICE_PROTO_RECORD_MSGPACK_H
#define SLUICE_PROTO_RECORD_MSGPACK_H

#include "sluice/proto/record/record_scan.h"

/* Integers keep their digits; a key that is an integer is a name. NaN and infinities are null. Of
 * binary data, extensions and strings that are not UTF-8 or have a NUL in them only the existence
 * is known; a member with any other key is skipped. A record_step_fn. */
int msgpack_step(struct record_scan *scan);

#endif
