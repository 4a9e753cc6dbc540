/* A browser's side of permessage-deflate (RFC 7692 §7), by zlib alone: each message by itself, as
 * negotiated. */
#ifndef SLUICE_TESTS_DEFLATE_H
#define SLUICE_TESTS_DEFLATE_H

#include <stdint.h>

#include "sluice/base/buffer.h"

/* A message's payload as it is sent (§7.2.1). */
void deflate_message(struct slice message, struct buffer *payload);

/* The message in a payload that was received (§7.2.2), which must not need more than this
 * window. */
void inflate_message(struct slice payload, unsigned window_bits, struct buffer *message);

#endif
