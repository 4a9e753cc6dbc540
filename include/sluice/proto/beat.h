/* The beat: a message that gateways publish to each other on a channel of their own, about once a
 * second, to prove that a subscribed link receives what is published. All numbers are big-endian:
 *
 *	"S1"  'B'  mark(8)  run id(8)  stamp(8)  tag(16)
 *
 * The tag is the first half of HMAC-SHA256(K, channel | all before the tag), where K is
 * HMAC-SHA256(secret, "sluice replay 1"). So nobody without a secret of the gateways can make a beat,
 * and a beat is worth nothing on another channel. */
#ifndef SLUICE_PROTO_BEAT_H
#define SLUICE_PROTO_BEAT_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/proto/text/digest.h"

enum {
	BEAT_BYTES = 43,
	BEAT_CHANNEL_MAX = 64, /* bytes of a channel's name */
	BEAT_SECRETS_MAX = 17, /* replay.secret and all of session.secrets */
	BEAT_MARK_BITS = 48,
};

struct beat {
	uint64_t mark;   /* 48 random bits, never used twice; more is not a beat */
	uint64_t run_id; /* the first 64 bits of the run id of the server that the sender published
			    to; 0: not known */
	uint64_t stamp;  /* that server's time of day when it was sent, in ms; 0: not known */
};

/* The first signs, all verify. */
struct beat_keys {
	/* private */
	uint8_t keys[BEAT_SECRETS_MAX][DIGEST_SHA256_BYTES];
	size_t n;
};

/* Derives the keys. With n 0 the secret is the empty string, which everybody knows: then the tag
 * only tells a beat from other bytes. At most BEAT_SECRETS_MAX secrets count. 0 or -ENOMEM. */
MUST_CHECK int beat_keys_make(struct beat_keys *ret_keys, const struct slice *secrets, size_t n);

/* Writes the beat as it is published on this channel. 0 or -ENOMEM. */
MUST_CHECK int beat_write(const struct beat *beat, const struct beat_keys *keys,
	struct slice channel, char bytes[BEAT_BYTES]);

/* Reads what has been published on the channel. 0; -EBADMSG: it is no beat of this version, or none
 * of the keys has signed it for this channel; -ENOMEM. */
MUST_CHECK int beat_read(struct beat *ret_beat, const struct beat_keys *keys, struct slice channel,
	struct slice message);

#endif
