/* Picks what counts out of a session record: the values at some paths. A reader of any format
 * (record_json.h, msgpack.h, php_value.h, session_hash.h) says what it reads, in the order of the
 * record; all values elsewhere are forgotten at once.
 *
 *	record_pick_value, record_pick_begin       {
 *	record_pick_name                           "teams":
 *	record_pick_value, record_pick_begin       [
 *	record_pick_value, record_pick_scalar      "red"
 *	record_pick_end, record_pick_end           ] }
 *
 * A path is names joined by dots ("passport.user") or, when it begins with "/", a JSON Pointer (RFC
 * 6901: "/passport/user"), which can also name an element of an array and a member with a dot in
 * its name.
 *
 * If an object has two members with a name on the way to a path, the value at that path is void:
 * of two readers one would take the first, and the other the last. */
#ifndef SLUICE_PROTO_RECORD_RECORD_PICK_H
#define SLUICE_PROTO_RECORD_RECORD_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/proto/record/text_set.h"

enum {
	RECORD_PATHS_MAX = 64,
	RECORD_PARTS_MAX = 16,  /* of a path */
	RECORD_DEPTH_MAX = 256, /* of objects and arrays in each other */
	RECORD_NAME_MAX = 256,  /* of a part of a path, in bytes */
	RECORD_SET_TEXTS = 64,  /* from so many texts at a path on there is a set of them */
	/* Of a text, or of all elements of an array. Of a longer one only the existence is known. */
	RECORD_VALUE_BYTES_MAX = 65536,
};

enum record_kind {
	RECORD_ABSENT,
	RECORD_VOID, /* there is a value, but it is none that all readers agree on */
	RECORD_NULL,
	RECORD_FALSE,
	RECORD_TRUE,
	RECORD_NUMBER,
	RECORD_TEXT,
	RECORD_ARRAY,
	RECORD_OBJECT, /* or anything else of which only the existence is known */
	RECORD_TABLE,  /* only for record_pick_begin: an array if its keys are 0, 1, 2, …, else an
	                  object */
};

/* Private. A value at a path. */
struct record_value {
	enum record_kind kind;
	size_t first;         /* offset of its first text in `texts` */
	size_t n;             /* its texts */
	size_t bytes;         /* of them, and one for each */
	struct text_set *set; /* of them, if they are many; else NULL */
};

/* Private. An object or an array around the place that is being read. In the masks, bit i is path
 * i. */
struct record_level {
	uint64_t live;    /* paths that lead on from here */
	uint64_t seen;    /* those of which the next name has been seen */
	uint64_t collect; /* paths that end here: it is their array */
	uint64_t left;    /* for the reader of the format */
	uint64_t index;   /* of the next element */
	enum record_kind kind;
};

struct record_pick {
	/* private */
	unsigned n, depth, depth_max;
	uint64_t at;    /* paths that lead to the value of the name that was read */
	uint64_t on;    /* those that lead on, from the value that begins */
	uint64_t here;  /* those that end at it, or at the array around it */
	uint64_t exact; /* those that end at it */
	uint64_t voided, full;
	uint64_t ending[RECORD_PARTS_MAX + 1]; /* by the number of parts */
	struct buffer texts;
	struct record_path {
		struct slice text;
		bool is_pointer;
		struct slice parts[RECORD_PARTS_MAX];
	} paths[RECORD_PATHS_MAX];
	struct record_value values[RECORD_PATHS_MAX];
	size_t work; /* steps taken, for the reader to count with */
	struct record_level levels[];
};

/* NULL: `text` is a path that is not empty. Else a literal that tells the operator what is wrong. */
const char *record_path_problem(struct slice text);

/* Does a path lead to or through the member of the record with this name? */
bool record_path_begins(struct slice path, struct slice name);

/* A pick of nothing yet; a record may be nested `depth_max` deep, at most RECORD_DEPTH_MAX. NULL:
 * out of memory. */
struct record_pick *record_pick_create(unsigned depth_max);
void record_pick_destroy(struct record_pick *pick); /* NULL is allowed */

/* The value at this path counts, too. Before anything is read. A path that is not valid, or one too
 * many, is not looked at; the same path may be added twice. It is borrowed. */
void record_pick_add(struct record_pick *pick, struct slice path);

/* ---- what is read ---- */

/* A value begins. True: its text counts, so record_pick_scalar needs it. */
bool record_pick_value(struct record_pick *pick);

/* It is a value of this kind, with a text if it is a number (as written) or a text (valid UTF-8
 * without NUL). 0; -ENOMEM; -EACCES: a record has to be an object or a table. */
MUST_CHECK int record_pick_scalar(
	struct record_pick *pick, enum record_kind kind, struct slice text);

/* It is an object, an array or a table, and its members follow. 0; -E2BIG: nested too deeply;
 * -EACCES. */
MUST_CHECK int record_pick_begin(struct record_pick *pick, enum record_kind kind);
void record_pick_end(struct record_pick *pick);

/* Nothing in the object that has just begun counts. */
void record_pick_ignore(struct record_pick *pick);

/* The object or array that is being read; not at the beginning and the end of a record. */
static inline struct record_level *record_pick_level(struct record_pick *pick)
{
	return &pick->levels[pick->depth];
}

/* Does the name of the next member count? */
static inline bool record_pick_wants_name(struct record_pick *pick)
{
	return record_pick_level(pick)->live != 0;
}

/* The next member's name; absent: it has none that a path could name. */
void record_pick_name(struct record_pick *pick, struct slice name);

/* Which paths lead to the value that comes next; it may be set, to read a value twice. */
static inline uint64_t record_pick_aim(const struct record_pick *pick)
{
	return pick->at;
}

static inline void record_pick_set_aim(struct record_pick *pick, uint64_t paths)
{
	pick->at = paths;
}

/* Forgets the objects and arrays below this depth, in which reading has failed. */
static inline void record_pick_leave(struct record_pick *pick, unsigned depth)
{
	pick->depth = depth;
}

/* The table is not an array after all. */
void record_pick_is_object(struct record_pick *pick);

/* ---- what was picked, at the end of the record ---- */

/* The value at a path that was added; RECORD_ABSENT for any other. */
enum record_kind record_pick_kind(const struct record_pick *pick, struct slice path);

/* The texts of the value at a path: one for a text, a number (as written) or a boolean, and one for
 * each such element of an array. Empty texts are left out. */
struct record_texts {
	/* private */
	const struct record_pick *pick;
	uint64_t path;
	size_t at, left;
};

/* The same texts as a set, apart from those longer than TEXT_SET_LEN_MAX; NULL: they are few. */
const struct text_set *record_pick_set(const struct record_pick *pick, struct slice path);

struct record_texts record_pick_texts(const struct record_pick *pick, struct slice path);

/* Borrowed from the pick; absent: there are no more. */
struct slice record_texts_next(struct record_texts *texts);

#endif
