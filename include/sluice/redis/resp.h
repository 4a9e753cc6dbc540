/* RESP2, Redis' protocol: hiredis' reader, with limits, and commands. Replies are hiredis' `struct
 * redisReply` trees; an owner looks at ->type before it touches anything else. */
#ifndef SLUICE_REDIS_RESP_H
#define SLUICE_REDIS_RESP_H

#include <hiredis/hiredis.h>
#include <stddef.h>

#include "sluice/base/buffer.h"
#include "sluice/base/slice.h"

enum { RESP_DEPTH_MAX = 8 }; /* arrays within arrays */

/* Zero-initialised, then resp_reader_init. */
struct resp_reader {
	/* private */
	struct redisReader *reader;
	size_t reply_bytes;
	size_t taken;    /* bytes since the last complete reply */
	size_t elements; /* that the arrays of the reply under way have announced */
	struct redisReplyObjectFunctions functions; /* hiredis' own, with our check before arrays */
	const struct redisReplyObjectFunctions *defaults;
};

/* `reply_bytes`: the longest reply, as it is sent, that is taken. 0 or -ENOMEM. The struct must not
 * move from here on. */
MUST_CHECK int resp_reader_init(struct resp_reader *reader, size_t reply_bytes);
void resp_reader_finish(struct resp_reader *reader);

/* 0 or -ENOMEM. */
MUST_CHECK int resp_reader_feed(struct resp_reader *reader, const char *bytes, size_t len);

/* 1 and a reply that the caller frees with freeReplyObject; 0: more bytes are wanted; -EPROTO: this
 * is not RESP2; -EMSGSIZE: the reply is longer than reply_bytes. After an error the link cannot go
 * on. */
MUST_CHECK int resp_reader_next(struct resp_reader *reader, struct redisReply **ret_reply);

/* Appends a command of `n` words (at least 1), each length-prefixed, so any bytes are safe.
 * 0 or -ENOMEM (nothing changed). */
MUST_CHECK int resp_format(struct buffer *out, const struct slice *words, size_t n);

/* The text of a status, string or error; absent for whatever else the reply (or NULL) may be. */
struct slice resp_text(const struct redisReply *reply);

/* What of an error's text may be told to an operator. Redis and proxies quote what they do not understand
 * ("ERR unknown command 'GETDEL', with args beginning with: 'ticket:…'"), and that may be a secret: it ends
 * before the first quote, unless it is Redis' NOPERM, which quotes the command only. */
struct slice resp_error_reason(const struct redisReply *reply);

/* `text` up to the first quotation mark of any kind. */
struct slice resp_before_quote(struct slice text);

#endif
