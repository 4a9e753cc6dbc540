/* Every allocation of the program, ours and the libraries', so that a chosen one can fail. A block of a
 * pool is one, too.
 *
 * The whole malloc family is defined anew, in the program itself: whoever is linked with it, libuv,
 * hiredis, cJSON and mbedTLS as well, calls ours, and ours calls the sanitizer's or the C library's.
 * Hooks of single libraries would leave out those that have none (hiredis 0.14). */
#ifndef SLUICE_TESTS_ALLOCATIONS_H
#define SLUICE_TESTS_ALLOCATIONS_H

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from now on fails, once; 0: none does. Counting begins anew. */
void allocations_fail_at(size_t n);

/* How many there were since, and whether the chosen one was among them. */
size_t allocations_counted(void);
bool allocations_failed(void);

/* The script's own: between these two, nothing fails and nothing is counted. May be nested. */
void allocations_spare(void);
void allocations_resume(void);

/* Blocks that are in use. */
long allocations_alive(void);

/* How many bytes are in use, with the word before each block that malloc keeps for itself; only the
 * difference between two calls means something. */
size_t allocations_bytes(void);

#endif
