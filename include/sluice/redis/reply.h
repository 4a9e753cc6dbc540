/* A reply of Redis: hiredis' `struct redisReply`, a tree. Look at ->type before anything else.
 *
 * The only header that includes hiredis, and the only place that asks for its version: Debian 12
 * has 0.14, Debian 13 has 1.2. */
#ifndef SLUICE_REDIS_REPLY_H
#define SLUICE_REDIS_REPLY_H

#include <hiredis/hiredis.h>

#include "sluice/base/slice.h"

/* What redisReplyObjectFunctions.createArray takes as the number of elements. */
#if HIREDIS_MAJOR >= 1
typedef size_t redis_array_count;
#else
typedef int redis_array_count;
#endif

/* The string of a status, a string or an error; absent for any other reply and for NULL. */
struct slice reply_text(const struct redisReply *reply);

/* The part of an error that may be logged. Redis and proxies quote what they do not understand
 * ("ERR unknown command 'GETDEL', with args beginning with: 'ticket:…'"), which may be a secret. So
 * the reason ends before the first quotation mark. The exception is Redis' NOPERM, which quotes
 * only the command. */
struct slice reply_error_reason(const struct redisReply *reply);

/* `text` up to the first quotation mark of any kind. */
struct slice reply_before_quote(struct slice text);

#endif
