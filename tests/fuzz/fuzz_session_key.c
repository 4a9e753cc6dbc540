/* Templates of keys: session_key_format, _id and _move. The first two lines of the input are
 * templates, the rest is an id or a key. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/record/session_key.h"

static bool is_within(struct slice part, struct slice whole)
{
	return part.at >= whole.at && part.at + part.len <= whole.at + whole.len;
}

/* The id that was filled in is found again. */
static void check_format(struct slice template, struct slice sid)
{
	char key[SESSION_KEY_MAX];
	ssize_t len = session_key_format(template, sid, key, sizeof(key));
	MUST(len >= 0 || len == -EMSGSIZE);
	if (len < 0)
		return;
	struct slice id = session_key_id(template, slice_make(key, (size_t)len));
	MUST(id.at && is_within(id, slice_make(key, (size_t)len)));
	bool hashed = memmem(template.at, template.len, "sha256", 6) && !slice_equal(id, sid);
	MUST(hashed || slice_equal(id, sid));
}

static void check_id(struct slice template, struct slice other, struct slice key)
{
	char moved[SESSION_KEY_MAX], back[SESSION_KEY_MAX];
	struct slice id = session_key_id(template, key);
	MUST(!id.at || (session_id_is_plain(id) && is_within(id, key)));
	if (!session_key_templates_agree(template, other))
		return;
	ssize_t len = session_key_move(template, key, other, moved, sizeof(moved));
	MUST(id.at ? len >= 0 || len == -EMSGSIZE : len == -ENOENT);
	if (len < 0)
		return;
	MUST(slice_equal(session_key_id(other, slice_make(moved, (size_t)len)), id));
	len = session_key_move(other, slice_make(moved, (size_t)len), template, back, sizeof(back));
	MUST(len == -EMSGSIZE || slice_equal(slice_make(back, (size_t)len), key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice copy = fuzz_copy(fuzz_rest(data, size)), rest = copy;
	struct slice template = slice_cut(&rest, '\n'), other = slice_cut(&rest, '\n');
	if (session_key_template_is_valid(template)) {
		if (session_id_is_plain(rest))
			check_format(template, rest);
		if (session_key_template_is_valid(other))
			check_id(template, other, rest);
	}
	fuzz_free(copy);
	return 0;
}
