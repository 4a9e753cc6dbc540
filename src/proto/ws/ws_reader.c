/* From a browser's bytes to messages. There are two states, header and payload. A message and a
 * control frame can be incomplete at the same time, because control frames may arrive between the
 * fragments of a message.
 *
 *	bytes --> header --check--> payload --unmask--> control: ping, pong, close
 *	             ^                 |                message: inflate? --> utf8? --> held --> event
 *	             +- frame_left 0 --+
 *
 * Early refusal. A header is checked as soon as it is whole: by its own rules (RFC 6455 §5.1, §5.2,
 * §5.5), by what is under way (§5.4) and by the limits. So a length is refused before anything is
 * allocated for it, and text is refused on the byte that makes it invalid (§8.1), not at the end of
 * its frame. Everything complete before the wrong byte has been handed on by then.
 *
 * Late allocation. A payload that is complete in the bytes being fed is handed on in place. Any
 * other is held in a block that grows with the bytes that have arrived, not with the length that a
 * header announces, and never beyond the limit: a peer cannot create memory use by announcements or
 * by tiny fragments. Without on_message nothing of a message is held at all.
 *
 * Compression (RFC 7692) sits between frames and message: a compressed message is inflated in steps
 * as it arrives, and the output of each step goes the same way as bytes that were never compressed.
 * So here too, text fails on the byte that makes it invalid and length on the first byte too many,
 * before the rest is inflated, and the outcome does not depend on how the bytes were cut.
 *
 * Handlers may stop or finish the reader: what they are given has been taken out of it before, and
 * after them the reader only looks at `stopped`.
 *
 * Invariants: message_len is at most wire_limit(); `held` and `inflater` exist only while
 * message_opcode is not 0, `control` only while a control payload is incomplete; a stopped reader
 * has none of them. */
#include "sluice/proto/ws/ws_reader.h"

#include <errno.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_held.h"
#include "sluice/proto/ws/ws_inflate.h"

/* By how much a compressed message may exceed the limit on the wire, besides an eighth of it. */
enum { COMPRESSED_SLACK = 1024 };

/* The bytes that ws_reader_feed has still to read. */
struct input {
	char *at;
	size_t len;
};

/* ---- headers ---- */

/* True: the header is whole. */
static bool read_header(struct ws_reader *reader, struct input *input)
{
	while (input->len) {
		reader->header[reader->header_len++] = (uint8_t)*input->at++;
		input->len--;
		if (reader->header_len >= 2 &&
			reader->header_len == ws_frame_header_len(reader->header)) {
			reader->header_len = 0;
			return true;
		}
	}
	return false;
}

static bool may_come_now(const struct ws_reader *reader, const struct ws_frame *frame)
{
	switch (frame->opcode) {
	case WS_CONTINUATION:
		return reader->message_opcode;
	case WS_TEXT:
	case WS_BINARY:
		return !reader->message_opcode;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return frame->fin && frame->payload_len <= WS_CONTROL_PAYLOAD_MAX;
	default:
		return false;
	}
}

/* RSV1 on the first frame of a message says that the message is compressed (RFC 7692 §6). */
static bool rsv_is_agreed(const struct ws_reader *reader, const struct ws_frame *frame)
{
	bool begins_message = frame->opcode == WS_TEXT || frame->opcode == WS_BINARY;
	return !frame->rsv ||
	       (frame->rsv == WS_RSV1 && begins_message && reader->allows_compression);
}

/* The longest payload of a message on the wire. Deflate makes nothing longer by more than an
 * eighth, and a flush at the end of each fragment adds 5 bytes; anything beyond is padding, which
 * costs time and inflates to nothing. */
static uint32_t wire_limit(const struct ws_reader *reader)
{
	uint64_t limit = reader->settings->message_bytes;
	uint64_t slack = reader->compressed ? limit / 8 + COMPRESSED_SLACK : 0;
	return (uint32_t)MIN(limit + slack, (uint64_t)UINT32_MAX);
}

static int add_to_message(struct ws_reader *reader, const struct ws_frame *frame)
{
	const struct ws_reader_settings *settings = reader->settings;
	if (frame->opcode != WS_CONTINUATION)
		reader->compressed = frame->rsv;
	/* Compared in this order, no sum can overflow. */
	uint32_t limit = wire_limit(reader);
	if (frame->payload_len > limit || reader->message_len > limit - frame->payload_len)
		return WS_CLOSE_TOO_BIG;
	if (settings->message_fragments && reader->fragments >= settings->message_fragments)
		return WS_CLOSE_POLICY;
	reader->message_len += (uint32_t)frame->payload_len;
	reader->fragments++;
	if (frame->opcode != WS_CONTINUATION)
		reader->message_opcode = frame->opcode;
	return 0;
}

static bool take_frames(struct ws_reader *reader, uint32_t n)
{
	if (reader->frames_left == UINT32_MAX)
		return true;
	if (reader->frames_left < n) {
		reader->frames_left = 0;
		return false;
	}
	reader->frames_left -= n;
	return true;
}

static int begin_frame(struct ws_reader *reader)
{
	struct ws_frame frame;
	if (ws_frame_parse(reader->header, &frame) || !rsv_is_agreed(reader, &frame) ||
		!frame.masked || !may_come_now(reader, &frame))
		return WS_CLOSE_PROTOCOL_ERROR;
	if (!take_frames(reader, 1))
		return WS_CLOSE_POLICY;
	if (!ws_opcode_is_control(frame.opcode)) {
		int failure = add_to_message(reader, &frame);
		if (failure)
			return failure;
	}
	reader->in_payload = true;
	reader->opcode = frame.opcode;
	reader->fin = frame.fin;
	reader->frame_left = (uint32_t)frame.payload_len;
	reader->mask_offset = 0;
	memcpy(reader->masking_key, frame.masking_key, sizeof(reader->masking_key));
	return 0;
}

/* ---- control frames ---- */

static int raise_control(struct ws_reader *reader, struct slice payload)
{
	const struct ws_reader_events *events = reader->settings->events;
	if (reader->opcode == WS_PING) {
		events->on_ping(reader, payload);
		return 0;
	}
	if (reader->opcode == WS_PONG) {
		events->on_pong(reader, payload);
		return 0;
	}
	unsigned code;
	struct slice reason;
	int failure = ws_close_parse(payload, &code, &reason);
	if (failure)
		return failure;
	/* Nothing may follow a close frame (§5.5.1). */
	ws_reader_stop(reader);
	events->on_close(reader, code, reason);
	return 0;
}

static int read_control(struct ws_reader *reader, struct slice piece)
{
	if (reader->frame_left) {
		int error = ws_held_add(&reader->control, piece, WS_CONTROL_PAYLOAD_MAX);
		return error ? WS_CLOSE_INTERNAL : 0;
	}
	struct ws_held *block;
	if (ws_held_complete(&reader->control, &piece, WS_CONTROL_PAYLOAD_MAX, &block))
		return WS_CLOSE_INTERNAL;
	int failure = raise_control(reader, piece);
	ws_held_free(block);
	return failure;
}

/* ---- messages ---- */

static void give_back(struct ws_reader *reader)
{
	if (reader->inflater)
		ws_inflater_give(reader->inflater);
	reader->inflater = NULL;
}

static void forget_message(struct ws_reader *reader)
{
	give_back(reader);
	reader->message_opcode = 0;
	reader->message_len = 0;
	reader->fragments = 0;
	reader->message_ended = true;
}

static int end_message(struct ws_reader *reader, struct slice bytes)
{
	enum ws_opcode opcode = reader->message_opcode;
	if (opcode == WS_TEXT && !utf8_is_complete(&reader->utf8))
		return WS_CLOSE_BAD_DATA;
	struct ws_held *block;
	if (ws_held_complete(&reader->held, &bytes, reader->settings->message_bytes, &block))
		return WS_CLOSE_INTERNAL;
	forget_message(reader);
	if (reader->settings->events->on_message)
		reader->settings->events->on_message(reader, opcode, bytes);
	ws_held_free(block);
	return 0;
}

/* Reads the next bytes of the message, inflated. */
static int read_plain(struct ws_reader *reader, struct slice bytes, bool last)
{
	if (reader->message_opcode == WS_TEXT && !utf8_feed(&reader->utf8, bytes))
		return WS_CLOSE_BAD_DATA;
	if (last)
		return end_message(reader, bytes);
	if (!reader->settings->events->on_message)
		return 0;
	int error = ws_held_add(&reader->held, bytes, reader->settings->message_bytes);
	return error ? WS_CLOSE_INTERNAL : 0;
}

static int failure_of(int error)
{
	switch (error) {
	case -EBADMSG:
		return WS_CLOSE_BAD_DATA;
	case -EMSGSIZE:
		return WS_CLOSE_TOO_BIG;
	default:
		return WS_CLOSE_INTERNAL;
	}
}

static int take_inflater(struct ws_reader *reader)
{
	if (!reader->inflater)
		reader->inflater = ws_inflater_take(reader->settings->inflaters);
	return reader->inflater ? 0 : WS_CLOSE_INTERNAL;
}

/* Inflating 80 bytes may cost as much as reading a thousand frames, so it is paid for in frames. */
static bool pay_for(struct ws_reader *reader, uint64_t before)
{
	uint64_t after = ws_inflater_produced(reader->inflater);
	return take_frames(reader,
		(uint32_t)(after / WS_READER_FRAME_INFLATES - before / WS_READER_FRAME_INFLATES));
}

static int read_compressed(struct ws_reader *reader, struct slice piece, bool last)
{
	const struct ws_reader_settings *settings = reader->settings;
	if (!piece.len && !last)
		return 0;
	int failure = take_inflater(reader);
	if (failure)
		return failure;
	int more;
	do {
		struct slice bytes;
		uint64_t before = ws_inflater_produced(reader->inflater);
		more = ws_inflate(reader->inflater, &piece, last, settings->message_bytes, &bytes);
		if (!pay_for(reader, before))
			return WS_CLOSE_POLICY;
		/* Output before a mistake is checked before it. */
		failure = read_plain(reader, bytes, last && !more);
		if (failure || more < 0)
			return failure ? failure : failure_of(more);
	} while (more);
	return 0;
}

static int read_data(struct ws_reader *reader, struct slice piece)
{
	bool last = reader->fin && !reader->frame_left;
	if (reader->discards) {
		if (last)
			forget_message(reader);
		return 0;
	}
	return reader->compressed ? read_compressed(reader, piece, last)
				  : read_plain(reader, piece, last);
}

static int read_payload(struct ws_reader *reader, struct input *input)
{
	size_t len = MIN(reader->frame_left, input->len);
	struct slice piece = slice_make(input->at, len);
	ws_mask(input->at, len, reader->masking_key, reader->mask_offset);
	input->at += len;
	input->len -= len;
	reader->mask_offset = (reader->mask_offset + len) & 3;
	reader->frame_left -= (uint32_t)len;
	reader->in_payload = reader->frame_left;
	return ws_opcode_is_control(reader->opcode) ? read_control(reader, piece)
						    : read_data(reader, piece);
}

/* ---- public ---- */

void ws_reader_init(struct ws_reader *reader, const struct ws_reader_settings *settings)
{
	*reader = (struct ws_reader){ .settings = settings, .frames_left = UINT32_MAX };
}

void ws_reader_finish(struct ws_reader *reader)
{
	ws_reader_stop(reader);
}

void ws_reader_allow_compression(struct ws_reader *reader)
{
	MUST(reader->settings->inflaters);
	reader->allows_compression = true;
}

void ws_reader_allow_frames(struct ws_reader *reader, uint32_t frames)
{
	reader->frames_left = frames;
}

uint32_t ws_reader_frames_left(const struct ws_reader *reader)
{
	return reader->frames_left;
}

int ws_reader_feed(struct ws_reader *reader, char *bytes, size_t len)
{
	struct input input = { bytes, len };
	int failure = 0;
	while (input.len && !reader->stopped && !failure) {
		if (!reader->in_payload) {
			if (!read_header(reader, &input))
				break;
			failure = begin_frame(reader);
		}
		/* A frame without a payload ends here, even if no byte is left. */
		if (!failure)
			failure = read_payload(reader, &input);
	}
	if (failure)
		ws_reader_stop(reader);
	return failure;
}

void ws_reader_discard(struct ws_reader *reader)
{
	reader->discards = true;
	ws_held_drop(&reader->held);
	give_back(reader);
}

void ws_reader_stop(struct ws_reader *reader)
{
	reader->stopped = true;
	ws_reader_discard(reader);
	ws_held_drop(&reader->control);
}

size_t ws_reader_holds(const struct ws_reader *reader)
{
	size_t bytes = ws_held_size(reader->held);
	if (reader->inflater)
		bytes += ws_inflater_size(reader->inflater);
	return bytes ? bytes : ws_held_size(reader->control);
}

bool ws_reader_ended_message(struct ws_reader *reader)
{
	bool ended = reader->message_ended;
	reader->message_ended = false;
	return ended;
}
