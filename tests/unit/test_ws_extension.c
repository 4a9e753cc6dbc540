/* Offers, and how they are judged. Every header value is a heap block of its exact size, so that a
 * sanitizer sees a read beyond it. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/defs.h"
#include "sluice/proto/ws/ws_extension.h"

#define PMD    "permessage-deflate"
#define SERVER "server_max_window_bits"
#define CLIENT "client_max_window_bits"
#define SNCT   "server_no_context_takeover"
#define CNCT   "client_no_context_takeover"

enum { LINES_MAX = 3 };

static const struct {
	const char *lines[LINES_MAX];
	const char *
		result; /* "400"; "no": declined; "15": accepted; "=9": accepted, and names our window */
} cases[] = {
	/* no offer */
	{ { NULL }, "no" },
	{ { "x" }, "no" },
	{ { "x-webkit-deflate-frame" }, "no" },
	{ { "permessage-bzip2; a=1, x; y; z=\"w\"" }, "no" },

	/* offers of browsers */
	{ { PMD }, "15" },
	{ { PMD "; " CLIENT }, "15" },

	/* every parameter with every valid value (RFC 7692 §7.1) */
	{ { PMD "; " SNCT }, "15" },
	{ { PMD "; " CNCT }, "15" },
	{ { PMD "; " SNCT "; " CNCT }, "15" },
	{ { PMD "; " CLIENT "=8" }, "15" },
	{ { PMD "; " CLIENT "=9" }, "15" },
	{ { PMD "; " CLIENT "=10" }, "15" },
	{ { PMD "; " CLIENT "=15" }, "15" },
	{ { PMD "; " SERVER "=8" }, "=8" },
	{ { PMD "; " SERVER "=9" }, "=9" },
	{ { PMD "; " SERVER "=10" }, "=10" },
	{ { PMD "; " SERVER "=11" }, "=11" },
	{ { PMD "; " SERVER "=12" }, "=12" },
	{ { PMD "; " SERVER "=13" }, "=13" },
	{ { PMD "; " SERVER "=14" }, "=14" },
	{ { PMD "; " SERVER "=15" }, "=15" },
	{ { PMD "; " SNCT "; " CNCT "; " SERVER "=12; " CLIENT "=11" }, "=12" },
	{ { PMD "; " CLIENT "; " SERVER "=10; " CNCT "; " SNCT }, "=10" },

	/* invalid values */
	{ { PMD "; " SERVER }, "no" },
	{ { PMD "; " SERVER "=7" }, "no" },
	{ { PMD "; " SERVER "=16" }, "no" },
	{ { PMD "; " SERVER "=0" }, "no" },
	{ { PMD "; " SERVER "=1" }, "no" },
	{ { PMD "; " SERVER "=08" }, "no" },
	{ { PMD "; " SERVER "=010" }, "no" },
	{ { PMD "; " SERVER "=100" }, "no" },
	{ { PMD "; " SERVER "=150" }, "no" },
	{ { PMD "; " SERVER "=4294967306" }, "no" },
	{ { PMD "; " SERVER "=264" }, "no" },
	{ { PMD "; " SERVER "=18446744073709551626" }, "no" },
	{ { PMD "; " SERVER "=+9" }, "no" },
	{ { PMD "; " SERVER "=-9" }, "no" },
	{ { PMD "; " SERVER "=9.0" }, "no" },
	{ { PMD "; " SERVER "=0x9" }, "no" },
	{ { PMD "; " SERVER "=nine" }, "no" },
	{ { PMD "; " CLIENT "=7" }, "no" },
	{ { PMD "; " CLIENT "=16" }, "no" },
	{ { PMD "; " CLIENT "=09" }, "no" },
	{ { PMD "; " CLIENT "=x" }, "no" },
	{ { PMD "; " SNCT "=1" }, "no" },
	{ { PMD "; " SNCT "=true" }, "no" },
	{ { PMD "; " CNCT "=0" }, "no" },
	{ { PMD "; " CNCT "=\"a\"" }, "no" },

	/* unknown parameters */
	{ { PMD "; x" }, "no" },
	{ { PMD "; x=1; " CLIENT }, "no" },
	{ { PMD "; " SERVER "=10; x" }, "no" },
	{ { PMD "; mem_level=8" }, "no" },
	{ { PMD "; Server_Max_Window_Bits=10" }, "no" },
	{ { PMD "; " SERVER "2=10" }, "no" },
	{ { PMD "; server_max_window_bit=10" }, "no" },

	/* duplicates */
	{ { PMD "; " SNCT "; " SNCT }, "no" },
	{ { PMD "; " CNCT "; " SNCT "; " CNCT }, "no" },
	{ { PMD "; " SERVER "=10; " SERVER "=10" }, "no" },
	{ { PMD "; " SERVER "=10; " SERVER "=11" }, "no" },
	{ { PMD "; " CLIENT "; " CLIENT }, "no" },
	{ { PMD "; " CLIENT "; " CLIENT "=10" }, "no" },

	/* other names */
	{ { "Permessage-Deflate" }, "no" },
	{ { PMD "2" }, "no" },
	{ { "permessage-deflat" }, "no" },

	/* the first acceptable offer is accepted */
	{ { PMD "; " SERVER "=10, " PMD }, "=10" },
	{ { PMD ", " PMD "; " SERVER "=10" }, "15" },
	{ { PMD "; " SERVER "=7, " PMD "; " SERVER "=9, " PMD }, "=9" },
	{ { PMD "; x, " PMD "; y=1, " PMD "; " CLIENT }, "15" },
	{ { PMD "; " SERVER "=1, " PMD "; " SERVER "=2" }, "no" },
	{ { "x; " SERVER "=9, y, " PMD "; " SERVER "=12, z" }, "=12" },
	{ { "x", PMD "; " SERVER "=13", PMD }, "=13" },
	{ { PMD "; " SERVER "=16", PMD "; " SERVER "=14" }, "=14" },

	/* blanks and empty elements */
	{ { PMD ";" SERVER "=10;" CLIENT ",x" }, "=10" },
	{ { PMD " \t;\t " SERVER " =\t10 ; " CLIENT " \t, x" }, "=10" },
	{ { "," PMD }, "15" },
	{ { ",, ,\t," PMD " ,," }, "15" },
	{ { "", PMD }, "15" },
	{ { PMD, ",", "" }, "15" },

	/* quoted values (RFC 6455 §9.1) */
	{ { PMD "; " SERVER "=\"10\"" }, "=10" },
	{ { PMD "; " SERVER "=\"\\1\\0\"" }, "=10" },
	{ { PMD "; " SERVER "=\"1\\5\" ; " CLIENT " = \"\\9\"" }, "=15" },
	{ { PMD "; " SERVER "=\"7\"" }, "no" },
	{ { PMD "; " SERVER "=\"010\"" }, "no" },
	{ { PMD "; " CLIENT "=\"\\1\\6\"" }, "no" },
	{ { "x; y=\"z\\z\", " PMD }, "15" },

	/* not a list */
	{ { "" }, "400" },
	{ { "," }, "400" },
	{ { ", ,\t,", "" }, "400" },
	{ { ";" }, "400" },
	{ { "=" }, "400" },
	{ { PMD ";" }, "400" },
	{ { PMD "; " }, "400" },
	{ { PMD ";;" CLIENT }, "400" },
	{ { PMD "; " SERVER "=" }, "400" },
	{ { PMD "; " SERVER "=, x" }, "400" },
	{ { PMD "; =10" }, "400" },
	{ { PMD "=10" }, "400" },
	{ { PMD " " CLIENT }, "400" },
	{ { PMD "; " SERVER "=10 11" }, "400" },
	{ { PMD "; " SERVER "=10=11" }, "400" },
	{ { PMD "; " SERVER " 10" }, "400" },
	{ { PMD "; " SNCT " " CNCT }, "400" },
	{ { PMD "/1" }, "400" },
	{ { PMD "; a/b" }, "400" },
	{ { PMD "; a=b/c" }, "400" },
	{ { "(x)" }, "400" },
	{ { "\"" PMD "\"" }, "400" },
	{ { PMD "; \"" CLIENT "\"" }, "400" },
	{ { PMD "; " SERVER "=\"10" }, "400" },
	{ { PMD "; " SERVER "=\"" }, "400" },
	{ { PMD "; " SERVER "=\"\"" }, "400" },
	{ { PMD "; " SERVER "=\"\\\"" }, "400" },
	{ { PMD "; " SERVER "=\"\\" }, "400" },
	{ { PMD "; " SERVER "=\"10\"x" }, "400" },
	{ { PMD "; " SERVER "=\"10\"\"11\"" }, "400" },
	{ { PMD "; " SERVER "=1\"0\"" }, "400" },
	{ { PMD "; " SERVER "='10'; x=@" }, "400" },
	{ { "x; y=\"a b\"" }, "400" },
	{ { "x; y=\"a,b\", " PMD }, "400" },
	{ { "x; y=\"\\\"\"" }, "400" },
	{ { "x; y=\"\\\\\"" }, "400" },
	{ { "x; y=\"a", "b\"" }, "400" },
	{ { "\xC3\xA9" }, "400" },
	{ { "x; y=\xFF" }, "400" },
	{ { "x; y=\"\xFF\"" }, "400" },

	/* one mistake anywhere refuses the whole header */
	{ { PMD ", " PMD ";" }, "400" },
	{ { ";, " PMD }, "400" },
	{ { PMD, "x y" }, "400" },
	{ { "x=1", PMD }, "400" },
	{ { PMD "; x; y=" }, "400" },
};

static char *copy_of(const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len);
	assert_true(copy || !len);
	if (len)
		memcpy(copy, text, len);
	return copy;
}

static void add_header(struct http_request *request, const char *name, const char *value)
{
	request->headers[request->n_headers++] = (struct http_header){
		.name = slice_of(name),
		.value = slice_make(copy_of(value), strlen(value)),
	};
}

static int choose(const char *const lines[LINES_MAX], struct ws_extension *chosen)
{
	static const char *const names[] = { "Sec-WebSocket-Extensions", "sec-websocket-extensions",
		"SEC-WEBSOCKET-EXTENSIONS" };
	struct http_request request = { 0 };
	add_header(&request, "Sec-WebSocket-Extension", ";");
	for (size_t i = 0; i < LINES_MAX && lines[i]; i++)
		add_header(&request, names[i], lines[i]);
	int error = ws_extension_choose(&request, chosen);
	for (size_t i = 0; i < request.n_headers; i++)
		free((void *)(uintptr_t)request.headers[i].value.at);
	return error;
}

static void result_of(const char *const lines[LINES_MAX], char result[8])
{
	struct ws_extension chosen;
	int error = choose(lines, &chosen);
	assert_true(error == 0 || error == -EPROTO);
	if (error)
		snprintf(result, 8, "400");
	else if (!chosen.window_bits)
		snprintf(result, 8, "no");
	else
		snprintf(result, 8, "%s%u", chosen.names_our_window ? "=" : "", chosen.window_bits);
}

static void judges_every_offer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char result[8];
		result_of(cases[i].lines, result);
		if (strcmp(result, cases[i].result) != 0)
			fail_msg("%s in place of %s: %s", result, cases[i].result,
				cases[i].lines[0]);
	}
}

/* All names and values with every separator and blank between them; each byte is removed or doubled
 * once, and the result must be judged without a read beyond it. */
static void judges_headers_with_a_byte_more_or_less(void **state)
{
	(void)state;
	static const char offer[] = PMD " ; " SERVER " = \"1\\1\" ; " CLIENT "=10 , x;y=\"z\"";
	char changed[sizeof(offer) + 1];
	const char *const lines[LINES_MAX] = { changed };
	for (size_t i = 0; i + 1 < sizeof(offer); i++) {
		struct ws_extension chosen;
		memcpy(changed, offer, i);
		memcpy(changed + i, offer + i + 1, sizeof(offer) - i - 1);
		(void)choose(lines, &chosen);
		assert_in_range(chosen.window_bits, 0, 15);
		memcpy(changed + i + 1, offer + i, sizeof(offer) - i);
		changed[i] = offer[i];
		(void)choose(lines, &chosen);
		assert_in_range(chosen.window_bits, 0, 15);
	}
}

static void assert_answer(struct ws_extension chosen, const char *expected)
{
	struct buffer answer = { 0 };
	assert_int_equal(ws_extension_answer(&chosen, &answer), 0);
	assert_true(slice_equal(buffer_slice(&answer), slice_of(expected)));
	buffer_finish(&answer);
}

#define ANSWER "Sec-WebSocket-Extensions: " PMD "; " SNCT "; " CNCT

static void answers_the_chosen_offer(void **state)
{
	(void)state;
	assert_answer((struct ws_extension){ 0 }, "");
	assert_answer((struct ws_extension){ 15, false }, ANSWER "\r\n");
	assert_answer((struct ws_extension){ 15, true }, ANSWER "; " SERVER "=15\r\n");
	assert_answer((struct ws_extension){ 10, true }, ANSWER "; " SERVER "=10\r\n");
	assert_answer((struct ws_extension){ 9, true }, ANSWER "; " SERVER "=9\r\n");
	assert_answer((struct ws_extension){ 8, true }, ANSWER "; " SERVER "=8\r\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judges_every_offer),
		cmocka_unit_test(judges_headers_with_a_byte_more_or_less),
		cmocka_unit_test(answers_the_chosen_offer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
