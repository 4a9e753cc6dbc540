/* Close codes and the payload of a close frame (RFC 6455 §5.5.1, §7.4; 4401 and 4403 are Sluice's
 * own). */
#ifndef SLUICE_PROTO_WS_WS_CLOSE_H
#define SLUICE_PROTO_WS_WS_CLOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL_ERROR = 1002,
	WS_CLOSE_UNACCEPTABLE = 1003,
	WS_CLOSE_NONE = 1005,     /* never on the wire: a close frame without a code */
	WS_CLOSE_ABNORMAL = 1006, /* never on the wire: no close frame at all */
	WS_CLOSE_BAD_DATA = 1007,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_INTERNAL = 1011,
	WS_CLOSE_RESTART = 1012,
	WS_CLOSE_TRY_LATER = 1013,
	WS_CLOSE_SESSION_ENDED = 4401,
	WS_CLOSE_FORBIDDEN = 4403,
};

enum { WS_CLOSE_REASON_MAX = 123 };

/* May a peer send this code? (§7.4.1, §7.4.2 and IANA's list: 1000–1003, 1007–1014, 3000–4999) */
bool ws_close_code_is_valid(unsigned code);

/* Reads a close frame's payload (at most 125 bytes). 0, with code and reason (1005 and empty for an
 * empty payload; the reason is borrowed from `payload`); or the close code to fail with: 1002 for
 * one byte or a code that may not be sent, 1007 for a reason that is not UTF-8. */
int ws_close_parse(struct slice payload, unsigned *ret_code, struct slice *ret_reason);

/* Writes code and reason to `payload` and returns the length. A reason of more than 123 bytes is
 * cut between two characters. A code that may not be sent, such as 1005 or 1006, gives an empty
 * payload. */
size_t ws_close_format(char payload[125], unsigned code, struct slice reason);

#endif
