/* The session record: JSON as the backend wrote it, read as JavaScript's JSON.parse would, but
 * refused wherever cJSON and JavaScript would disagree: duplicate keys, bytes after the end, bad
 * UTF-8, raw control characters, an escaped NUL or half surrogate pair, numbers that are not JSON.
 * The record is an object, nested at most 16 deep, of at most 64 KiB. Numbers keep their text
 * exactly as it was written ("9007199254740993"). */
#ifndef SLUICE_PROTO_RECORD_SESSION_VALUE_H
#define SLUICE_PROTO_RECORD_SESSION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum {
	SESSION_VALUE_BYTES_MAX = 65536,
	SESSION_VALUE_DEPTH_MAX = 16,
	/* For what becomes JSON, and may get a {} in its deepest place. */
	SESSION_VALUE_DEPTH_MAX_CONVERTED = SESSION_VALUE_DEPTH_MAX - 1,
};

/* What a session must be like to count as logged in.
 *
 * A path is names with dots between them ("passport.user"), or, when it begins with "/", a JSON Pointer
 * (RFC 6901: "/passport/user"), which can name an element of an array, and a member with a dot in its
 * name. An absent or empty one is none. */
struct session_value_settings {
	bool cookie_object; /* a member "cookie" that is an object must be there (express) */
	struct slice authenticated; /* must hold the JSON literal true */
	struct slice present;       /* must be there, and be neither null nor false nor "" */
	struct slice user;          /* the user id, a string or a number */
	/* The end of the session: a number of milliseconds since 1970, or a text as date_time.h has it.
	 * What is not there, or null, is no end; what is anything else is no session. */
	struct slice expires;
};

/* What is read from a good session: who it is, and the record itself for the channel rules. */
struct identity {
	struct slice user;  /* borrows from `record`; absent when the path is unset or not there */
	int64_t expires_ms; /* since 1970; INT64_MAX: never. It is the caller who has a clock */
	void *record;       /* private */
};

/* 0 and an identity that the caller must finish; -EACCES: not JSON, or not logged in; -ENOMEM.
 * A user id that is not there, null, or neither string nor number, is absent. */
int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json);
void identity_finish(struct identity *identity);

/* Is `text` a path, as above, and not empty? */
bool identity_path_is_valid(struct slice text);

/* Does anything stand at a path, but null? */
bool identity_has(const struct identity *identity, struct slice path);

/* The texts that stand at a path, one by one: of a string, a number (as it was written) or a
 * boolean there is one; of an array, one for each such element. Empty strings count as not there. */
struct identity_texts {
	const void *next; /* private */
	bool is_array;
};

struct identity_texts identity_texts(const struct identity *identity, struct slice path);

/* Borrowed from the identity. Absent: there are no more. */
struct slice identity_texts_next(struct identity_texts *texts);

#endif
