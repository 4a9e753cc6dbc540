/* A record may have a megabyte, and what counts in it is a user's id and perhaps a list of teams.
 * So no tree is made of it. The state is, for each object and array around the place that is being
 * read, the set of paths that lead there, as a mask. A value at a place to which no path leads costs
 * one look at an empty mask, and its text is not even decoded.
 *
 *	paths      0: passport.user   1: teams   2: /teams/0
 *	{                             live 0,1,2
 *	  "passport": {               live 0
 *	    "user": 7                 exact 0       -> values[0] is a number, "7"
 *	  },
 *	  "q": [[[…]]]                nothing is live in there
 *	  "teams": [                  live 2, collect 1
 *	    "red", "blue"             here 1,2 and 1
 *
 * Texts are kept one behind the other in the order of the record, each with the mask of the paths
 * that it belongs to. If there are many at a path, a channel's name is not compared with each: they
 * are also in a set, which grows as they are read, so that it takes no time of its own.
 *
 * A place in a record is unique unless a name occurs twice, and a path whose name does is void for
 * good, whatever comes later. */
#include "sluice/proto/record/record_pick.h"

#include <errno.h>
#include <stdlib.h>

#define BIT(i) (UINT64_C(1) << (i))
#define EACH_BIT(i, mask) \
	for (uint64_t left_ = (mask), i; left_ && (i = (uint64_t)__builtin_ctzll(left_), true); \
		left_ &= left_ - 1)

struct text_head {
	uint64_t paths;
	size_t len;
};

/* ---- paths ---- */

static bool escapes_are_valid(struct slice pointer)
{
	for (slice_cut(&pointer, '~'); pointer.at; slice_cut(&pointer, '~')) {
		if (pointer.len == 0 || (pointer.at[0] != '0' && pointer.at[0] != '1'))
			return false;
	}
	return true;
}

/* Cuts the first part off a path; the rest of it is absent behind the last one. */
static struct slice cut_part(struct slice *path, bool is_pointer)
{
	return slice_cut(path, is_pointer ? '/' : '.');
}

/* Takes what makes a path a pointer. */
static bool take_root(struct slice *path)
{
	return slice_take(path, SLICE("/"));
}

const char *record_path_problem(struct slice text)
{
	bool is_pointer = take_root(&text);
	if (is_pointer && !escapes_are_valid(text))
		return "write a \"~\" as \"~0\"";
	unsigned n = 0;
	do {
		struct slice part = cut_part(&text, is_pointer);
		if (!part.len && !is_pointer)
			return "a name between the dots is empty";
		if (part.len > RECORD_NAME_MAX || ++n > RECORD_PARTS_MAX)
			return "it is too long";
	} while (text.at);
	return NULL;
}

/* The index of a path; -1: it was not added. */
static int find(const struct record_pick *pick, struct slice path)
{
	for (unsigned i = 0; i < pick->n; i++)
		if (slice_equal(pick->paths[i].text, path))
			return (int)i;
	return -1;
}

void record_pick_add(struct record_pick *pick, struct slice path)
{
	struct record_path *added = &pick->paths[pick->n];
	if (!path.len || pick->n == RECORD_PATHS_MAX || find(pick, path) >= 0)
		return;
	if (record_path_problem(path))
		return;
	added->text = path;
	added->is_pointer = take_root(&path);
	unsigned n = 0;
	while (path.at)
		added->parts[n++] = cut_part(&path, added->is_pointer);
	pick->values[pick->n] = (struct record_value){ 0 };
	pick->ending[n] |= BIT(pick->n);
	pick->at |= BIT(pick->n++);
}

/* RFC 6901 §4: "~1" is "/", and "~0" is "~". */
static bool is_named_by_pointer(struct slice part, struct slice name)
{
	for (; part.len && name.len; part = slice_skip(part, 1), name = slice_skip(name, 1)) {
		char c = part.at[0];
		if (c == '~') {
			part = slice_skip(part, 1);
			c = part.at[0] == '1' ? '/' : '~';
		}
		if (name.at[0] != c)
			return false;
	}
	return !part.len && !name.len;
}

bool record_path_begins(struct slice path, struct slice name)
{
	bool is_pointer = take_root(&path);
	struct slice part = cut_part(&path, is_pointer);
	return is_pointer ? is_named_by_pointer(part, name) : slice_equal(part, name);
}

static bool is_named(const struct record_path *path, unsigned depth, struct slice name)
{
	struct slice part = path->parts[depth];
	return path->is_pointer ? is_named_by_pointer(part, name) : slice_equal(part, name);
}

/* The index of an element has no leading zeros (RFC 6901 §4). */
static bool is_index(const struct record_path *path, unsigned depth, uint64_t index)
{
	struct slice part = path->parts[depth];
	uint64_t number;
	return path->is_pointer && slice_number(part, UINT32_MAX, &number) && number == index &&
	       (part.len == 1 || part.at[0] != '0');
}

/* ---- the life of a pick ---- */

struct record_pick *record_pick_create(unsigned depth_max)
{
	depth_max = MIN(depth_max, (unsigned)RECORD_DEPTH_MAX);
	struct record_pick *pick =
		malloc(sizeof(*pick) + (depth_max + 1) * sizeof(pick->levels[0]));
	if (!pick)
		return NULL;
	pick->n = pick->depth = 0;
	pick->depth_max = depth_max;
	pick->at = pick->on = pick->here = pick->exact = pick->voided = pick->full = 0;
	pick->work = 0;
	pick->texts = (struct buffer){ 0 };
	memset(pick->ending, 0, sizeof(pick->ending));
	pick->levels[0] = (struct record_level){ .kind = RECORD_ABSENT };
	return pick;
}

void record_pick_destroy(struct record_pick *pick)
{
	for (unsigned i = 0; pick && i < pick->n; i++)
		text_set_destroy(pick->values[i].set);
	if (pick)
		buffer_finish(&pick->texts);
	free(pick);
}

/* ---- what is read ---- */

static uint64_t paths_to_element(struct record_pick *pick, struct record_level *level)
{
	uint64_t found = 0, index = level->index++;
	EACH_BIT(i, level->live)
	{
		pick->work++;
		if (is_index(&pick->paths[i], pick->depth - 1, index))
			found |= BIT(i);
	}
	return found;
}

/* Of these no text counts. */
static uint64_t gone(const struct record_pick *pick)
{
	return pick->voided | pick->full;
}

bool record_pick_value(struct record_pick *pick)
{
	struct record_level *level = record_pick_level(pick);
	uint64_t at = level->kind == RECORD_ARRAY ? paths_to_element(pick, level) : pick->at;
	pick->at = 0;
	pick->exact = pick->depth <= RECORD_PARTS_MAX ? at & pick->ending[pick->depth] : 0;
	pick->on = at & ~pick->exact;
	pick->here = pick->exact | level->collect;
	return (pick->here & ~gone(pick)) != 0;
}

/* The paths that still take a text of this length. Of a value that is too long only the existence is
 * known. */
static uint64_t paths_with_room(struct record_pick *pick, uint64_t paths, size_t len)
{
	EACH_BIT(i, paths)
	{
		struct record_value *value = &pick->values[i];
		if (len < RECORD_VALUE_BYTES_MAX - value->bytes)
			value->bytes += len + 1;
		else
			pick->full |= BIT(i);
	}
	return paths & ~pick->full;
}

/* The set of the first texts at path i, of which the last one was just read. */
static int begin_set(struct record_pick *pick, uint64_t i)
{
	struct record_value *value = &pick->values[i];
	struct record_texts texts = { pick, BIT(i), value->first, value->n };
	struct slice text;
	int error = 0;
	value->set = text_set_create(&pick->texts);
	if (!value->set)
		return -ENOMEM;
	while (!error && (text = record_texts_next(&texts)).at)
		error = text_set_add(value->set, (size_t)(text.at - pick->texts.bytes), text.len);
	return error;
}

/* The last text, of so many bytes, belongs to path i. */
static int add_to_set(struct record_pick *pick, uint64_t i, size_t len)
{
	const struct record_value *value = &pick->values[i];
	if (value->set)
		return text_set_add(value->set, pick->texts.len - len, len);
	return value->n < RECORD_SET_TEXTS ? 0 : begin_set(pick, i);
}

static int keep(struct record_pick *pick, uint64_t paths, struct slice text)
{
	paths = text.len ? paths_with_room(pick, paths & ~gone(pick), text.len) : 0;
	if (!paths)
		return 0;
	struct text_head head = { paths, text.len };
	size_t offset = pick->texts.len;
	int error = buffer_reserve(&pick->texts, sizeof(head) + text.len);
	if (!error)
		error = buffer_append(&pick->texts, &head, sizeof(head));
	if (!error)
		error = buffer_append_slice(&pick->texts, text);
	EACH_BIT(i, error ? 0 : paths)
	{
		if (!pick->values[i].n++)
			pick->values[i].first = offset;
		if (!error)
			error = add_to_set(pick, i, text.len);
	}
	return error;
}

static void set_kind(struct record_pick *pick, enum record_kind kind)
{
	EACH_BIT(i, pick->exact)
	pick->values[i].kind = kind;
}

int record_pick_scalar(struct record_pick *pick, enum record_kind kind, struct slice text)
{
	if (!pick->depth)
		return -EACCES;
	if (!pick->here)
		return 0;
	set_kind(pick, kind);
	if (kind == RECORD_TRUE)
		text = SLICE("true");
	else if (kind == RECORD_FALSE)
		text = SLICE("false");
	else if (kind != RECORD_NUMBER && kind != RECORD_TEXT)
		return 0;
	return keep(pick, pick->here, text);
}

int record_pick_begin(struct record_pick *pick, enum record_kind kind)
{
	if (!pick->depth && kind == RECORD_ARRAY)
		return -EACCES;
	if (pick->depth == pick->depth_max)
		return -E2BIG;
	set_kind(pick, kind == RECORD_OBJECT ? RECORD_OBJECT : RECORD_ARRAY);
	pick->levels[++pick->depth] = (struct record_level){
		.live = pick->depth <= RECORD_PARTS_MAX ? pick->on : 0,
		.collect = kind == RECORD_OBJECT ? 0 : pick->exact,
		.kind = kind,
	};
	return 0;
}

void record_pick_end(struct record_pick *pick)
{
	pick->depth--;
}

void record_pick_ignore(struct record_pick *pick)
{
	record_pick_level(pick)->live = 0;
}

void record_pick_name(struct record_pick *pick, struct slice name)
{
	struct record_level *level = record_pick_level(pick);
	pick->at = 0;
	EACH_BIT(i, name.at ? level->live : 0)
	{
		pick->work += 2;
		if (is_named(&pick->paths[i], pick->depth - 1, name))
			pick->at |= BIT(i);
	}
	pick->voided |= pick->at & level->seen;
	level->seen |= pick->at;
}

void record_pick_is_object(struct record_pick *pick)
{
	struct record_level *level = record_pick_level(pick);
	EACH_BIT(i, level->collect)
	{
		pick->values[i].kind = RECORD_OBJECT;
		pick->values[i].n = 0;
		text_set_destroy(pick->values[i].set);
		pick->values[i].set = NULL;
	}
	level->collect = 0;
	level->kind = RECORD_OBJECT;
}

/* ---- what was picked ---- */

enum record_kind record_pick_kind(const struct record_pick *pick, struct slice path)
{
	int i = find(pick, path);
	if (i < 0)
		return RECORD_ABSENT;
	if (pick->voided & BIT(i))
		return RECORD_VOID;
	return pick->full & BIT(i) ? RECORD_OBJECT : pick->values[i].kind;
}

struct record_texts record_pick_texts(const struct record_pick *pick, struct slice path)
{
	int i = find(pick, path);
	if (i < 0 || gone(pick) & BIT(i))
		return (struct record_texts){ 0 };
	return (struct record_texts){ pick, BIT(i), pick->values[i].first, pick->values[i].n };
}

const struct text_set *record_pick_set(const struct record_pick *pick, struct slice path)
{
	int i = find(pick, path);
	return i < 0 || gone(pick) & BIT(i) ? NULL : pick->values[i].set;
}

struct slice record_texts_next(struct record_texts *texts)
{
	while (texts->left) {
		struct text_head head;
		const char *at = texts->pick->texts.bytes + texts->at;
		memcpy(&head, at, sizeof(head));
		texts->at += sizeof(head) + head.len;
		if (!(head.paths & texts->path))
			continue;
		texts->left--;
		return slice_make(at + sizeof(head), head.len);
	}
	return (struct slice){ NULL, 0 };
}
