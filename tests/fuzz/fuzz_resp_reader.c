/* Redis' replies: whole and in pieces they are the same, and none is deeper or longer than allowed;
 * an array of strings is the same to a taker; a command of any words is read back as these words. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/redis/resp.h"

enum { REPLY_BYTES = 2048, ELEMENT_BYTES_MIN = 3, WORDS_MAX = 32 };

struct run {
	struct resp_reader reader;
	struct buffer record;
	struct buffer taken; /* of the reply at hand, if there is a taker */
	size_t n_elements;   /* of the reply at hand */
	bool failed;
};

static bool wants(struct resp_reader *reader)
{
	container_of(reader, struct run, reader)->taken.len = 0;
	return true;
}

static void take(struct resp_reader *reader, struct slice text)
{
	struct run *run = container_of(reader, struct run, reader);
	fuzz_printf(&run->taken, "%zu:", text.len);
	fuzz_append(&run->taken, text);
}

static const struct resp_taker taker = { .wants = wants, .take = take };

static void put_reply(struct run *run, const struct redisReply *reply, int depth)
{
	MUST(reply && depth <= RESP_DEPTH_MAX);
	if (reply->type == REDIS_REPLY_ARRAY) {
		run->n_elements += reply->elements;
		fuzz_printf(&run->record, "*%zu ", reply->elements);
		if (run->reader.taker) {
			MUST(!reply->element);
			fuzz_append(&run->record, buffer_slice(&run->taken));
			return;
		}
		for (size_t i = 0; i < reply->elements; i++)
			put_reply(run, reply->element[i], depth + 1);
		return;
	}
	struct slice text = reply_text(reply);
	fuzz_printf(&run->record, "%d %lld %zu:", reply->type,
		reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0, text.len);
	fuzz_append(&run->record, text);
}

/* A failure ends the record without its kind: of two mistakes, a reply in pieces may meet the other
 * one first. */
static void feed(void *context, char *bytes, size_t len)
{
	struct run *run = context;
	if (run->failed)
		return;
	MUST(resp_reader_feed(&run->reader, bytes, len) == 0);
	struct redisReply *reply;
	int result;
	while ((result = resp_reader_next(&run->reader, &reply)) == 1) {
		run->n_elements = 0;
		put_reply(run, reply, 0);
		MUST(run->n_elements <= REPLY_BYTES / ELEMENT_BYTES_MIN);
		freeReplyObject(reply);
	}
	if (result == 0)
		return;
	MUST(result == -EPROTO || result == -EMSGSIZE);
	run->failed = true;
	fuzz_printf(&run->record, "fails");
}

static struct buffer record_by(const struct resp_taker *by, uint8_t chunking, struct slice bytes)
{
	struct run run = { .failed = false };
	MUST(resp_reader_init(&run.reader, REPLY_BYTES) == 0);
	run.reader.taker = by;
	fuzz_feed(chunking, bytes, feed, &run);
	resp_reader_finish(&run.reader);
	buffer_finish(&run.taken);
	return run.record;
}

static struct buffer record_of(uint8_t chunking, struct slice bytes)
{
	return record_by(NULL, chunking, bytes);
}

static void check_same(uint8_t chunking, struct slice bytes, const struct resp_taker *by)
{
	struct buffer whole = record_by(by, FUZZ_WHOLE, bytes);
	struct buffer pieces = record_by(by, chunking, bytes);
	MUST(slice_equal(buffer_slice(&whole), buffer_slice(&pieces)));
	buffer_finish(&whole);
	buffer_finish(&pieces);
}

static void check_command(uint8_t chunking, struct slice text)
{
	struct slice words[WORDS_MAX];
	struct buffer command = { 0 }, expected = { 0 };
	size_t n = 0;
	text.len = MIN(text.len, (size_t)REPLY_BYTES / 2);
	do
		words[n++] = slice_cut(&text, '\n');
	while (text.at && n < WORDS_MAX);
	MUST(resp_format(&command, words, n) == 0);
	fuzz_printf(&expected, "*%zu ", n);
	for (size_t i = 0; i < n; i++) {
		fuzz_printf(&expected, "%d 0 %zu:", REDIS_REPLY_STRING, words[i].len);
		fuzz_append(&expected, words[i]);
	}
	struct buffer record = record_of(chunking, buffer_slice(&command));
	MUST(slice_equal(buffer_slice(&record), buffer_slice(&expected)));
	buffer_finish(&record);
	expected.len = 0;
	fuzz_printf(&expected, "*%zu ", n);
	for (size_t i = 0; i < n; i++) {
		fuzz_printf(&expected, "%zu:", words[i].len);
		fuzz_append(&expected, words[i]);
	}
	record = record_by(&taker, chunking, buffer_slice(&command));
	MUST(slice_equal(buffer_slice(&record), buffer_slice(&expected)));
	buffer_finish(&command);
	buffer_finish(&expected);
	buffer_finish(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t chunking = size ? data[0] : FUZZ_WHOLE;
	struct slice bytes = fuzz_rest(data, size);
	check_same(chunking, bytes, NULL);
	check_same(chunking, bytes, &taker);
	check_command(chunking, bytes);
	return 0;
}
