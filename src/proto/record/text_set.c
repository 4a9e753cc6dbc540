/* The hash of a string is a polynomial of its bytes, so that one more byte is one more step. It is
 * computed modulo the prime 2^61 - 1, at a place that only this process knows: two different strings
 * of at most 256 bytes have the same hash at 256 of 2^61 places at most. */
#include "sluice/proto/record/text_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/hash.h"

enum { BITS_FIRST = 8, BITS_MAX = 30 };

#define PRIME ((UINT64_C(1) << 61) - 1)

struct text_slot {
	uint32_t hash;
	uint32_t offset;
	uint16_t len; /* 0: the slot is free */
};

struct text_set *text_set_create(const struct buffer *texts)
{
	struct text_set *set = calloc(1, sizeof(*set));
	struct text_slot *slots = calloc((size_t)1 << BITS_FIRST, sizeof(*slots));
	if (!set || !slots) {
		free(set);
		free(slots);
		return NULL;
	}
	set->texts = texts;
	set->slots = slots;
	set->bits = BITS_FIRST;
	set->base = hash_bytes(SLICE("text_set")) % PRIME;
	return set;
}

void text_set_destroy(struct text_set *set)
{
	if (set)
		free(set->slots);
	free(set);
}

uint64_t text_set_hash(const struct text_set *set, uint64_t hash, char byte)
{
	/* a byte counts from 1, or "" and "\0" would be the same */
	unsigned __int128 sum = (unsigned __int128)hash * set->base + (unsigned char)byte + 1;
	uint64_t folded = (uint64_t)(sum & PRIME) + (uint64_t)(sum >> 61);
	return folded >= PRIME ? folded - PRIME : folded;
}

/* The bits that choose the slot, the highest first. */
static uint32_t mixed(uint64_t hash)
{
	return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static struct slice text_of(const struct text_set *set, const struct text_slot *slot)
{
	return slice_make(set->texts->bytes + slot->offset, slot->len);
}

/* The slot of this text, or the free one where it would be. There always is a free one. */
static struct text_slot *find(const struct text_set *set, uint32_t hash, struct slice text)
{
	size_t mask = ((size_t)1 << set->bits) - 1, i = hash >> (32 - set->bits);
	for (;; i = (i + 1) & mask) {
		struct text_slot *slot = &set->slots[i];
		if (!slot->len || (slot->hash == hash && slice_equal(text_of(set, slot), text)))
			return slot;
	}
}

static int grow(struct text_set *set)
{
	struct text_set larger = *set;
	larger.bits++;
	if (larger.bits > BITS_MAX)
		return -ENOMEM;
	larger.slots = calloc((size_t)1 << larger.bits, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (size_t i = 0; i < (size_t)1 << set->bits; i++) {
		const struct text_slot *slot = &set->slots[i];
		if (slot->len)
			*find(&larger, slot->hash, text_of(set, slot)) = *slot;
	}
	free(set->slots);
	*set = larger;
	return 0;
}

static bool has_length(const struct text_set *set, size_t len)
{
	return set->lengths[len / 64] >> len % 64 & 1;
}

int text_set_add(struct text_set *set, size_t offset, size_t len)
{
	struct slice text = slice_make(set->texts->bytes + offset, len);
	uint64_t hash = 0;
	set->reading += MIN(len, (size_t)TEXT_SET_LEN_MAX) + 1;
	if (len > TEXT_SET_LEN_MAX || offset > UINT32_MAX)
		return 0;
	if (set->n >= (size_t)1 << (set->bits - 1) && grow(set) != 0)
		return -ENOMEM;
	for (size_t i = 0; i < len; i++)
		hash = text_set_hash(set, hash, text.at[i]);
	struct text_slot *slot = find(set, mixed(hash), text);
	if (slot->len)
		return 0;
	*slot = (struct text_slot){ mixed(hash), (uint32_t)offset, (uint16_t)len };
	set->n++;
	set->longest = MAX(set->longest, len);
	set->lengths[len / 64] |= UINT64_C(1) << len % 64;
	return 0;
}

bool text_set_has(const struct text_set *set, uint64_t hash, struct slice text)
{
	return text.len <= set->longest && has_length(set, text.len) &&
	       find(set, mixed(hash), text)->len;
}
