/* Records that a session store has compressed, which are not read. */
#ifndef SLUICE_PROTO_RECORD_COMPRESSION_H
#define SLUICE_PROTO_RECORD_COMPRESSION_H

#include "sluice/base/slice.h"

/* The compression of a record, by the bytes that it begins with: "zlib", "gzip", "zstd", "lz4" or
 * "xz", a literal. NULL: it has none of these, but may have one that begins with anything. No record
 * of a format that is read begins with these bytes, unless it is MessagePack of another type than
 * a map. */
const char *record_compression(struct slice record);

#endif
