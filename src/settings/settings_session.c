/* What can only be decided about sessions when every source and the preset have spoken: settings that
 * need each other, and secrets, which may lie in files. */
#include "settings_internal.h"

#include <errno.h>

#include "sluice/base/file.h"
#include "sluice/proto/record/laravel_cookie.h"

/* ---- secrets ---- */

/* Takes one end of line off, which editors and `echo` leave behind. */
static struct slice without_line_end(struct slice text)
{
	if (text.len && text.at[text.len - 1] == '\n')
		text.len--;
	if (text.len && text.at[text.len - 1] == '\r')
		text.len--;
	return text;
}

static struct slice read_secret(
	struct loading *loading, struct place place, size_t i, const char *path)
{
	struct buffer bytes;
	struct slice secret = { NULL, 0 };
	int error = file_read(path, SETTINGS_TEXT_MAX, &bytes);
	if (error)
		loading_problem(loading, place, "session.secrets[%zu]: cannot read %s: %s", i, path,
			error == -EFBIG ? "it is larger than 4096 bytes" : strerror(-error));
	else if (without_line_end(buffer_slice(&bytes)).len == 0)
		loading_problem(loading, place, "session.secrets[%zu]: %s is empty", i, path);
	else
		secret = loading_keep(loading, without_line_end(buffer_slice(&bytes)));
	buffer_finish(&bytes);
	return secret;
}

/* A key for laravel is kept as the octets that it is. */
static struct slice settle_key(
	struct loading *loading, struct place place, size_t i, struct slice text)
{
	uint8_t key[LARAVEL_KEY_BYTES];
	if (laravel_key_parse(text, key) == 0)
		return loading_keep(loading, slice_make((const char *)key, sizeof(key)));
	loading_problem(loading, place,
		"session.secrets[%zu]: must be an APP_KEY for AES-256, \"base64:\" and 32 octets "
		"in base64",
		i);
	return text;
}

static struct slice settle_secret(
	struct loading *loading, struct place place, size_t i, struct slice text)
{
	if (slice_starts_with(text, SLICE("file:/")))
		return read_secret(loading, place, i, text.at + sizeof("file:") - 1);
	if (slice_starts_with(text, SLICE("file:")))
		loading_problem(loading, place,
			"session.secrets[%zu]: \"file:\" takes a path from the root on, such as "
			"\"file:/run/secrets/session\"",
			i);
	else if (text.len == 0)
		loading_problem(loading, place, "session.secrets[%zu]: must not be empty", i);
	else if (slice_equal(text, SLICE(SETTINGS_MASK)))
		loading_problem(loading, place,
			"session.secrets[%zu]: is the \"***\" of --print-config; put the secret "
			"there",
			i);
	return text;
}

static void settle_secrets(struct loading *loading)
{
	struct settings *settings = loading->settings;
	struct place place = loading_given(loading, "session.secrets");
	size_t n = settings->session.n_secrets;
	bool told = loading->n_problems && place.name;
	if (!place.name)
		place.name = loading->config;
	if (n == 0 && settings->session.signature != SESSION_SIGNATURE_NONE && !told)
		loading_problem(loading, place,
			"session.secrets: there is none; Sluice needs the secret that your backend "
			"signs its session cookie with: \"session\": { \"secrets\": "
			"[\"file:/run/secrets/session\"] }, or SLUICE_SESSION_SECRETS='[\"…\"]'");
	struct slice *secrets = loading_allocate(loading, MAX(1, n) * sizeof(*secrets));
	if (!secrets)
		return;
	for (size_t i = 0; i < n; i++) {
		struct slice text = settings->session.secrets[i];
		size_t told_before = loading->n_problems;
		if (text.at)
			secrets[i] = settle_secret(loading, place, i, text);
		if (secrets[i].len && loading->n_problems == told_before &&
			settings->session.signature == SESSION_SIGNATURE_LARAVEL)
			secrets[i] = settle_key(loading, place, i, secrets[i]);
	}
	settings->session.secrets = secrets;
}

/* ---- settings that need each other ---- */

static void settle_cookie(struct loading *loading)
{
	const struct settings *settings = loading->settings;
	if (!settings->session.cookie.len && !settings->session.ticket.len)
		loading_problem(loading, loading_given(loading, "session.cookie"),
			"session.cookie: may be \"\" only with session.ticket: nobody could come "
			"in");
}

static void settle_codec(struct loading *loading)
{
	const struct settings *settings = loading->settings;
	if (settings->session.lookup == SESSION_LOOKUP_HASH &&
		settings->session.codec != SESSION_CODEC_JSON &&
		settings->session.codec != SESSION_CODEC_NONE)
		loading_problem(loading, loading_given(loading, "session.codec"),
			"session.codec: the fields of a hash are read as \"json\" or not at all");
}

/* A stranger must not have any key of Redis looked at by its name, and much less taken out. */
static void settle_keys(struct loading *loading)
{
	const struct settings *settings = loading->settings;
	if (settings->session.ticket.len && session_key_template_is_bare(settings->session.ticket))
		loading_problem(loading, loading_given(loading, "session.ticket"),
			"session.ticket: needs more than {sid}, such as \"ticket:{sid}\": else "
			"anybody could have any key of Redis deleted");
	if (settings->session.cookie.len && settings->session.signature == SESSION_SIGNATURE_NONE &&
		session_key_template_is_bare(settings->session.key))
		loading_problem(loading, loading_given(loading, "session.key"),
			"session.key: needs more than {sid}, such as \"sess:{sid}\", with "
			"session.signature \"none\": else a cookie could name any key of Redis");
}

/* When a second key goes, it has to be plain whose record that concerns. */
static void settle_must_exist(struct loading *loading)
{
	struct slice key = loading->settings->session.key;
	struct slice must_exist = loading->settings->session.must_exist;
	char example[SESSION_KEY_MAX];
	const char *problem = NULL;
	if (!must_exist.len)
		return;
	ssize_t len = session_key_format(must_exist, SLICE("0"), example, sizeof(example));
	if (!session_key_templates_agree(key, must_exist))
		problem = "must write the id as session.key does";
	else if (len < 0)
		loading->no_memory = true;
	else if (session_key_id(key, slice_make(example, (size_t)len)).at)
		problem = "its keys could be taken for those of session.key";
	if (problem)
		loading_problem(loading, loading_given(loading, "session.must_exist"),
			"session.must_exist: %s", problem);
}

/* What nobody reads cannot be asked for anything; tickets can. */
static void settle_unread(struct loading *loading)
{
	static const char *const keys[] = { "session.authenticated", "session.present",
		"session.expires" };
	struct settings *settings = loading->settings;
	if (settings->session.ticket.len || (settings->session.lookup != SESSION_LOOKUP_EXISTS &&
						    settings->session.codec != SESSION_CODEC_NONE))
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		const struct setting *setting = setting_find(slice_of(keys[i]));
		struct slice *path = setting_field(settings, setting);
		struct place place = loading_given(loading, keys[i]);
		if (path->len && place.name)
			loading_problem(loading, place,
				"%s: nothing is read with session.lookup \"exists\" or "
				"session.codec \"none\"",
				keys[i]);
		*path = (struct slice){ NULL, 0 };
	}
}

void loading_settle_session(struct loading *loading)
{
	if (!loading->n_problems) {
		settle_cookie(loading);
		settle_codec(loading);
		settle_keys(loading);
		settle_must_exist(loading);
		settle_unread(loading);
	}
	settle_secrets(loading);
}
