/* A wire: what lies between a stream and its peer, the peer's end in the hands of a script. It stands
 * in for the kernel's socket, so it has a number that passes for a descriptor.
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
	int number;            /* a descriptor's, to the gateway */
	struct stream *stream; /* NULL: not accepted yet, or closed */
	bool connecting;       /* by stream_connect, and the script has not answered yet */
	bool is_link;          /* was made by stream_connect */
	bool closed;           /* the gateway has */
	/* from the peer */
	struct buffer sent;
	size_t arrived;  /* of it */
	bool peer_ended; /* behind what was sent */
	bool held;       /* what was sent is on its way, for now */
	int error;       /* a negative errno: reading and writing fail */
	/* to the peer */
	struct buffer received;
	size_t room;    /* for so many bytes more, then the stream is stuck */
	bool ended;     /* the gateway's side has, behind what was received */
	int refuses;    /* a negative errno: stream_accept fails */
	uint32_t state; /* of the sizes of the pieces */
	void *peer;     /* the script's */
};

/* All there are: struct wire, by .link. */
extern struct list wires;

/* Begins with none, and with pieces as `chunking` says: 0 is all at once, 1 to 127 so many bytes each,
 * and from 128 on sizes that vary from 0 to 15; at a 0 the rest waits for the next turn. */
void wires_begin(uint8_t chunking);

/* A wire whose peer is a browser. Its number is what a listener would have accepted. */
struct wire *wire_create(void);

/* For a wire that is connecting: open (0), or a negative errno. */
void wire_answer(struct wire *wire, int error);

/* The gateway must have let go of it. */
void wire_destroy(struct wire *wire);

/* Queues bytes that arrive in the next turn. */
void wire_send(struct wire *wire, struct slice bytes);

/* What an event loop's poll would do for the streams of one loop. */
void wires_turn(const struct stream_loop *shared);

/* ---- for stream.c ---- */

struct wire *wire_create_link(struct stream *stream);
struct wire *wire_find(int number);
/* Takes what there is room for: how many bytes, or a negative errno as send(2). */
ssize_t wire_take(struct wire *wire, const void *bytes, size_t len);
/* The next piece of what has been sent, in a block of just its size that is free'd by the caller. NULL:
 * nothing for now. */
char *wire_give(struct wire *wire, size_t *ret_len);

/* One stream's part in wires_turn, in stream.c. */
void stream_turn(struct stream *stream);

#endif
