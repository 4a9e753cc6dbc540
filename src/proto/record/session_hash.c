#include "sluice/proto/record/session_hash.h"

#include "sluice/proto/record/session_tree.h"
#include "sluice/proto/text/json_text.h"

/* The text of a serialized String (Java Object Serialization Specification §6.4): magic and version
 * of the stream, TC_STRING, the length in two bytes, the text. Absent: `value` is something
 * else. */
static struct slice jdk_string(struct slice value)
{
	static const struct slice head = { "\xac\xed\x00\x05t", 5 };
	struct slice none = { NULL, 0 };
	if (value.len < head.len + 2 || !slice_starts_with(value, head))
		return none;
	value = slice_skip(value, head.len);
	size_t len = (size_t)(unsigned char)value.at[0] << 8 | (unsigned char)value.at[1];
	value = slice_skip(value, 2);
	return value.len == len ? value : none;
}

int session_hash_field(
	struct json_printer *printer, bool *more, struct slice name, struct slice value)
{
	if (!json_print_can_hold(name))
		return 0;
	int error = json_print_name(printer, *more, name);
	*more = true;
	if (error)
		return error;
	if (json_text_is_valid(value, SESSION_VALUE_DEPTH_MAX - 1))
		return json_print(printer, value);
	struct slice text = jdk_string(value);
	return json_print_text(printer, text.at ? text : value);
}
