/* One field a line, "name:value". What is malformed counts as absent. */
#include "sluice/redis/info/server_info.h"

#include <ctype.h>
#include <stdbool.h>

#include "sluice/proto/text/hex.h"

enum { RUN_ID_DIGITS = 16, DIGITS_MAX = 19 };

static uint64_t read_run_id(struct slice text)
{
	uint64_t number = 0;
	for (size_t i = 0; i < RUN_ID_DIGITS; i++) {
		int digit = i < text.len && !isupper((unsigned char)text.at[i])
				    ? hex_digit(text.at[i])
				    : -1;
		if (digit < 0)
			return 0;
		number = number << 4 | (unsigned)digit;
	}
	return number;
}

static uint64_t read_decimal(struct slice text)
{
	uint64_t number;
	return text.len <= DIGITS_MAX && slice_number(text, UINT64_MAX, &number) ? number : 0;
}

static bool take_field(struct slice line, struct slice name, struct slice *ret_value)
{
	if (!slice_starts_with(line, name))
		return false;
	*ret_value = slice_skip(line, name.len);
	if (ret_value->len && ret_value->at[ret_value->len - 1] == '\r')
		ret_value->len--;
	return true;
}

struct redis_server_info redis_server_info_read(struct slice text)
{
	struct redis_server_info info = { 0 };
	while (text.len) {
		struct slice line = slice_cut(&text, '\n'), value;
		if (take_field(line, SLICE("run_id:"), &value))
			info.run_id = read_run_id(value);
		else if (take_field(line, SLICE("server_time_usec:"), &value))
			info.time_ms = read_decimal(value) / 1000;
	}
	return info;
}
