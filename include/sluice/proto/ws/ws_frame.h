/* The header of a frame (RFC 6455 §5.2), and masking (§5.3). */
#ifndef SLUICE_PROTO_WS_WS_FRAME_H
#define SLUICE_PROTO_WS_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum ws_opcode {
	WS_CONTINUATION = 0x0,
	WS_TEXT = 0x1,
	WS_BINARY = 0x2,
	WS_CLOSE = 0x8,
	WS_PING = 0x9,
	WS_PONG = 0xA,
};

enum {
	WS_FRAME_HEADER_MAX = 14,  /* 2, 8 of length, 4 of masking key */
	WS_SERVER_HEADER_MAX = 10, /* without a masking key */
	WS_CONTROL_PAYLOAD_MAX = 125,
};

enum { WS_RSV1 = 4, WS_RSV2 = 2, WS_RSV3 = 1 };

struct ws_frame {
	bool fin;
	uint8_t rsv; /* WS_RSV1 and so on */
	uint8_t opcode;
	bool masked;
	uint8_t masking_key[4];
	uint64_t payload_len;
};

static inline bool ws_opcode_is_control(unsigned opcode)
{
	return opcode & 0x8;
}

/* The length of the whole header, from its first two bytes. */
size_t ws_frame_header_len(const uint8_t first_two[2]);

/* Reads a whole header. 0; or -EPROTO: the length is not in its shortest form, or has its top bit
 * set. Everything else is checked by ws_reader. */
int ws_frame_parse(const uint8_t *header, struct ws_frame *ret_frame);

/* Writes the header of an unmasked frame (as a server sends it) and returns its length. */
size_t ws_frame_format(uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode, bool fin,
	uint64_t payload_len);

/* The same with RSV1: the first frame of a compressed message (RFC 7692 §6). */
size_t ws_frame_format_compressed(uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode,
	bool fin, uint64_t payload_len);

/* Unmasks (or masks) in place. `offset`: the position of these bytes in the payload. */
void ws_mask(char *bytes, size_t len, const uint8_t masking_key[4], uint64_t offset);

#endif
