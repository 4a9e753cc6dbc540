/* RESP2, the protocol of Redis: a reader of replies (hiredis', with limits), and a writer of
 * commands. */
#ifndef SLUICE_REDIS_RESP_H
#define SLUICE_REDIS_RESP_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"
#include "sluice/redis/reply.h"

enum {
	RESP_DEPTH_MAX = 8, /* arrays within arrays */
	RESP_LINE_MAX =
		65536, /* bytes of a status, an error or a number; strings have no such limit */
};

struct resp_reader;

/* Takes the strings of an array as they arrive. So an array of many is never in memory as a whole,
 * and is not freed at once. */
struct resp_taker {
	/* An array begins that is a reply by itself: is it to be taken? */
	bool (*wants)(struct resp_reader *reader);
	/* The next string; borrowed. The reader must not be touched. */
	void (*take)(struct resp_reader *reader, struct slice text);
};

/* Zero-initialised, then resp_reader_init. The owner, if it has a taker, gets itself with
 * container_of. */
struct resp_reader {
	const struct resp_taker *taker; /* set after resp_reader_init; NULL: there is none */
	/* private */
	struct redisReader *reader;
	size_t reply_bytes;
	size_t taken;    /* bytes since the last complete reply */
	size_t elements; /* announced by the arrays of the reply that is being read */
	bool taking;     /* the reply that is being read is an array for the taker */
	size_t awaited;  /* strings that it still has to get */
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
 * RESP_LINE_MAX (-EPROTO if it came in one piece). After an error the reader is of no use.
 *
 * Of an array that the taker has got, ->elements is right, but ->element is NULL. If not all of its
 * elements are strings: -EPROTO. */
MUST_CHECK int resp_reader_next(struct resp_reader *reader, struct redisReply **ret_reply);

/* Appends a command of `n` words (at least 1), each length-prefixed, so they may hold any bytes. 0
 * or -ENOMEM (nothing is appended). */
MUST_CHECK int resp_format(struct buffer *out, const struct slice *words, size_t n);

#endif
