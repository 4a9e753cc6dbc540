/* From a session id to a Redis key, and from one key of a session to another.
 *
 *	sess:BWmObiKx          "sess:{sid}" with the id filled in
 *	2::3eb1bd439947eb76…   "2::{sid:sha256hex}": the keys do not reveal the ids
 *
 * Only ids of a plain alphabet become part of keys, even if they are signed: a backend that signs
 * what a user typed must not let the user name any key in Redis. A key's length is sent before it,
 * so the alphabet does not protect the protocol. It protects the neighbours: most applications
 * separate the parts of their keys with colons, so an id with a colon is taken only where the
 * backend has chosen it.
 *
 * The way back, from a key to its id, serves Redis' notifications, which contain keys: "expires:X"
 * is gone, so the session with the record "sessions:X" must be checked. No digest has to be
 * inverted for that, as all templates of one session write its id in the same way. */
#include "sluice/proto/record/session_key.h"

#include <errno.h>
#include <string.h>

#include "sluice/base/defs.h"
#include "sluice/proto/text/digest.h"

enum placeholder { PLACEHOLDER_PLAIN, PLACEHOLDER_HEX, PLACEHOLDER_BASE64URL };

struct template
{
	struct slice before, after;
	enum placeholder placeholder;
};

static bool consists_of(struct slice sid, const char *others)
{
	if (sid.len == 0 || sid.len > SESSION_ID_MAX)
		return false;
	for (size_t i = 0; i < sid.len; i++) {
		char c = sid.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool digit = c >= '0' && c <= '9';
		if (!letter && !digit && (c == '\0' || !strchr(others, c)))
			return false;
	}
	return true;
}

bool session_id_is_plain(struct slice sid)
{
	return consists_of(sid, "_.~+/=,@!$|-");
}

bool session_id_is_plain_or_parts(struct slice sid)
{
	return consists_of(sid, "_.~+/=,@!$|-:");
}

static bool read_placeholder(struct slice text, enum placeholder *placeholder)
{
	static const struct slice texts[] = {
		[PLACEHOLDER_PLAIN] = { "sid", 3 },
		[PLACEHOLDER_HEX] = { "sid:sha256hex", 13 },
		[PLACEHOLDER_BASE64URL] = { "sid:sha256b64url", 16 },
	};
	unsigned i = 0;
	while (i < COUNT_OF(texts) && !slice_equal(text, texts[i]))
		i++;
	*placeholder = (enum placeholder)i;
	return i < COUNT_OF(texts);
}

/* Splits a template at its placeholder. */
static bool cut(struct slice text, struct template *template)
{
	template->before = slice_cut(&text, '{');
	if (!text.at)
		return false;
	struct slice placeholder = slice_cut(&text, '}');
	template->after = text;
	return text.at && read_placeholder(placeholder, &template->placeholder);
}

static bool has_brace(struct slice text)
{
	return text.len && (memchr(text.at, '{', text.len) || memchr(text.at, '}', text.len));
}

bool session_key_template_is_valid(struct slice text)
{
	struct template template;
	return cut(text, &template) && !has_brace(template.before) && !has_brace(template.after);
}

bool session_key_template_is_bare(struct slice text)
{
	struct template template;
	MUST(cut(text, &template));
	return template.placeholder == PLACEHOLDER_PLAIN && !template.before.len &&
	       !template.after.len;
}

bool session_key_templates_agree(struct slice a, struct slice b)
{
	struct template first, second;
	MUST(cut(a, &first) && cut(b, &second));
	return first.placeholder == second.placeholder;
}

/* Writes the template with `id`, in the form that the key has it, filled in. */
static ssize_t fill(const struct template *template, struct slice id, char *key, size_t size)
{
	const struct slice parts[] = { template->before, id, template->after };
	return slice_join(parts, COUNT_OF(parts), key, size);
}

ssize_t session_key_format(struct slice text, struct slice sid, char *key, size_t size)
{
	struct template template;
	struct digest digest;
	char printed[DIGEST_HEX_MAX];
	MUST(cut(text, &template));
	if (template.placeholder == PLACEHOLDER_PLAIN)
		return fill(&template, sid, key, size);
	int error = digest_make(DIGEST_SHA256, sid, &digest);
	if (error)
		return error;
	size_t len = template.placeholder == PLACEHOLDER_HEX
			     ? digest_print_hex(&digest, printed)
			     : digest_print_base64(&digest, true, printed);
	return fill(&template, slice_make(printed, len), key, size);
}

struct slice session_key_id(struct slice text, struct slice key)
{
	struct template template;
	MUST(cut(text, &template));
	size_t before = template.before.len, after = template.after.len;
	struct slice none = { NULL, 0 };
	if (key.len < before + after || !slice_starts_with(key, template.before) ||
		!slice_equal(slice_skip(key, key.len - after), template.after))
		return none;
	struct slice id = slice_make(key.at + before, key.len - before - after);
	return session_id_is_plain(id) ? id : none;
}

ssize_t session_key_move(
	struct slice from, struct slice key, struct slice to, char *moved, size_t size)
{
	struct template template;
	struct slice id = session_key_id(from, key);
	MUST(cut(to, &template));
	return id.at ? fill(&template, id, moved, size) : -ENOENT;
}
