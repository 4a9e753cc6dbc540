/* The CRC is taken four bits at a time: the table has 16 entries, and fits in a cache line. */
#include "sluice/redis/cluster/slot.h"

static const uint16_t crc_of_bits[16] = {
	0x0000, 0x1021, 0x2042, 0x3063, 0x4084, 0x50a5, 0x60c6, 0x70e7, //
	0x8108, 0x9129, 0xa14a, 0xb16b, 0xc18c, 0xd1ad, 0xe1ce, 0xf1ef, //
};

static uint16_t add_bits(uint16_t crc, unsigned bits)
{
	return (uint16_t)(crc << 4) ^ crc_of_bits[crc >> 12 ^ bits];
}

static uint16_t crc16(struct slice bytes)
{
	uint16_t crc = 0;
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned byte = (unsigned char)bytes.at[i];
		crc = add_bits(add_bits(crc, byte >> 4), byte & 15);
	}
	return crc;
}

/* What stands between the first '{' and the first '}' behind it, unless that is nothing. */
static struct slice hashed_part(struct slice name)
{
	struct slice rest = name;
	slice_cut(&rest, '{');
	if (!rest.at)
		return name;
	struct slice tag = slice_cut(&rest, '}');
	return rest.at && tag.len ? tag : name;
}

unsigned cluster_slot(struct slice name)
{
	return crc16(hashed_part(name)) % CLUSTER_SLOTS;
}
