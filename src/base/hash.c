/* SipHash-1-3 by Aumasson and Bernstein: one round for each word, three at the end. Language
 * runtimes use this variant for their tables: it is strong enough against chosen collisions, and
 * about as fast as an unkeyed hash on short names. */
#include "sluice/base/hash.h"

#include <string.h>
#include <sys/random.h>

#include "sluice/base/defs.h"

static uint64_t seed[2];

struct sip {
	uint64_t v0, v1, v2, v3;
};

void hash_init(void)
{
	MUST(getrandom(seed, sizeof(seed), 0) == (ssize_t)sizeof(seed));
}

static inline uint64_t rotate(uint64_t x, int bits)
{
	return (x << bits) | (x >> (64 - bits));
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v0 = rotate(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v2 = rotate(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

uint64_t hash_bytes(struct slice bytes)
{
	struct sip s = { seed[0] ^ 0x736f6d6570736575, seed[1] ^ 0x646f72616e646f6d,
		seed[0] ^ 0x6c7967656e657261, seed[1] ^ 0x7465646279746573 };
	uint64_t word, last = (uint64_t)bytes.len << 56;
	size_t i = 0;
	for (; i + 8 <= bytes.len; i += 8) {
		memcpy(&word, bytes.at + i, 8);
		sip_word(&s, word);
	}
	for (int shift = 0; i < bytes.len; i++, shift += 8)
		last |= (uint64_t)(unsigned char)bytes.at[i] << shift;
	sip_word(&s, last);
	s.v2 ^= 0xff;
	for (int i_final = 0; i_final < 3; i_final++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
