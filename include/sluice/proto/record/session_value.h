/* The session record: who is logged in, and what the record says for the channel rules. It is JSON,
 * an object of at most 64 KiB nested at most 16 deep; session_tree.h says which JSON is refused.
 * Numbers keep their characters exactly as written ("9007199254740993"). */
#ifndef SLUICE_PROTO_RECORD_SESSION_VALUE_H
#define SLUICE_PROTO_RECORD_SESSION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"
#include "sluice/proto/record/session_tree.h"

/* When a session counts as logged in.
 *
 * A path is names joined by dots ("passport.user") or, when it begins with "/", a JSON Pointer (RFC
 * 6901: "/passport/user"), which can also name an element of an array and a member with a dot in
 * its name. An absent or empty path is not looked at. */
struct session_value_settings {
	struct slice authenticated; /* must be the JSON literal true */
	struct slice present;       /* must exist, and be neither null nor false nor "" */
	struct slice user;          /* the user id, a string or a number */
	/* The end of the session: a number of milliseconds since 1970, or a string that date_time.h
	 * describes. Missing or null: the session has no end. Anything else: it is refused. */
	struct slice expires;
};

/* A logged-in session. */
struct identity {
	struct slice user; /* borrowed from `record`; absent: the path is unset or does not exist */
	int64_t expires_ms; /* since 1970; INT64_MAX: never. The caller compares it with its clock */
	void *record;       /* private */
};

/* 0 and an identity that the caller must finish; -EACCES: the record is refused, or the session is
 * not logged in; -ENOMEM. A user id that is missing, or neither a string nor a number, is
 * absent. */
int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json);
void identity_finish(struct identity *identity);

/* Is `text` a path that is not empty? */
bool identity_path_is_valid(struct slice text);

/* Is there a value at the path, other than null? */
bool identity_has(const struct identity *identity, struct slice path);

/* Iterates over the strings at a path: a string, a number (as written) or a boolean gives one; an
 * array gives one for each such element. Empty strings are left out. */
struct identity_texts {
	const void *next; /* private */
	struct slice user;
	bool is_array;
};

struct identity_texts identity_texts(const struct identity *identity, struct slice path);

/* The same over the user alone. */
struct identity_texts identity_user_texts(const struct identity *identity);

/* The next string, borrowed from the identity; absent: there are no more. */
struct slice identity_texts_next(struct identity_texts *texts);

#endif
