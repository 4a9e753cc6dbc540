/* The state machine compared with arithmetic, at every byte and in pieces. */
#include "fuzz.h"
#include "sluice/proto/text/utf8.h"
#include "utf8_reference.h"

enum { TEXT_MAX = 512 }; /* every prefix is read again, which is quadratic */

struct run {
	struct utf8 utf8;
	bool good;
};

static void feed(void *context, char *bytes, size_t len)
{
	struct run *run = context;
	bool good = utf8_feed(&run->utf8, slice_make(bytes, len));
	MUST(run->good || !good || len == 0); /* a refusal is final */
	run->good = run->good && good;
}

/* Refused from exactly the byte that makes it invalid, and complete where a character ends. */
static void check_prefixes(struct slice text)
{
	struct utf8 utf8 = { 0 };
	for (size_t i = 0; i < text.len; i++) {
		bool good = utf8_feed(&utf8, slice_make(text.at + i, 1));
		enum utf8_verdict verdict = utf8_reference(slice_make(text.at, i + 1));
		MUST(good == (verdict != UTF8_INVALID));
		if (!good)
			return;
		MUST(utf8_is_complete(&utf8) == (verdict == UTF8_VALID));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = fuzz_rest(data, size);
	text.len = MIN(text.len, TEXT_MAX);
	enum utf8_verdict verdict = utf8_reference(text);
	MUST(utf8_is_valid(text) == (verdict == UTF8_VALID));
	check_prefixes(text);

	struct run run = { .good = true };
	fuzz_feed(size ? data[0] : FUZZ_WHOLE, text, feed, &run);
	MUST(run.good == (verdict != UTF8_INVALID));
	if (run.good)
		MUST(utf8_is_complete(&run.utf8) == (verdict == UTF8_VALID));
	return 0;
}
