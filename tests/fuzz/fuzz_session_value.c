/* The session record: identity_parse and identity_texts. The first line of the input is a path, the
 * rest the record; the first byte chooses the conditions for being logged in. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/record/session_value.h"
#include "sluice/proto/text/json_text.h"
#include "utf8_reference.h"

enum { WANTS_AUTHENTICATED = 2, WANTS_PRESENT = 4, WANTS_END = 8 };

static void check_text(struct slice text)
{
	MUST(text.len > 0 && utf8_reference(text) == UTF8_VALID && !memchr(text.at, 0, text.len));
}

static void check_identity(const struct identity *identity, struct slice path)
{
	struct identity_texts texts = identity_texts(identity, path);
	bool is_array = texts.is_array;
	size_t n = 0;
	for (struct slice text; (text = identity_texts_next(&texts)).at; n++) {
		check_text(text);
		if (!is_array && identity->user.at)
			MUST(slice_equal(text, identity->user));
	}
	MUST(is_array || n <= 1);
	if (identity->user.at) {
		check_text(identity->user);
		MUST(n == 1 && !is_array);
	}
}

static bool is_taken(const struct session_value_settings *settings, struct slice json)
{
	struct identity identity;
	struct slice copy = fuzz_copy(json);
	int error = identity_parse(&identity, settings, copy);
	MUST(error == 0 || error == -EACCES);
	fuzz_free(copy);
	if (error)
		return false;
	check_identity(&identity, settings->user);
	identity_finish(&identity);
	return true;
}

/* A string with a NUL in it would be read as a shorter one. */
static void check_escapes(struct slice json)
{
	for (size_t i = 0; i < json.len; i++) {
		if (json.at[i] != '\\')
			continue;
		MUST(!slice_starts_with(slice_skip(json, i), SLICE("\\u0000")));
		i++;
	}
}

/* Whitespace around a record changes nothing; any other byte behind it, or a missing one, makes it
 * invalid. */
static void check_surroundings(const struct session_value_settings *settings, struct slice json)
{
	struct buffer more = { 0 };
	fuzz_printf(&more, " \r\n\t");
	fuzz_append(&more, json);
	bool fits = more.len < SESSION_VALUE_BYTES_MAX;
	fuzz_printf(&more, " ");
	MUST(is_taken(settings, buffer_slice(&more)) == fits);
	fuzz_printf(&more, "}");
	MUST(!is_taken(settings, buffer_slice(&more)));
	buffer_finish(&more);

	while (strchr(" \r\n\t", json.at[json.len - 1]))
		json.len--;
	json.len--;
	MUST(!is_taken(settings, json));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json = fuzz_rest(data, size), path = slice_cut(&json, '\n');
	unsigned wants = size ? data[0] : 0;
	const struct session_value_settings lenient = { .user = path }, strict = {
		.authenticated = wants & WANTS_AUTHENTICATED ? SLICE("authenticated") : SLICE(""),
		.user = path,
		.present = wants & WANTS_PRESENT ? path : SLICE(""),
		.expires = wants & WANTS_END ? path : SLICE(""),
	};
	bool taken = is_taken(&lenient, json);
	MUST(taken || !is_taken(&strict, json));
	if (!taken)
		return 0;
	MUST(json_text_is_valid(json, SESSION_VALUE_DEPTH_MAX));
	MUST(utf8_reference(json) == UTF8_VALID && json.len <= SESSION_VALUE_BYTES_MAX);
	check_escapes(json);
	check_surroundings(&lenient, json);
	return 0;
}
