/* A program for seccomp, made from a table of system calls. */
#ifndef SLUICE_PROCESS_SANDBOX_FILTER_H
#define SLUICE_PROCESS_SANDBOX_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/defs.h"

enum { FILTER_CONDITIONS_MAX = 2, FILTER_WORDS_MAX = 1024 };

/* The two words of an argument, by its number. */
#define WORD(argument)      (2 * (argument))
#define HIGH_WORD(argument) (2 * (argument) + 1)

struct filter_condition {
	uint32_t word, mask, value; /* (word & mask) == value */
};

/* A call with certain arguments. */
struct filter_call {
	int number;
	struct filter_condition when[FILTER_CONDITIONS_MAX]; /* all; a mask of 0 ends them */
};

struct filter {
	struct sock_filter words[FILTER_WORDS_MAX];
	unsigned short n;
};

/* Begins a filter: calls of another architecture fail with EPERM. */
void filter_begin(struct filter *filter, uint32_t architecture);

/* What happens to a call: SECCOMP_RET_…; the first rule that matches decides. */
void filter_add(struct filter *filter, const struct filter_call *call, uint32_t action);
void filter_add_number(struct filter *filter, int number, uint32_t action);

/* Ends a filter: calls above `newest` get the one action, all others the other. */
void filter_end(struct filter *filter, uint32_t newest, uint32_t above, uint32_t others);

/* Restricts all threads. 0 or a negative errno: none is restricted. */
MUST_CHECK int filter_install(struct filter *filter);

#endif
