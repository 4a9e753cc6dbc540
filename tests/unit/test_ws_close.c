#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/utf8.h"
#include "sluice/proto/ws/ws_close.h"
#include "unit.h"

/* The first and the last code of every range, and whether they may be sent. */
static void knows_the_codes_that_may_be_sent(void **state)
{
	(void)state;
	static const struct {
		unsigned first, last;
		bool valid;
	} runs[] = {
		{ 0, 999, false },
		{ 1000, 1003, true },
		{ 1004, 1006, false },
		{ 1007, 1014, true },
		{ 1015, 2999, false },
		{ 3000, 4999, true },
		{ 5000, 70000, false },
	};
	for (size_t i = 0; i < COUNT_OF(runs); i++) {
		for (unsigned code = runs[i].first; code <= runs[i].last; code++)
			assert_int_equal(ws_close_code_is_valid(code), runs[i].valid);
	}
	assert_false(ws_close_code_is_valid(65536 + 1000));
	assert_false(ws_close_code_is_valid(UINT32_MAX));
}

static void parses_payloads(void **state)
{
	(void)state;
	static const struct {
		struct slice payload;
		int failure;
		unsigned code;
		struct slice reason;
	} cases[] = {
		{ { "", 0 }, 0, 1005, { "", 0 } },
		{ { NULL, 0 }, 0, 1005, { "", 0 } },
		{ { "\x03", 1 }, 1002, 0, { 0 } },
		{ { "\x03\xE8", 2 }, 0, 1000, { "", 0 } },
		{ { "\x03\xE8over", 6 }, 0, 1000, { "over", 4 } },
		{ { "\x03\xE9\xE2\x82\xAC", 5 }, 0, 1001, { "\xE2\x82\xAC", 3 } },
		{ { "\x03\xE8x\0y", 5 }, 0, 1000, { "x\0y", 3 } },
		{ { "\x0B\xB8", 2 }, 0, 3000, { "", 0 } },
		{ { "\x13\x87", 2 }, 0, 4999, { "", 0 } },
		{ { "\x03\xF6", 2 }, 0, 1014, { "", 0 } },
		{ { "\x00\x00", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xE7", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xEC", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xED", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xEE", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xF7", 2 }, 1002, 0, { 0 } },
		{ { "\x0B\xB7", 2 }, 1002, 0, { 0 } },
		{ { "\x13\x88", 2 }, 1002, 0, { 0 } },
		{ { "\xFF\xFF", 2 }, 1002, 0, { 0 } },
		{ { "\x03\xE8\xFF", 3 }, 1007, 0, { 0 } },
		{ { "\x03\xE8\xE2\x82", 4 }, 1007, 0, { 0 } },
		{ { "\x03\xE8\xED\xA0\x80", 5 }, 1007, 0, { 0 } },
		/* The code is checked first. */
		{ { "\x03\xED\xFF", 3 }, 1002, 0, { 0 } },
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		unsigned code;
		struct slice reason;
		assert_int_equal(
			ws_close_parse(cases[i].payload, &code, &reason), cases[i].failure);
		if (cases[i].failure)
			continue;
		assert_int_equal(code, cases[i].code);
		assert_true(slice_equal(reason, cases[i].reason));
	}
}

static void parses_what_it_formats(void **state)
{
	(void)state;
	char payload[125];
	unsigned code;
	struct slice reason;
	size_t len = ws_close_format(payload, 4401, SLICE("session ended"));
	assert_int_equal(len, 15);
	assert_memory_equal(payload, "\x11\x31session ended", len);
	assert_int_equal(ws_close_parse(slice_make(payload, len), &code, &reason), 0);
	assert_int_equal(code, WS_CLOSE_SESSION_ENDED);
	assert_true(slice_equal(reason, SLICE("session ended")));
}

static void formats_no_code_that_may_not_be_sent(void **state)
{
	(void)state;
	static const unsigned codes[] = { 0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 66536 };
	char payload[125];
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		assert_int_equal(ws_close_format(payload, codes[i], SLICE("reason")), 0);
	assert_int_equal(ws_close_format(payload, 1000, (struct slice){ NULL, 0 }), 2);
}

/* A character of 1 to 4 bytes at every position around the 123rd byte. */
static void cuts_a_long_reason_between_characters(void **state)
{
	(void)state;
	static const char *characters[] = { "a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x94\x91" };
	for (size_t i = 0; i < COUNT_OF(characters); i++) {
		size_t character_len = strlen(characters[i]);
		for (size_t before = WS_CLOSE_REASON_MAX - 4; before <= WS_CLOSE_REASON_MAX;
			before++) {
			char text[140], payload[125];
			memset(text, 'x', sizeof(text));
			memcpy(text + before, characters[i], character_len);
			size_t len = ws_close_format(payload, 1000, slice_make(text, sizeof(text)));
			bool cut_within = before < WS_CLOSE_REASON_MAX &&
					  before + character_len > WS_CLOSE_REASON_MAX;
			assert_int_equal(len, 2 + (cut_within ? before : WS_CLOSE_REASON_MAX));
			assert_true(utf8_is_valid(slice_make(payload + 2, len - 2)));
			assert_memory_equal(payload + 2, text, len - 2);
		}
	}
	char payload[125], text[WS_CLOSE_REASON_MAX];
	memset(text, 'x', sizeof(text));
	assert_int_equal(ws_close_format(payload, 1000, slice_make(text, sizeof(text))), 125);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_codes_that_may_be_sent),
		cmocka_unit_test(parses_payloads),
		cmocka_unit_test(parses_what_it_formats),
		cmocka_unit_test(formats_no_code_that_may_not_be_sent),
		cmocka_unit_test(cuts_a_long_reason_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
