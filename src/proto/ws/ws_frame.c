/* The frame header of RFC 6455 §5.2:
 *
 *	byte 0     FIN RSV1 RSV2 RSV3 opcode(4)
 *	byte 1     MASK length(7)          126: 16 bits of length follow, 127: 64 bits
 *	           length, network order, in the shortest form that holds it
 *	           masking key, 4 bytes    if MASK
 *
 * The first two bytes give the length of the header, so a reader never takes a byte too many. */
#include "sluice/proto/ws/ws_frame.h"

#include <errno.h>
#include <string.h>

enum {
	FIN = 0x80,
	RSV_SHIFT = 4,
	MASK = 0x80,
	LENGTH_16 = 126,
	LENGTH_64 = 127,
};

static size_t length_bytes(uint8_t second)
{
	unsigned length = second & 0x7F;
	return length == LENGTH_16 ? 2 : length == LENGTH_64 ? 8 : 0;
}

static uint64_t read_length(const uint8_t *header)
{
	size_t n_bytes = length_bytes(header[1]);
	uint64_t length = n_bytes ? 0 : header[1] & 0x7F;
	for (size_t i = 0; i < n_bytes; i++)
		length = length << 8 | header[2 + i];
	return length;
}

/* Only the shortest form, and never the top bit (§5.2). */
static bool length_has_its_form(uint64_t length, size_t n_bytes)
{
	switch (n_bytes) {
	case 2:
		return length >= LENGTH_16;
	case 8:
		return length > UINT16_MAX && length <= INT64_MAX;
	default:
		return true;
	}
}

size_t ws_frame_header_len(const uint8_t first_two[2])
{
	return 2 + length_bytes(first_two[1]) + (first_two[1] & MASK ? 4 : 0);
}

int ws_frame_parse(const uint8_t *header, struct ws_frame *ret_frame)
{
	size_t n_bytes = length_bytes(header[1]);
	struct ws_frame frame = {
		.fin = header[0] & FIN,
		.rsv = header[0] >> RSV_SHIFT & 0x7,
		.opcode = header[0] & 0xF,
		.masked = header[1] & MASK,
		.payload_len = read_length(header),
	};
	if (!length_has_its_form(frame.payload_len, n_bytes))
		return -EPROTO;
	if (frame.masked)
		memcpy(frame.masking_key, header + 2 + n_bytes, sizeof(frame.masking_key));
	*ret_frame = frame;
	return 0;
}

size_t ws_frame_format(
	uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode, bool fin, uint64_t payload_len)
{
	header[0] = (uint8_t)((fin ? FIN : 0) | opcode);
	header[1] = payload_len < LENGTH_16     ? (uint8_t)payload_len
		    : payload_len <= UINT16_MAX ? LENGTH_16
						: LENGTH_64;
	size_t n_bytes = length_bytes(header[1]);
	for (size_t i = 0; i < n_bytes; i++)
		header[2 + i] = (uint8_t)(payload_len >> 8 * (n_bytes - 1 - i));
	return 2 + n_bytes;
}

size_t ws_frame_format_compressed(
	uint8_t header[WS_SERVER_HEADER_MAX], enum ws_opcode opcode, bool fin, uint64_t payload_len)
{
	size_t len = ws_frame_format(header, opcode, fin, payload_len);
	header[0] |= WS_RSV1 << RSV_SHIFT;
	return len;
}

void ws_mask(char *bytes, size_t len, const uint8_t masking_key[4], uint64_t offset)
{
	/* The key twice, rotated to begin at `offset`: in memory order, so endianness does not
	 * matter. */
	uint8_t turned[sizeof(uint64_t)];
	for (size_t i = 0; i < sizeof(turned); i++)
		turned[i] = masking_key[(offset + i) & 3];
	uint64_t key, word;
	memcpy(&key, turned, sizeof(key));
	size_t i = 0;
	for (; len - i >= sizeof(word); i += sizeof(word)) {
		memcpy(&word, bytes + i, sizeof(word));
		word ^= key;
		memcpy(bytes + i, &word, sizeof(word));
	}
	for (; i < len; i++)
		bytes[i] = (char)((uint8_t)bytes[i] ^ turned[i & 7]);
}
