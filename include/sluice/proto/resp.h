/* RESP2, Redis' protocol: hiredis' reader and formatter, with limits. Replies are hiredis'
 * `struct redisReply` trees; an owner looks at ->type before it touches anything else. */
#ifndef SLUICE_PROTO_RESP_H
#define SLUICE_PROTO_RESP_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

/* Zero-initialised, then resp_reader_init. */
struct resp_reader {
	struct redisReader *reader;
	size_t reply_bytes; /* a reply that needs more buffered bytes than this is an error */
};

/* 0 or -ENOMEM. */
MUST_CHECK int resp_reader_init(struct resp_reader *reader, size_t reply_bytes);
void resp_reader_finish(struct resp_reader *reader);

/* 0; -ENOMEM; -EMSGSIZE: more is buffered than reply_bytes. */
MUST_CHECK int resp_reader_feed(struct resp_reader *reader, const char *bytes, size_t len);

/* 1 and a reply that the caller frees with freeReplyObject; 0: more bytes are wanted; -EPROTO: this
 * is not RESP2, the link cannot go on. */
MUST_CHECK int resp_reader_next(struct resp_reader *reader, struct redisReply **ret_reply);

/* Appends a command of `n` words (at least 1), each length-prefixed, so any bytes are safe.
 * 0 or -ENOMEM. */
MUST_CHECK int resp_format(struct buffer *out, const struct slice *words, size_t n);

/* Shorthands that make no assumption on the shape: the text of a status, string or error; else
 * absent. */
struct slice resp_text(const struct redisReply *reply);

#endif
