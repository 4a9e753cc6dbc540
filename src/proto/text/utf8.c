/* The grammar of RFC 3629 §4 as a state machine that reads one byte at a time:
 *
 *	START --00..7F--------------------------------> START
 *	      --C2..DF-------------------> ONE_MORE --80..BF--> START
 *	      --E0--> AFTER_E0 --A0..BF--> ONE_MORE             (below is overlong)
 *	      --ED--> AFTER_ED --80..9F--> ONE_MORE             (above are surrogates)
 *	      --E1..EF--> TWO_MORE ------> ONE_MORE
 *	      --F0--> AFTER_F0 --90..BF--> TWO_MORE             (below is overlong)
 *	      --F4--> AFTER_F4 --80..8F--> TWO_MORE             (above is beyond U+10FFFF)
 *	      --F1..F3--> THREE_MORE ----> TWO_MORE
 *
 * From every state but REFUSED the text can still become valid, and nothing leads out of REFUSED.
 * So the byte that leads there is the first that makes the text invalid: a WebSocket message fails
 * on that byte, however it was cut into frames and reads.
 *
 * Most text is ASCII, which leads from START to START: it is skipped eight bytes at a time. */
#include "sluice/proto/text/utf8.h"

#include <string.h>

enum {
	START,
	ONE_MORE,
	TWO_MORE,
	THREE_MORE,
	AFTER_E0,
	AFTER_ED,
	AFTER_F0,
	AFTER_F4,
	REFUSED,
};

/* The bytes that a state within a character accepts, and the next state. */
static const struct {
	uint8_t low, high, next;
} within[] = {
	[ONE_MORE] = { 0x80, 0xBF, START },
	[TWO_MORE] = { 0x80, 0xBF, ONE_MORE },
	[THREE_MORE] = { 0x80, 0xBF, TWO_MORE },
	[AFTER_E0] = { 0xA0, 0xBF, ONE_MORE },
	[AFTER_ED] = { 0x80, 0x9F, ONE_MORE },
	[AFTER_F0] = { 0x90, 0xBF, TWO_MORE },
	[AFTER_F4] = { 0x80, 0x8F, TWO_MORE },
};

static uint8_t after_first(uint8_t byte)
{
	if (byte < 0x80)
		return START;
	if (byte < 0xC2)
		return REFUSED;
	if (byte < 0xE0)
		return ONE_MORE;
	if (byte == 0xE0)
		return AFTER_E0;
	if (byte == 0xED)
		return AFTER_ED;
	if (byte < 0xF0)
		return TWO_MORE;
	if (byte == 0xF0)
		return AFTER_F0;
	if (byte < 0xF4)
		return THREE_MORE;
	return byte == 0xF4 ? AFTER_F4 : REFUSED;
}

static uint8_t after_next(uint8_t state, uint8_t byte)
{
	bool fits = byte >= within[state].low && byte <= within[state].high;
	return fits ? within[state].next : REFUSED;
}

static struct slice skip_ascii_words(struct slice bytes)
{
	const uint64_t high_bits = 0x8080808080808080;
	uint64_t word;
	while (bytes.len >= sizeof(word)) {
		memcpy(&word, bytes.at, sizeof(word));
		if (word & high_bits)
			break;
		bytes = slice_skip(bytes, sizeof(word));
	}
	return bytes;
}

bool utf8_feed(struct utf8 *utf8, struct slice bytes)
{
	uint8_t state = utf8->state;
	while (bytes.len && state != REFUSED) {
		if (state == START) {
			bytes = skip_ascii_words(bytes);
			if (!bytes.len)
				break;
			state = after_first((uint8_t)bytes.at[0]);
		} else {
			state = after_next(state, (uint8_t)bytes.at[0]);
		}
		bytes = slice_skip(bytes, 1);
	}
	utf8->state = state;
	return state != REFUSED;
}

bool utf8_is_complete(const struct utf8 *utf8)
{
	return utf8->state == START;
}

bool utf8_is_valid(struct slice bytes)
{
	struct utf8 utf8 = { 0 };
	return utf8_feed(&utf8, bytes) && utf8_is_complete(&utf8);
}
