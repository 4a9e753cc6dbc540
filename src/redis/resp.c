/* Makes hiredis' reader safe against a hostile Redis.
 *
 * The reader is sound, but it trusts its input. "*2147483647" makes it allocate (and later walk
 * through) 16 GiB for an array of which no element has arrived. Version 1 accepts arrays within
 * arrays to any depth, and frees them by recursion. And because it drops the bytes that it has
 * read, an array of small elements may grow without bound while little is buffered. So:
 *
 * - A reply may be reply_bytes long on the wire, from its first byte to its last, however it was
 *   split. That is the number of bytes fed since the last complete reply, less those still unread.
 * - Before an array is made, its elements are counted in. Each takes at least 3 bytes ("+\r\n"), so
 *   all arrays of a reply together cannot announce more than a third of reply_bytes, and memory
 *   stays in proportion to reply_bytes. The same check limits the depth.
 *
 * - A line (a number, a status, an error) may be RESP_LINE_MAX long. Whenever bytes arrive, the
 *   reader looks for the end of an unfinished line from its beginning: 60 MiB in pieces of 4 KiB
 *   would take minutes.
 *
 * The check wraps hiredis' function that makes arrays and the one that makes strings; all other
 * functions are hiredis' own. We never ask for RESP3. If a server sends it, its arrays are refused
 * here, and no caller expects its other types.
 *
 * The same two functions hand an array to a taker: they make the array without elements, and no
 * strings. Meanwhile the functions for all other types are left out. hiredis then reads on without
 * an object, and the count of the strings tells that the array was of something else.
 *
 * Commands are formatted here and not by hiredis, directly into the send buffer. */
#include "sluice/redis/resp.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { ELEMENT_BYTES_MIN = 3 };

static bool is_too_deep(const redisReadTask *task)
{
	int depth = 1;
	for (; task->parent; task = task->parent)
		depth++;
	return depth > RESP_DEPTH_MAX;
}

/* What is made of a reply's parts from here on, unless it is an array for the taker. */
static void make_all(struct resp_reader *reader);
static void make_none(struct resp_reader *reader);

/* ---- an array for the taker ---- */

static bool is_wanted(struct resp_reader *reader, const redisReadTask *task)
{
	return reader->taker && !task->parent && reader->taker->wants(reader);
}

static void *begin_taking(
	struct resp_reader *reader, const redisReadTask *task, redis_array_count count)
{
	struct redisReply *reply = reader->defaults->createArray(task, 0);
	if (!reply)
		return NULL;
	reply->elements = reader->awaited = (size_t)count;
	reader->taking = true;
	make_none(reader);
	return reply;
}

/* For hiredis, which only wants to know that it went well, it is the array itself. */
static void *take(struct resp_reader *reader, const redisReadTask *task, struct slice text)
{
	reader->awaited--;
	reader->taker->take(reader, text);
	return task->parent->obj;
}

/* True: the taker has got all of it. */
static bool end_taking(struct resp_reader *reader)
{
	reader->taking = false;
	make_all(reader);
	return !reader->awaited;
}

/* ---- what hiredis makes ---- */

/* NULL makes the reader stop with an error and free what it has made. */
static void *create_array(const redisReadTask *task, redis_array_count count)
{
	struct resp_reader *reader = task->privdata;
	size_t left = reader->reply_bytes / ELEMENT_BYTES_MIN - reader->elements;
	if (task->type != REDIS_REPLY_ARRAY || (size_t)count > left || is_too_deep(task) ||
		reader->taking)
		return NULL;
	reader->elements += (size_t)count;
	return is_wanted(reader, task) ? begin_taking(reader, task, count)
				       : reader->defaults->createArray(task, count);
}

/* A string that comes in one line. */
static void *create_string(const redisReadTask *task, char *text, size_t len)
{
	struct resp_reader *reader = task->privdata;
	if (task->type != REDIS_REPLY_STRING && len > RESP_LINE_MAX)
		return NULL;
	return reader->taking ? take(reader, task, slice_make(text, len))
			      : reader->defaults->createString(task, text, len);
}

static void make_all(struct resp_reader *reader)
{
	reader->functions = *reader->defaults;
	reader->functions.createArray = create_array;
	reader->functions.createString = create_string;
}

static void make_none(struct resp_reader *reader)
{
	reader->functions = (struct redisReplyObjectFunctions){
		.createArray = create_array,
		.createString = create_string,
		.freeObject = reader->defaults->freeObject,
	};
}

/* ---- reading ---- */

/* Is the line that has begun too long already? The bytes that hiredis keeps begin with the line, as
 * it takes whole items off. */
static bool is_line_too_long(const struct redisReader *reader)
{
	size_t unread = reader->len - reader->pos;
	return unread > RESP_LINE_MAX &&
	       !memmem(reader->buf + reader->pos, RESP_LINE_MAX, "\r\n", 2);
}

int resp_reader_init(struct resp_reader *reader, size_t reply_bytes)
{
	*reader = (struct resp_reader){ .reply_bytes = reply_bytes };
	reader->reader = redisReaderCreate();
	if (!reader->reader)
		return -ENOMEM;
	reader->defaults = reader->reader->fn;
	make_all(reader);
	reader->reader->fn = &reader->functions;
	reader->reader->privdata = reader;
	/* Without this, version 0.14 replaces a large buffer by a small one, and aborts if there is
	 * no memory for it. */
	reader->reader->maxbuf = 0;
	return 0;
}

void resp_reader_finish(struct resp_reader *reader)
{
	if (reader->reader)
		redisReaderFree(reader->reader);
	*reader = (struct resp_reader){ 0 };
}

int resp_reader_feed(struct resp_reader *reader, const char *bytes, size_t len)
{
	reader->taken += len;
	return redisReaderFeed(reader->reader, bytes, len) == REDIS_OK ? 0 : -ENOMEM;
}

int resp_reader_next(struct resp_reader *reader, struct redisReply **ret_reply)
{
	void *reply = NULL;
	if (redisReaderGetReply(reader->reader, &reply) != REDIS_OK)
		return -EPROTO;
	size_t unread = reply ? reader->reader->len - reader->reader->pos : 0;
	if (reader->taken - unread > reader->reply_bytes) {
		freeReplyObject(reply);
		return -EMSGSIZE;
	}
	if (!reply)
		return is_line_too_long(reader->reader) ? -EMSGSIZE : 0;
	if (reader->taking && !end_taking(reader)) {
		freeReplyObject(reply);
		return -EPROTO;
	}
	reader->taken = unread;
	reader->elements = 0;
	*ret_reply = reply;
	return 1;
}

/* By hand: printf would take longer than all the rest of a command. */
static int append_count(struct buffer *out, char type, size_t count)
{
	char line[32], *at = line + sizeof(line);
	*--at = '\n';
	*--at = '\r';
	do
		*--at = (char)('0' + count % 10);
	while (count /= 10);
	*--at = type;
	return buffer_append(out, at, (size_t)(line + sizeof(line) - at));
}

int resp_format(struct buffer *out, const struct slice *words, size_t n)
{
	size_t before = out->len;
	int error = append_count(out, '*', n);
	for (size_t i = 0; i < n && !error; i++) {
		error = append_count(out, '$', words[i].len);
		if (!error)
			error = buffer_append_slice(out, words[i]);
		if (!error)
			error = buffer_append_slice(out, SLICE("\r\n"));
	}
	if (error)
		out->len = before;
	return error;
}
