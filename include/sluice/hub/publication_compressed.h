/* A run's frames, compressed for permessage-deflate. */
#ifndef SLUICE_HUB_PUBLICATION_COMPRESSED_H
#define SLUICE_HUB_PUBLICATION_COMPRESSED_H

#include "sluice/hub/publication.h"
#include "sluice/proto/ws/ws_deflate.h"

/* The frames for a connection that negotiated permessage-deflate with this window. Payloads of at
 * least `threshold` bytes are compressed if that makes them smaller, each by itself (RFC 7692
 * §7.2.1); the others stay as they are. May be called in any thread, with that thread's deflater;
 * the first caller compresses while the others wait. Borrowed, valid as long as the publication.
 * Never NULL: if compression gains nothing or there is no memory, these are the uncompressed
 * frames. */
struct chunk *publication_compressed(struct publication *publication, unsigned window_bits,
	size_t threshold, struct ws_deflater *deflater);

#endif
