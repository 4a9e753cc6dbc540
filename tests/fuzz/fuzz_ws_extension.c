/* ws_extension compared with a reference that first cuts the header into tokens and separators and
 * then checks their order. Each line of the input is a header; joined by commas into one header
 * they must mean the same. The first byte is ignored. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/ws/ws_extension.h"

enum { LEXEMES_MAX = 4096, MALFORMED = -1, DECLINED = 0, NAMED = 100 };

/* ---- ws_extension ---- */

/* MALFORMED, DECLINED, or the bits of the window, with NAMED if the answer names them. */
static int choose(struct http_request *request)
{
	struct ws_extension chosen;
	int error = ws_extension_choose(request, &chosen);
	MUST(error == 0 || error == -EPROTO);
	MUST(error || chosen.window_bits || !chosen.names_our_window);
	return error ? MALFORMED : chosen.window_bits + (chosen.names_our_window ? NAMED : 0);
}

static void add_header(struct http_request *request, struct slice value)
{
	request->headers[request->n_headers++] = (struct http_header){
		.name = SLICE("Sec-WebSocket-Extensions"),
		.value = fuzz_copy(slice_trim(value)),
	};
}

static int choose_from_lines(struct slice text, char separator)
{
	struct http_request request = { 0 };
	do
		add_header(&request, slice_cut(&text, separator));
	while (text.at && request.n_headers < HTTP_HEADERS_MAX);
	int result = choose(&request);
	for (size_t i = 0; i < request.n_headers; i++)
		fuzz_free(request.headers[i].value);
	return result;
}

/* ---- the reference ---- */

struct lexeme {
	char kind; /* 't' a token, 'q' one in quotes, or the separator itself */
	char text[32];
	size_t len; /* of the whole text; `text` gets shorter */
};

static void put(struct lexeme *lexeme, char byte)
{
	if (lexeme->len + 1 < sizeof(lexeme->text))
		lexeme->text[lexeme->len] = byte;
	lexeme->len++;
}

/* The number of lexemes, or MALFORMED. */
static int lex(struct slice text, struct lexeme *lexemes)
{
	int n = 0;
	for (size_t i = 0; i < text.len;) {
		char c = text.at[i];
		if (c == ' ' || c == '\t') {
			i++;
			continue;
		}
		struct lexeme *lexeme = &lexemes[n++];
		*lexeme = (struct lexeme){ .kind = c };
		if (c == ';' || c == ',' || c == '=') {
			i++;
		} else if (http_is_token_char(c)) {
			lexeme->kind = 't';
			while (i < text.len && http_is_token_char(text.at[i]))
				put(lexeme, text.at[i++]);
		} else if (c == '"') {
			lexeme->kind = 'q';
			for (i++; i < text.len && text.at[i] != '"'; i++) {
				if (text.at[i] == '\\')
					i++;
				if (i >= text.len || !http_is_token_char(text.at[i]))
					return MALFORMED;
				put(lexeme, text.at[i]);
			}
			if (i >= text.len || !lexeme->len)
				return MALFORMED;
			i++;
		} else {
			return MALFORMED;
		}
	}
	return n;
}

static bool is(const struct lexeme *lexeme, const char *text)
{
	return lexeme->len == strlen(text) && !strcmp(lexeme->text, text);
}

static int bits_of(const struct lexeme *value)
{
	static const char *const legal[] = { "8", "9", "10", "11", "12", "13", "14", "15" };
	for (int i = 0; i < 8; i++)
		if (value && is(value, legal[i]))
			return 8 + i;
	return 0;
}

struct reference {
	int result; /* of the offers so far */
	/* of the offer under way */
	bool good;
	int bits; /* 0: not named */
	unsigned seen;
};

static void see_parameter(
	struct reference *reference, const struct lexeme *name, const struct lexeme *value)
{
	unsigned which = is(name, "server_no_context_takeover")   ? 1
			 : is(name, "client_no_context_takeover") ? 2
			 : is(name, "server_max_window_bits")     ? 4
			 : is(name, "client_max_window_bits")     ? 8
								  : 0;
	bool good = which == 4   ? bits_of(value) != 0
		    : which == 8 ? !value || bits_of(value)
				 : which && !value;
	if (!good || reference->seen & which)
		reference->good = false;
	if (which == 4)
		reference->bits = bits_of(value);
	reference->seen |= which;
}

static void see_end_of_offer(struct reference *reference)
{
	if (reference->result == DECLINED && reference->good)
		reference->result = reference->seen & 4 ? reference->bits + NAMED : 15;
}

static int read_lexemes(const struct lexeme *at, int n)
{
	struct reference reference = { .result = DECLINED };
	int elements = 0;
	for (int i = 0; i < n;) {
		if (at[i].kind == ',') {
			i++;
			continue;
		}
		if (at[i].kind != 't')
			return MALFORMED;
		reference.good = is(&at[i++], "permessage-deflate");
		reference.seen = 0;
		while (i < n && at[i].kind == ';') {
			if (i + 1 >= n || at[i + 1].kind != 't')
				return MALFORMED;
			const struct lexeme *name = &at[i + 1], *value = NULL;
			i += 2;
			if (i < n && at[i].kind == '=') {
				if (i + 1 >= n || !strchr("tq", at[i + 1].kind))
					return MALFORMED;
				value = &at[i + 1];
				i += 2;
			}
			see_parameter(&reference, name, value);
		}
		if (i < n && at[i].kind != ',')
			return MALFORMED;
		see_end_of_offer(&reference);
		elements++;
	}
	return elements ? reference.result : MALFORMED;
}

/* ---- the comparison ---- */

static void check_answer(int result)
{
	struct ws_extension chosen = { (uint8_t)(result % NAMED), result >= NAMED };
	static const struct slice NAME = { "Sec-WebSocket-Extensions: ", 26 };
	struct buffer answer = { 0 };
	MUST(ws_extension_answer(&chosen, &answer) == 0);
	if (result == DECLINED) {
		MUST(answer.len == 0);
	} else {
		/* The answer is a list itself, whose only element is the chosen offer. */
		struct slice line = buffer_slice(&answer);
		MUST(slice_starts_with(line, NAME) && line.at[line.len - 1] == '\n');
		line = slice_skip(slice_make(line.at, line.len - 2), NAME.len);
		MUST(choose_from_lines(line, '\n') == result);
	}
	buffer_finish(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lexeme lexemes[LEXEMES_MAX];
	struct slice text = fuzz_rest(data, MIN(size, LEXEMES_MAX));
	struct buffer joined = { 0 };
	size_t lines = 1;
	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	if (lines > HTTP_HEADERS_MAX)
		return 0;
	fuzz_append(&joined, text);
	for (size_t i = 0; i < joined.len; i++)
		if (joined.bytes[i] == '\n')
			joined.bytes[i] = ',';
	int n = lex(buffer_slice(&joined), lexemes);
	int expected = n < 0 ? MALFORMED : read_lexemes(lexemes, n);
	MUST(choose_from_lines(text, '\n') == expected);
	MUST(choose_from_lines(buffer_slice(&joined), '\n') == expected);
	if (expected != MALFORMED)
		check_answer(expected);
	buffer_finish(&joined);
	return 0;
}
