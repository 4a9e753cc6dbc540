/* The session record: who is logged in, and what the record says for the channel rules. Only the
 * values at the paths below count; what else a record holds decides nothing, as long as it is of
 * its format. Numbers keep their characters exactly as written ("9007199254740993"). */
#ifndef SLUICE_PROTO_RECORD_SESSION_VALUE_H
#define SLUICE_PROTO_RECORD_SESSION_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"
#include "sluice/proto/record/record_pick.h"

/* When a session counts as logged in, and what else of its record counts. A path is as in
 * record_pick.h; an absent or empty one is not looked at. */
struct session_value_settings {
	struct slice authenticated; /* must be true */
	struct slice present;       /* must exist, and be neither null nor false nor "" */
	struct slice user;          /* the user id, a string or a number */
	/* The end of the session: a number of milliseconds or, below 10^11, of seconds since 1970,
	 * or a string that date_time.h describes. Missing or null: the session has no end. Anything
	 * else: it is refused. */
	struct slice expires;
	const struct slice *fields; /* what identity_texts may be asked for */
	size_t n_fields;
};

enum record_format {
	RECORD_FORMAT_JSON,
	RECORD_FORMAT_MSGPACK,
	RECORD_FORMAT_PHP,
	RECORD_FORMAT_HASH, /* of session_hash_add */
};

enum { SESSION_VALUE_DEPTH_DEFAULT = 64 };

/* A logged-in session. Zero-initialised is empty. */
struct identity {
	struct slice user; /* borrowed from `record`; absent: the path is unset or does not exist */
	int64_t expires_ms; /* since 1970; INT64_MAX: never. The caller compares it with its clock */
	struct identity_record *record; /* private */
};

/* Begins to read a record nested at most `depth_max` deep. The paths and the record's bytes are
 * borrowed until it has been read, the paths until identity_finish. 0 or -ENOMEM. */
int identity_begin(struct identity *ret_identity, const struct session_value_settings *settings,
	enum record_format format, struct slice record, unsigned depth_max);

/* Reads on, for about `work` steps (a byte is one) beyond the longest string. 0: this is the
 * identity, and the caller must finish it; 1: there is more to read; else nothing is left to finish:
 * -EACCES: the session is not logged in; -EINVAL: the record is not of this format; -E2BIG: it is
 * nested too deeply; -ENOMEM. A user id that is missing, or neither a string nor a number, is
 * absent. */
int identity_go_on(
	struct identity *identity, const struct session_value_settings *settings, size_t work);

/* The same at once, for JSON nested at most SESSION_VALUE_DEPTH_DEFAULT deep. */
int identity_parse(struct identity *ret_identity, const struct session_value_settings *settings,
	struct slice json);

void identity_finish(struct identity *identity);

/* Is there a value at the path, other than null? */
bool identity_has(const struct identity *identity, struct slice path);

/* Iterates over the strings at a path: a string, a number (as written) or a boolean gives one; an
 * array gives one for each such element. Empty strings are left out. */
struct identity_texts {
	/* private */
	struct record_texts texts;
	struct slice user;
};

struct identity_texts identity_texts(const struct identity *identity, struct slice path);

/* The same strings as a set, for those who look for one of at most TEXT_SET_LEN_MAX bytes. NULL:
 * they are few. */
const struct text_set *identity_text_set(const struct identity *identity, struct slice path);

/* The same over the user alone. */
struct identity_texts identity_user_texts(const struct identity *identity);

/* The next string, borrowed from the identity; absent: there are no more. */
struct slice identity_texts_next(struct identity_texts *texts);

#endif
