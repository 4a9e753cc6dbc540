/* RESP2, the protocol of Redis: a reader of replies (hiredis', with limits), and a writer of
 * commands. */
#ifndef SLUICE_REDIS_RESP_H
#define SLUICE_REDIS_RESP_H

#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/redis/reply.h"

enum {
	RESP_DEPTH_MAX = 8, /* arrays within arrays */
	RESP_LINE_MAX =
		65536, /* bytes of a status, an error or a number; strings have no such limit */
};

/* Zero-initialised, then resp_reader_init. */
struct resp_reader {
	/* private */
	struct redisReader *reader;
	size_t reply_bytes;
	size_t taken;    /* bytes since the last complete reply */
	size_t elements; /* announced by the arrays of the reply that is being read */
	struct redisReplyObjectFunctions functions; /* hiredis', with our createArray */
	const struct redisReplyObjectFunctions *defaults;
};

/* `reply_bytes`: the maximum length of a reply on the wire. 0 or -ENOMEM. From here on the struct
 * must not move. */
MUST_CHECK int resp_reader_init(struct resp_reader *reader, size_t reply_bytes);
void resp_reader_finish(struct resp_reader *reader);

/* 0 or -ENOMEM. */
MUST_CHECK int resp_reader_feed(struct resp_reader *reader, const char *bytes, size_t len);

/* 1 and a reply, which the caller frees with freeReplyObject; 0: more bytes are needed; -EPROTO:
 * this is not RESP2; -EMSGSIZE: the reply is longer than reply_bytes, or a line of it longer than
 * RESP_LINE_MAX (-EPROTO if it came in one piece). After an error the reader is of no use. */
MUST_CHECK int resp_reader_next(struct resp_reader *reader, struct redisReply **ret_reply);

/* Appends a command of `n` words (at least 1), each length-prefixed, so they may hold any bytes. 0
 * or -ENOMEM (nothing is appended). */
MUST_CHECK int resp_format(struct buffer *out, const struct slice *words, size_t n);

#endif
