/* Commands: JSON is read without building a tree.
 *
 * json_text decides whether the text is JSON at all. The members are then visited once, one after
 * another, and the text can be trusted: every string, array and object has its end. So nothing is
 * allocated, and nothing can be read in two ways: a duplicate of a member that counts is refused.
 *
 *	{"type":"subscribe","id":1,"channel":"team:7"}
 *	 ^key   ^value      ^key ^value
 *
 * Keys and values are compared with their escapes decoded: "type" may be written "\u0074ype". An id
 * is not decoded but sent back as it was written, so it must be short. In a name, half a surrogate
 * pair becomes bytes that are not UTF-8, so the name is not valid. */
#include "sluice/proto/envelope_read.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "sluice/proto/text/hex.h"
#include "sluice/proto/text/json_text.h"

static struct slice skip_whitespace(struct slice rest)
{
	while (rest.len && strchr(" \t\n\r", rest.at[0]))
		rest = slice_skip(rest, 1);
	return rest;
}

/* The length of the string at the front, with its quotes. */
static size_t string_len(struct slice rest)
{
	size_t i = 1;
	while (rest.at[i] != '"')
		i += rest.at[i] == '\\' ? 2 : 1;
	return i + 1;
}

/* The length of the array or object at the front. */
static size_t nest_len(struct slice rest)
{
	size_t depth = 0, i = 0;
	do {
		char c = rest.at[i];
		if (c == '{' || c == '[')
			depth++;
		else if (c == '}' || c == ']')
			depth--;
		i += c == '"' ? string_len(slice_skip(rest, i)) : 1;
	} while (depth);
	return i;
}

static size_t value_len(struct slice rest)
{
	size_t i = 0;
	if (rest.at[0] == '"')
		return string_len(rest);
	if (rest.at[0] == '{' || rest.at[0] == '[')
		return nest_len(rest);
	while (!strchr(",} \t\n\r", rest.at[i]))
		i++;
	return i;
}

/* Takes `len` bytes, and drops the whitespace behind them. */
static struct slice cut(struct slice *rest, size_t len)
{
	struct slice part = slice_take_bytes(rest, len);
	*rest = skip_whitespace(*rest);
	return part;
}

/* Takes the next member of an object. False: there are no more. */
static bool next_member(struct slice *rest, struct slice *ret_key, struct slice *ret_value)
{
	if (rest->at[0] == '}')
		return false;
	if (rest->at[0] == ',')
		cut(rest, 1);
	*ret_key = cut(rest, string_len(*rest));
	cut(rest, 1); /* the colon */
	*ret_value = cut(rest, value_len(*rest));
	return true;
}

/* The character behind "\u", with its low surrogate if it has one. `ret_len`: how many bytes encode
 * it. */
static uint32_t escaped_unit(struct slice rest, size_t *ret_len)
{
	uint32_t high = hex_four(rest.at);
	*ret_len = 4;
	if (high < 0xd800 || high > 0xdbff || rest.len < 10 || rest.at[4] != '\\' ||
		rest.at[5] != 'u')
		return high;
	uint32_t low = hex_four(rest.at + 6);
	if (low < 0xdc00 || low > 0xdfff)
		return high;
	*ret_len = 10;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

static size_t put_utf8(char *out, uint32_t unit)
{
	static const unsigned char first[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = unit < 0x80 ? 1 : unit < 0x800 ? 2 : unit < 0x10000 ? 3 : 4;
	for (size_t i = len; i-- > 1; unit >>= 6)
		out[i] = (char)(0x80 | (unit & 0x3f));
	out[0] = (char)(first[len > 1 ? len : 0] | unit);
	return len;
}

/* Decodes one character of a string, at most 4 bytes. Returns how many. */
static size_t next_character(struct slice *rest, char *out)
{
	static const char escapes[] = "b\bf\fn\nr\rt\t";
	size_t len;
	if (rest->at[0] != '\\') {
		out[0] = rest->at[0];
		*rest = slice_skip(*rest, 1);
		return 1;
	}
	char letter = rest->at[1];
	*rest = slice_skip(*rest, 2);
	if (letter == 'u') {
		uint32_t unit = escaped_unit(*rest, &len);
		*rest = slice_skip(*rest, len);
		return put_utf8(out, unit);
	}
	const char *escape = strchr(escapes, letter);
	out[0] = escape ? escape[1] : letter;
	return 1;
}

/* Decodes a string. A longer one ends behind CHANNEL_NAME_MAX bytes, and so equals no name and no
 * keyword. */
static struct slice decode(struct slice string, char room[CHANNEL_NAME_MAX + 4])
{
	struct slice rest = slice_make(string.at + 1, string.len - 2);
	size_t len = 0;
	while (rest.len && len <= CHANNEL_NAME_MAX)
		len += next_character(&rest, room + len);
	return slice_make(room, len);
}

static bool is_string(struct slice value)
{
	return value.at[0] == '"';
}

/* An integer of at most 2^53 - 1 (ECMA-262 §21.1.2.6). */
static bool is_safe_integer(struct slice number)
{
	uint64_t value;
	slice_take_char(&number, '-');
	return slice_number(number, (UINT64_C(1) << 53) - 1, &value);
}

/* The members that count, as JSON; absent: not there. */
struct members {
	struct slice type, id, channel;
};

static int find_members(struct slice text, struct members *members)
{
	const struct {
		struct slice name, *value;
	} rows[] = { { SLICE("type"), &members->type }, { SLICE("id"), &members->id },
		{ SLICE("channel"), &members->channel } };
	struct slice key, value;
	bool twice = false;
	while (next_member(&text, &key, &value)) {
		char room[CHANNEL_NAME_MAX + 4];
		struct slice name = decode(key, room);
		for (size_t i = 0; i < COUNT_OF(rows); i++) {
			if (!slice_equal(name, rows[i].name))
				continue;
			twice |= rows[i].value->at != NULL;
			*rows[i].value = value;
		}
	}
	return twice ? -EINVAL : 0;
}

static const char *take_id(struct slice id, struct envelope_command *command)
{
	bool good = is_string(id) ? id.len - 2 <= ENVELOPE_ID_MAX : is_safe_integer(id);
	if (!good)
		return "id is neither a short string nor a whole number";
	command->id = id;
	return NULL;
}

static const char *take_type(struct slice type, struct envelope_command *command)
{
	static const struct slice names[] = { [ENVELOPE_SUBSCRIBE] = SLICE("subscribe"),
		[ENVELOPE_UNSUBSCRIBE] = SLICE("unsubscribe"),
		[ENVELOPE_PING] = SLICE("ping") };
	struct slice name = decode(type, command->room);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		if (!slice_equal(name, names[i]))
			continue;
		command->type = (enum envelope_type)i;
		return NULL;
	}
	return "type is none of subscribe, unsubscribe, ping";
}

static const char *take_members(const struct members *members, struct envelope_command *command)
{
	const char *problem = members->id.at ? take_id(members->id, command) : NULL;
	if (problem)
		return problem;
	if (!members->type.at || !is_string(members->type))
		return "type is missing, or no string";
	problem = take_type(members->type, command);
	if (problem || command->type == ENVELOPE_PING)
		return problem;
	if (!members->channel.at || !is_string(members->channel))
		return "channel is missing, or no string";
	command->channel = decode(members->channel, command->room);
	return NULL;
}

int envelope_read(struct slice text, struct envelope_command *ret_command, const char **ret_problem)
{
	struct members members = { 0 };
	ret_command->id = ret_command->channel = (struct slice){ 0 };
	*ret_problem = "not a JSON object";
	if (!json_text_is_valid(text, ENVELOPE_DEPTH_MAX))
		return -EINVAL;
	text = skip_whitespace(text);
	if (text.at[0] != '{')
		return -EINVAL;
	cut(&text, 1);
	*ret_problem = "a member is there twice";
	if (find_members(text, &members) != 0)
		return -EINVAL;
	*ret_problem = take_members(&members, ret_command);
	return *ret_problem ? -EINVAL : 0;
}
