/* Control characters and bad UTF-8 have no use in a name. "__" begins the names of Redis' keyspace
 * notifications, which contain session ids. */
#include "sluice/proto/channel_name.h"

#include "sluice/proto/text/utf8.h"

static bool has_control_character(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f)
			return true;
	}
	return false;
}

const char *channel_name_problem(struct slice text)
{
	if (has_control_character(text) || !utf8_is_valid(text))
		return "channel names are valid UTF-8 without control characters";
	if (slice_starts_with(text, SLICE("__")))
		return "channels that begin with '__' belong to Redis and are never delivered";
	return NULL;
}

bool channel_name_is_valid(struct slice name)
{
	return name.len > 0 && name.len <= CHANNEL_NAME_MAX && !channel_name_problem(name);
}
