/* A keyed hash of bytes (SipHash-1-3). Without knowing the seed a peer cannot choose names that
 * collide, and so cannot make a table slow (CVE-2012-2459 and similar). */
#ifndef SLUICE_BASE_HASH_H
#define SLUICE_BASE_HASH_H

#include <stdint.h>

#include "sluice/base/slice.h"

/* Draws the process' seed from the kernel. Call it once, before any thread and any table. Without
 * the call the seed is zero, as tests want it. */
void hash_init(void);

uint64_t hash_bytes(struct slice bytes);

#endif
