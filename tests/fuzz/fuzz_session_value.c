/* The session record in JSON. The first line of the input is a path, the rest the record; the first
 * byte chooses the conditions for being logged in. */
#include "fuzz_record.h"

#include "sluice/proto/text/json_text.h"

/* A record that is JSON is read, and one that is not is refused, if only Python's numbers are left
 * aside, and text that is not UTF-8 where it does not count. */
static void check_grammar(struct slice json, int result)
{
	bool is_object = false;
	for (struct slice rest = json; rest.len && !is_object; rest = slice_skip(rest, 1)) {
		is_object = rest.at[0] == '{';
		if (!strchr(" \t\n\r{", rest.at[0]))
			break;
	}
	if (!json.at || !json.len)
		return;
	if (json_text_is_valid(json, FUZZ_DEPTH))
		MUST(result == (is_object ? 0 : -EACCES));
	else if (utf8_reference(json) == UTF8_VALID && !memmem(json.at, json.len, "NaN", 3) &&
		 !memmem(json.at, json.len, "Infinity", 8))
		MUST(result != 0);
}

/* Whitespace around a record changes nothing; any other byte behind it, or a missing one, makes it
 * invalid. */
static void check_surroundings(struct slice json)
{
	struct session_value_settings nothing = { .user = SLICE("a") };
	struct buffer more = { 0 };
	fuzz_printf(&more, " \r\n\t");
	fuzz_append(&more, json);
	fuzz_printf(&more, " ");
	MUST(fuzz_record(&nothing, RECORD_FORMAT_JSON, buffer_slice(&more)) == 0);
	fuzz_printf(&more, "}");
	MUST(fuzz_record(&nothing, RECORD_FORMAT_JSON, buffer_slice(&more)) == -EINVAL);
	buffer_finish(&more);
	while (strchr(" \r\n\t", json.at[json.len - 1]))
		json.len--;
	json.len--;
	MUST(fuzz_record(&nothing, RECORD_FORMAT_JSON, json) != 0);
}

/* A string with a NUL in it would be read as a shorter one, so nothing of it may count: the fields
 * of the record, read once more behind one, are the same. */
static void check_that_others_do_not_count(struct slice path, struct slice json)
{
	struct session_value_settings settings = { .user = path };
	struct identity alone, behind;
	struct buffer more = { 0 };
	while (json.at[0] != '{')
		json = slice_skip(json, 1);
	fuzz_printf(&more, "{\"\\u0000\":\"\\ud83d\",\"\\u0000\":NaN,\"");
	fuzz_printf(&more, "z\":{\"a\":1,\"a\":1}");
	struct slice rest = slice_skip(json, 1);
	while (strchr(" \r\n\t", rest.at[0]))
		rest = slice_skip(rest, 1);
	fuzz_printf(&more, rest.at[0] == '}' ? "" : ",");
	fuzz_append(&more, rest);
	MUST(fuzz_read(&alone, &settings, RECORD_FORMAT_JSON, json, SIZE_MAX) == 0);
	MUST(fuzz_read(&behind, &settings, RECORD_FORMAT_JSON, buffer_slice(&more), SIZE_MAX) == 0);
	if (!slice_starts_with(path, SLICE("z")) && !slice_starts_with(path, SLICE("/z")))
		MUST(slice_equal(alone.user, behind.user));
	identity_finish(&alone);
	identity_finish(&behind);
	buffer_finish(&more);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice json = fuzz_rest(data, size), path = slice_cut(&json, '\n');
	unsigned wants = size ? data[0] : 0;
	int result = fuzz_record_and_path(RECORD_FORMAT_JSON, path, json, wants);
	check_grammar(json, result);
	if (result)
		return 0;
	check_surroundings(json);
	check_that_others_do_not_count(path, json);
	return 0;
}
