/* JSON with comments: what must be done before a JSON parser can read it. */
#ifndef SLUICE_SETTINGS_JSON_SCAN_H
#define SLUICE_SETTINGS_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "problems.h"

enum { JSON_DEPTH_MAX = 16 };

struct json_text {
	const char *name; /* of the file or variable, for messages */
	char *bytes;      /* changed in place */
	size_t len;
	unsigned *
		lines; /* room for `len` of them: where each value begins, in the order of the text */
	size_t n;      /* of values; 0 at first */
};

/* Replaces comments and a byte order mark by blanks, so that every byte stays where it was, and
 * notes the line of every value; that of an object's member is the line of its key. False: the text
 * cannot be JSON, and the problem has been added. True does not mean that it is JSON. */
bool json_scan(struct json_text *text, struct problems *problems);

#endif
