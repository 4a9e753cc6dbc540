/* A close frame's payload is empty, or a code in two bytes, in network order, and a reason in UTF-8
 * (RFC 6455 §5.5.1). 1004, 1005, 1006 and 1015 are reserved and never on the wire (§7.4.1), codes
 * below 1000 are not used, and 1016 to 2999 are left to later RFCs. */
#include "sluice/proto/ws/ws_close.h"

#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/utf8.h"

enum { CODE_LEN = 2 };

bool ws_close_code_is_valid(unsigned code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
	       (code >= 3000 && code <= 4999);
}

int ws_close_parse(struct slice payload, unsigned *ret_code, struct slice *ret_reason)
{
	*ret_code = WS_CLOSE_NONE;
	*ret_reason = (struct slice){ NULL, 0 };
	if (!payload.len)
		return 0;
	if (payload.len < CODE_LEN)
		return WS_CLOSE_PROTOCOL_ERROR;
	unsigned code = (unsigned)(uint8_t)payload.at[0] << 8 | (uint8_t)payload.at[1];
	struct slice reason = slice_skip(payload, CODE_LEN);
	if (!ws_close_code_is_valid(code))
		return WS_CLOSE_PROTOCOL_ERROR;
	if (!utf8_is_valid(reason))
		return WS_CLOSE_BAD_DATA;
	*ret_code = code;
	*ret_reason = reason;
	return 0;
}

/* The length to which the reason is cut: not within a character. */
static size_t cut_reason(struct slice reason)
{
	if (reason.len <= WS_CLOSE_REASON_MAX)
		return reason.len;
	size_t len = WS_CLOSE_REASON_MAX;
	while (len && ((uint8_t)reason.at[len] & 0xC0) == 0x80)
		len--;
	return len;
}

size_t ws_close_format(char payload[125], unsigned code, struct slice reason)
{
	if (!ws_close_code_is_valid(code))
		return 0;
	payload[0] = (char)(code >> 8);
	payload[1] = (char)(code & 0xFF);
	size_t len = cut_reason(reason);
	if (len)
		memcpy(payload + CODE_LEN, reason.at, len);
	return CODE_LEN + len;
}
