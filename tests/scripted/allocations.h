/* Counts every allocation of the program, ours and the libraries', so that a chosen one can fail. A
 * block of a pool counts too.
 *
 * The program itself redefines the whole malloc family. So every library that it is linked with
 * (libuv, hiredis, cJSON, mbedTLS) calls our functions, which call the sanitizer's or the C
 * library's. Libraries without an allocation hook (hiredis 0.14) could not be reached otherwise. */
#ifndef SLUICE_TESTS_ALLOCATIONS_H
#define SLUICE_TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now on fails, once; 0: none fails. Restarts the count. */
void allocations_fail_at(size_t n);

/* How many there were since then, and whether the chosen one was among them. */
size_t allocations_counted(void);
bool allocations_failed(void);

/* For allocations of the script: between these two calls, nothing fails and nothing is counted. May
 * be nested. */
void allocations_spare(void);
void allocations_resume(void);

/* Blocks that are in use. */
long allocations_alive(void);

/* How many bytes are in use, with the word before each block that malloc keeps for itself; only the
 * difference between two calls means something. */
size_t allocations_bytes(void);

#endif
