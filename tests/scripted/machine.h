/* The machine that a script runs on: its clock moves only when the script moves it, and its random
 * numbers are the same in every run. Log lines are checked and dropped. */
#ifndef SLUICE_TESTS_MACHINE_H
#define SLUICE_TESTS_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* Resets the machine to the beginning of a run. */
void machine_reset(void);

/* Moves the clock on. */
void machine_pass(uint64_t ms);

/* Sets the wall clock, in ms since 1970. From now on it moves with the other one; until then, and
 * after a reset, it is the real one. */
void machine_set_wall(int64_t ms);

/* No log line may contain this string, a literal; NULL: any string is allowed. */
void machine_keep_out_of_log(const char *secret);

#endif
