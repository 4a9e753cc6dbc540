/* What every fuzz target is made of.
 *
 * A target is one file: LLVMFuzzerTestOneInput gives a parser some input and checks, with MUST, what
 * has to hold whatever the input is. The first octet of the input chooses the chunking, or, for a
 * parser that takes a text whole, how it is called; the rest is what the peer sends. So one stored
 * file says everything about a run.
 *
 * Two programs are made of each: fuzz_NAME, where libFuzzer invents the inputs, and replay_NAME,
 * which any compiler builds and which reads them from tests/fuzz/corpus/NAME. */
#ifndef SLUICE_TESTS_FUZZ_H
#define SLUICE_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_WHOLE = 0 }; /* a chunking: all at once */

/* The octets behind the first one. */
struct slice fuzz_rest(const uint8_t *data, size_t size);

/* Feeds `bytes` in pieces: chunking 0 is all at once, 1 to 127 pieces of that many octets, and from
 * 128 on pieces of sizes that vary from 0 to 15. Each piece is a heap block of just its size, that
 * is gone after the call, so a sanitizer sees a parser that looks beside it or keeps it. */
void fuzz_feed(uint8_t chunking, struct slice bytes,
	void (*feed)(void *context, char *bytes, size_t len), void *context);

/* The same bytes in a heap block of just their size. */
struct slice fuzz_copy(struct slice bytes);
void fuzz_free(struct slice copy);

/* For records of what a parser said: appending must not fail here. */
void fuzz_append(struct buffer *record, struct slice bytes);
void fuzz_printf(struct buffer *record, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
