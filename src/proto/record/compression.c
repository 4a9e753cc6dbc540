#include "sluice/proto/record/compression.h"

#include "sluice/base/defs.h"

/* RFC 1950 §2.2: deflate with a window of 32 KiB, and a check of the two bytes. */
static bool is_zlib(struct slice record)
{
	if (record.len < 2 || record.at[0] != '\x78')
		return false;
	return ((unsigned char)record.at[0] * 256u + (unsigned char)record.at[1]) % 31 == 0;
}

const char *record_compression(struct slice record)
{
	static const struct {
		struct slice head;
		const char *name;
	} rows[] = {
		{ { "\x1f\x8b", 2 }, "gzip" },
		{ { "\x28\xb5\x2f\xfd", 4 }, "zstd" },
		{ { "\x04\x22\x4d\x18", 4 }, "lz4" },
		{ { "\xfd"
		    "7zXZ\0",
			  6 },
			"xz" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (slice_starts_with(record, rows[i].head))
			return rows[i].name;
	return is_zlib(record) ? "zlib" : NULL;
}
