/* Files that are served, embedded in the program by tools/embed.py. */
#ifndef SLUICE_BASE_EMBEDDED_H
#define SLUICE_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *path, *type;
	const char *etag; /* with its quotes; another one when the bytes are others */
	const char *bytes;
	size_t len;
};

/* Each ends with one whose path is NULL. */
extern const struct embedded_file embedded_page[];   /* the demo page of --dev */
extern const struct embedded_file embedded_client[]; /* what pages use */

#endif
