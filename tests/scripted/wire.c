#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocations.h"

enum { FIRST_NUMBER = 1 << 20, CHUNKING_VARIES = 128, VARIES_MAX = 15 };

struct list wires = { &wires, &wires };
static int next_number;
static uint8_t chunking;

void wires_begin(uint8_t new_chunking)
{
	MUST(list_is_empty(&wires));
	next_number = FIRST_NUMBER;
	chunking = new_chunking;
}

struct wire *wire_create(void)
{
	allocations_spare();
	struct wire *wire = calloc(1, sizeof(*wire));
	allocations_resume();
	MUST(wire);
	wire->number = next_number++;
	wire->room = WIRE_TAKES_ALL;
	wire->state = (uint32_t)wire->number;
	list_append(&wires, &wire->link);
	return wire;
}

void wire_destroy(struct wire *wire)
{
	MUST(!wire->stream);
	list_remove(&wire->link);
	buffer_finish(&wire->sent);
	buffer_finish(&wire->received);
	free(wire);
}

struct wire *wire_create_link(struct stream *stream)
{
	struct wire *wire = wire_create();
	wire->is_link = wire->connecting = true;
	wire->stream = stream;
	return wire;
}

struct wire *wire_find(int number)
{
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		if (wire->number == number)
			return wire;
	}
	return NULL;
}

static void append(struct buffer *buffer, const void *bytes, size_t len)
{
	allocations_spare();
	MUST(buffer_append(buffer, bytes, len) == 0);
	allocations_resume();
}

void wire_send(struct wire *wire, struct slice bytes)
{
	append(&wire->sent, bytes.at, bytes.len);
}

ssize_t wire_take(struct wire *wire, const void *bytes, size_t len)
{
	if (wire->error)
		return wire->error;
	if (wire->room == 0)
		return -EAGAIN;
	size_t n = MIN(len, wire->room);
	append(&wire->received, bytes, n);
	if (wire->room != WIRE_TAKES_ALL)
		wire->room -= n;
	return (ssize_t)n;
}

/* A linear congruential generator: the same sizes for the same chunking, everywhere. */
static size_t piece_size(struct wire *wire)
{
	if (chunking == 0)
		return SIZE_MAX;
	if (chunking < CHUNKING_VARIES)
		return chunking;
	wire->state = wire->state * 1664525 + chunking;
	return (wire->state >> 24) % (VARIES_MAX + 1);
}

char *wire_give(struct wire *wire, size_t *ret_len)
{
	size_t left = wire->held ? 0 : wire->sent.len - wire->arrived;
	size_t wanted = left ? piece_size(wire) : 0;
	*ret_len = MIN(left, wanted);
	if (*ret_len == 0)
		return NULL;
	allocations_spare();
	char *piece = malloc(*ret_len);
	allocations_resume();
	MUST(piece);
	memcpy(piece, wire->sent.bytes + wire->arrived, *ret_len);
	wire->arrived += *ret_len;
	return piece;
}

void wires_turn(const struct stream_loop *shared)
{
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		if (wire->stream && wire->stream->shared == shared)
			stream_turn(wire->stream);
	}
}

/* The linker puts it in place of close. Closes an accepted descriptor that became no stream. */
int __real_close(int fd);
int __wrap_close(int fd);

int __wrap_close(int fd)
{
	if (fd < FIRST_NUMBER)
		return __real_close(fd);
	struct wire *wire = wire_find(fd);
	MUST(wire && !wire->closed);
	wire->closed = true;
	return 0;
}
