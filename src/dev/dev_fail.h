/* How --dev reports what went wrong. */
#ifndef SLUICE_DEV_DEV_FAIL_H
#define SLUICE_DEV_DEV_FAIL_H

#include <stdio.h>

/* Says on stderr what went wrong. Always -1. */
static inline int dev_fail(const char *what, const char *why)
{
	fprintf(stderr, "sluice: --dev: %s: %s\n", what, why);
	return -1;
}

#endif
