/* The session record: JSON as the backend wrote it, read as JavaScript's JSON.parse would, but
 * refused wherever cJSON and JavaScript would disagree: duplicate keys, bytes after the end, bad
 * UTF-8, raw control characters, an escaped NUL or half surrogate pair, numbers that are not JSON.
 * The record is an object, nested at most 16 deep, of at most 64 KiB. Numbers keep their text
 * exactly as it was written ("9007199254740993"). */
#ifndef SLUICE_PROTO_SESSION_VALUE_H
#define SLUICE_PROTO_SESSION_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "sluice/base/slice.h"

enum { SESSION_VALUE_BYTES_MAX = 65536, SESSION_VALUE_DEPTH_MAX = 16 };

/* What a session must be like to count as logged in. Dotted paths: "passport.user". */
struct session_value_settings {
	bool cookie_object; /* a member "cookie" that is an object must be there (express) */
	struct slice authenticated; /* path that must hold the JSON literal true; absent: none */
	struct slice user;          /* path of the user id (a string or a number); absent: none */
};

/* What is read from a good session: who it is, and the record itself for the channel rules. */
struct identity {
	struct slice user; /* borrows from `record`; absent when the path is unset or not there */
	void *record;      /* private */
};

/* 0 and an identity that the caller must finish; -EACCES: not JSON, or not logged in; -ENOMEM.
 * A user id that is not there, null, or neither string nor number, is absent. */
int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json);
void identity_finish(struct identity *identity);

/* The texts that stand at a path, one by one: of a string, a number (as it was written) or a
 * boolean there is one; of an array, one for each such element. Empty strings count as not there.
 * Elements of an array cannot be addressed, nor members with a dot in their name. */
struct identity_texts {
	const void *next; /* private */
	bool is_array;
};

struct identity_texts identity_texts(const struct identity *identity, struct slice path);

/* Borrowed from the identity. Absent: there are no more. */
struct slice identity_texts_next(struct identity_texts *texts);

#endif
