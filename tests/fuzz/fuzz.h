/* Common parts of the fuzz targets.
 *
 * A target is one file: LLVMFuzzerTestOneInput feeds a parser and checks, with MUST, whatever has
 * to hold for every input. The first byte of the input chooses the chunking or, for a parser that
 * takes a whole text, its settings; the rest is sent by the peer. So one stored file describes a
 * run completely.
 *
 * Each target is built twice: as fuzz_NAME, for which libFuzzer invents the inputs, and as
 * replay_NAME, which any compiler builds and which reads them from tests/fuzz/corpus/NAME. */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_WHOLE = 0 }; /* a chunking: all at once */

/* The bytes behind the first one. */
struct slice fuzz_rest(const uint8_t *data, size_t size);

/* Feeds `bytes` in pieces: chunking 0 is all at once, 1 to 127 pieces of that many bytes, and from
 * 128 on pieces of sizes that vary from 0 to 15. Each piece is a heap block of its exact size that
 * is freed after the call, so a sanitizer sees a parser that reads beyond it or keeps it. */
void fuzz_feed(uint8_t chunking, struct slice bytes,
	void (*feed)(void *context, char *bytes, size_t len), void *context);

/* A copy in a heap block of the exact size. */
struct slice fuzz_copy(struct slice bytes);
void fuzz_free(struct slice copy);

/* For records of events: appending must not fail. */
void fuzz_append(struct buffer *record, struct slice bytes);
void fuzz_printf(struct buffer *record, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
