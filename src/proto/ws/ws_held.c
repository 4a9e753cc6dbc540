/* Holds the pieces of a message until it is complete. They are one block, whatever the fragments: a
 * peer that sends single bytes causes neither many blocks nor many copies, as the block doubles.
 * And it cannot make the block grow by announcing a length, only by sending bytes. The limit ends
 * the doubling, so that a message of nearly the limit does not take twice that. */
#include "sluice/proto/ws/ws_held.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 128 };

struct ws_held {
	size_t len, capacity;
	char bytes[];
};

size_t ws_held_size(const struct ws_held *held)
{
	return held ? sizeof(*held) + held->capacity : 0;
}

static int make_room(struct ws_held **held, size_t more, uint64_t limit)
{
	size_t len = *held ? (*held)->len : 0;
	if (*held && (*held)->capacity - len >= more)
		return 0;
	size_t doubled = *held ? (*held)->capacity * 2 : FIRST_CAPACITY;
	size_t capacity = MAX(len + more, (size_t)MIN(doubled, limit));
	struct ws_held *block = realloc(*held, sizeof(*block) + capacity);
	if (!block)
		return -ENOMEM;
	block->len = len;
	block->capacity = capacity;
	*held = block;
	return 0;
}

int ws_held_add(struct ws_held **held, struct slice piece, uint64_t limit)
{
	if (!piece.len)
		return 0;
	int error = make_room(held, piece.len, limit);
	if (error)
		return error;
	memcpy((*held)->bytes + (*held)->len, piece.at, piece.len);
	(*held)->len += piece.len;
	return 0;
}

int ws_held_complete(
	struct ws_held **held, struct slice *piece, uint64_t limit, struct ws_held **ret_block)
{
	*ret_block = NULL;
	if (!*held)
		return 0;
	int error = ws_held_add(held, *piece, limit);
	if (error)
		return error;
	*piece = slice_make((*held)->bytes, (*held)->len);
	*ret_block = *held;
	*held = NULL;
	return 0;
}

void ws_held_free(struct ws_held *held)
{
	free(held);
}

void ws_held_drop(struct ws_held **held)
{
	ws_held_free(*held);
	*held = NULL;
}
