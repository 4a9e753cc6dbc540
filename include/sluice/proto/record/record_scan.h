/* A place in a record that is being read. Each format has a step: a function that reads one token
 * and tells the pick. The record is all in memory, but may be long; so that nobody waits for it, its
 * reader takes as many steps at a time as it has time for. */
#ifndef SLUICE_PROTO_RECORD_RECORD_SCAN_H
#define SLUICE_PROTO_RECORD_RECORD_SCAN_H

#include "sluice/proto/record/record_pick.h"

struct record_scan {
	struct record_pick *pick;
	struct slice rest; /* not read yet */
	uint8_t state;     /* of the format; 0: at the beginning */
	unsigned base;     /* depth at which the value stands that the record consists of */
};

/* 1: the record has been read to its end; 0: there is more; -EINVAL: it is not of this format;
 * -E2BIG: it is nested too deeply; -EACCES: it is no object; -ENOMEM. Adds to pick->work: a step for
 * each byte that was read, and some for each token. */
typedef int (*record_step_fn)(struct record_scan *scan);

enum { RECORD_TOKEN_WORK = 4 };

/* The value that has begun is a string of a format whose strings are bytes: text or, if it is not
 * valid UTF-8 or has a NUL in it, something of which only the existence is known. `counts` is what
 * record_pick_value returned. 0, -ENOMEM or -EACCES, as record_pick_scalar. */
MUST_CHECK int record_scan_text(struct record_scan *scan, struct slice bytes, bool counts);

#endif
