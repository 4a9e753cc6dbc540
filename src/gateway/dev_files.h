/* The files of the demo page, embedded by embed.py. */
#ifndef SLUICE_GATEWAY_DEV_FILES_H
#define SLUICE_GATEWAY_DEV_FILES_H

#include <stddef.h>

struct dev_file {
	const char *path, *type, *bytes;
	size_t len;
};

/* Ends with one whose path is NULL. */
extern const struct dev_file dev_files[];

#endif
