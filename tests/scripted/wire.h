/* A wire connects a stream with its peer; a script controls the peer's end. It replaces the
 * kernel's socket, so it has a number that is used as a descriptor.
 *
 *	script --wire_send--> sent --on_bytes--> the gateway
 *	script <--received-- wire <--the turn's end-- the gateway
 *
 * The stream's side is stream.c, with the functions of sluice/net/stream.h. */
#ifndef SLUICE_TESTS_WIRE_H
#define SLUICE_TESTS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/list.h"
#include "sluice/net/stream.h"

#define WIRE_TAKES_ALL SIZE_MAX

struct wire {
	struct list link;      /* in `wires` */
	int number;            /* the gateway's descriptor */
	struct stream *stream; /* NULL: not accepted yet, or closed */
	bool connecting;       /* stream_connect was called, and the script has not answered yet */
	bool is_link;          /* was made by stream_connect */
	bool closed;           /* the gateway has */
	/* from the peer */
	struct buffer sent;
	size_t arrived;  /* of it */
	bool peer_ended; /* behind what was sent */
	bool held;       /* sent bytes are held for now */
	int error;       /* a negative errno: reading and writing fail */
	/* to the peer */
	struct buffer received;
	size_t room;    /* for this many bytes; then the stream is stuck */
	bool ended;     /* the gateway's side has, behind what was received */
	int refuses;    /* a negative errno: stream_accept fails */
	uint32_t state; /* of the sizes of the pieces */
	void *peer;     /* the script's */
};

/* All wires: struct wire, by .link. */
extern struct list wires;

/* Begins without wires. `chunking` gives the sizes of the pieces: 0 is all at once, 1 to 127 that
 * many bytes each, and from 128 on sizes that vary from 0 to 15; at a 0 the rest waits for the next
 * turn. */
void wires_begin(uint8_t chunking);

/* A wire whose peer is a browser. Its number is what a listener would have accepted. */
struct wire *wire_create(void);

/* For a wire that is connecting: open (0), or a negative errno. */
void wire_answer(struct wire *wire, int error);

/* The gateway must have closed it. */
void wire_destroy(struct wire *wire);

/* Queues bytes that arrive in the next turn. */
void wire_send(struct wire *wire, struct slice bytes);

/* Does what an event loop's poll would do for the streams of one loop. */
void wires_turn(const struct stream_loop *shared);

/* ---- for stream.c ---- */

struct wire *wire_create_link(struct stream *stream);
struct wire *wire_find(int number);
/* Takes bytes as far as there is room. Returns how many, or a negative errno as send(2). */
ssize_t wire_take(struct wire *wire, const void *bytes, size_t len);
/* The next piece of the sent bytes, in a block of its exact size that the caller frees. NULL:
 * nothing for now. */
char *wire_give(struct wire *wire, size_t *ret_len);

/* One stream's part in wires_turn, in stream.c. */
void stream_turn(struct stream *stream);

#endif
