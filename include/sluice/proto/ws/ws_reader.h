/* Reads what a browser sends, from bytes to messages: all rules of RFC 6455 §5.4, §5.5, §6.2, §7
 * and §8.1 for a server, and of RFC 7692 §6 and §7.2.2 if permessage-deflate was negotiated.
 *
 * A peer can make the reader hold one message (at most `message_bytes`), one control payload, and
 * an inflater while a compressed message is under way; an idle reader holds nothing on the heap. A
 * payload that arrives whole is handed on without a copy. */
#ifndef SLUICE_PROTO_WS_WS_READER_H
#define SLUICE_PROTO_WS_WS_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"
#include "sluice/proto/text/utf8.h"
#include "sluice/proto/ws/ws_frame.h"

struct ws_held;
struct ws_inflater;
struct ws_inflaters;
struct ws_reader;

/* Slices are borrowed for the call. All handlers but on_message are required. A handler may stop or
 * finish the reader; the reader's memory must live until ws_reader_feed has returned. A handler
 * must not feed another reader with the same inflaters: the payload may be in their memory. */
struct ws_reader_events {
	/* A whole message, text (valid UTF-8) or binary, inflated. NULL: messages are checked and
	 * discarded as they arrive, and none is ever held. */
	void (*on_message)(struct ws_reader *reader, enum ws_opcode opcode, struct slice payload);
	void (*on_ping)(struct ws_reader *reader, struct slice payload);
	void (*on_pong)(struct ws_reader *reader, struct slice payload);
	/* The peer's close frame, checked. `code` is 1005 if it has none. No event follows. */
	void (*on_close)(struct ws_reader *reader, unsigned code, struct slice reason);
};

/* Shared by all readers of a kind; must outlive them. */
struct ws_reader_settings {
	const struct ws_reader_events *events;
	/* A longer message fails with 1009: from the header alone, or, if it is compressed, when it
	 * has been inflated to the first byte too many. */
	uint32_t message_bytes;
	uint32_t message_fragments; /* a message of more frames fails with 1008; 0: no limit */
	/* For readers that allow compression; else NULL. */
	struct ws_inflaters *inflaters;
};

struct ws_reader {
	const struct ws_reader_settings *settings;
	/* private */
	struct ws_held *held;    /* of the message under way; heap, only while it is in pieces */
	struct ws_held *control; /* of the control payload under way */
	struct ws_inflater *inflater; /* of the compressed message under way */
	uint32_t frame_left;          /* payload bytes of this frame still to come */
	uint32_t
		message_len; /* payload bytes of this message that its frames have announced so far */
	uint32_t fragments;
	uint32_t frames_left;
	uint8_t masking_key[4];
	uint8_t mask_offset;    /* modulo 4 */
	uint8_t opcode;         /* of the frame under way */
	uint8_t message_opcode; /* of the message under way; 0: none */
	bool fin : 1, in_payload : 1, stopped : 1, discards : 1;
	bool message_ended : 1; /* since ws_reader_ended_message was last called */
	bool allows_compression : 1, compressed : 1; /* compressed: the message under way */
	struct utf8 utf8;
	uint8_t header_len; /* bytes of the header that have arrived */
	uint8_t header[WS_FRAME_HEADER_MAX];
};

void ws_reader_init(struct ws_reader *reader, const struct ws_reader_settings *settings);
void ws_reader_finish(struct ws_reader *reader);

/* Messages may be compressed: permessage-deflate was negotiated. The settings must have
 * inflaters. */
void ws_reader_allow_compression(struct ws_reader *reader);

/* Bytes of output for which a compressed message counts as one frame more. */
enum { WS_READER_FRAME_INFLATES = 4096 };

/* From now on `frames` more frames may begin, data and control; the next one fails with 1008, and so
 * does what a compressed message inflates to beyond that. The initial value, UINT32_MAX, never runs
 * out. */
void ws_reader_allow_frames(struct ws_reader *reader, uint32_t frames);
uint32_t ws_reader_frames_left(const struct ws_reader *reader);

/* Feeds bytes, which are unmasked in place. 0: more are needed, or the reader is stopped. Else the
 * close code to fail the connection with (out of memory: 1011); events of everything complete
 * before it have been raised, and every later call returns 0 and does nothing. */
int ws_reader_feed(struct ws_reader *reader, char *bytes, size_t len);

/* From now on messages are discarded as they arrive, unchecked: held pieces are freed, and nothing but
 * the payload of a control frame is held. May be called by a handler. */
void ws_reader_discard(struct ws_reader *reader);

/* The memory that it holds for what is incomplete. A control payload, which is short, counts only if
 * nothing of a message is held: it comes and goes, and would make an old message look new. */
size_t ws_reader_holds(const struct ws_reader *reader);

/* Has a message ended since the last call? */
bool ws_reader_ended_message(struct ws_reader *reader);

/* Ends all events. Held bytes are freed, but not those that a handler was given; the rest of what
 * is fed is discarded. */
void ws_reader_stop(struct ws_reader *reader);

#endif
