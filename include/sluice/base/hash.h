/* A keyed hash of bytes (SipHash-1-3): whoever does not know the seed cannot choose names that
 * collide, so that a peer cannot make a table slow (CVE-2012-2459 and its kin). */
#ifndef SLUICE_BASE_HASH_H
#define SLUICE_BASE_HASH_H

#include <stdint.h>

#include "sluice/base/slice.h"

/* Draws the process' seed from the kernel. Call once, before any thread and any table. Without it
 * the seed is zero, which suits tests. */
void hash_init(void);

uint64_t hash_bytes(struct slice bytes);

#endif
