/* The machine that a script runs on: its clock stands still until the script moves it, and its
 * randomness is the same in every run. What is logged is looked at and thrown away. */
#ifndef SLUICE_TESTS_MACHINE_H
#define SLUICE_TESTS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Back to how every run begins. */
void machine_reset(void);

/* Moves the clock on. */
void machine_pass(uint64_t ms);

/* No line of the log may hold this text (a literal); NULL: any may. */
void machine_keep_out_of_log(const char *secret);

#endif
