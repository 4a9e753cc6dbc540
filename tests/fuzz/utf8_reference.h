/* UTF-8 by arithmetic on code points: slow, and unlike the state machine that it is compared
 * with. */
#ifndef SLUICE_TESTS_FUZZ_UTF8_REFERENCE_H
#define SLUICE_TESTS_FUZZ_UTF8_REFERENCE_H

#include "sluice/base/slice.h"

enum utf8_verdict {
	UTF8_VALID,
	UTF8_UNFINISHED, /* ends within a character that may become valid */
	UTF8_INVALID,
};

enum utf8_verdict utf8_reference(struct slice text);

#endif
