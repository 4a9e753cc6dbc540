/* Static files, embedded in the program by tools/embed.py. */
#ifndef SLUICE_BASE_EMBEDDED_H
#define SLUICE_BASE_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
	const char *path, *type;
	const char *etag; /* with its quotes; changes with the bytes */
	const char *bytes;
	size_t len;
};

/* Each array ends with an element whose path is NULL. */
extern const struct embedded_file embedded_page[];   /* the demo page of --dev */
extern const struct embedded_file embedded_client[]; /* sluice.js, for pages to use */

#endif
