/* What can only be decided when every source has spoken: the preset's defaults for what nobody has
 * set, the files that values name, and settings that need each other. */
#include "options_internal.h"

#include <errno.h>
#include <unistd.h>

/* What --print-config shows in place of a secret. Whoever runs its output without filling that in
 * would accept sessions that anybody can sign. */
static const char mask[] = "***";

static struct place given(const struct loading *loading, const char *key)
{
	return loading->given[setting_find(slice_of(key)) - options_settings];
}

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
	int error = options_read_file(path, OPTIONS_TEXT_MAX, &bytes);
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
	else if (slice_equal(text, slice_of(mask)))
		loading_problem(loading, place,
			"session.secrets[%zu]: is the \"***\" of --print-config; put the secret "
			"there",
			i);
	return text;
}

static void settle_secrets(struct loading *loading)
{
	struct options *options = loading->options;
	struct place place = given(loading, "session.secrets");
	size_t n = options->session.n_secrets;
	bool told = loading->n_problems && place.name;
	if (!place.name)
		place.name = loading->config;
	if (n == 0 && options->session.signature != SESSION_SIGNATURE_NONE && !told)
		loading_problem(loading, place,
			"session.secrets: there is none; Sluice needs the secret that your backend "
			"signs its session cookie with: \"session\": { \"secrets\": "
			"[\"file:/run/secrets/session\"] }, or SLUICE_SESSION_SECRETS='[\"…\"]'");
	struct slice *secrets = loading_allocate(loading, MAX(1, n) * sizeof(*secrets));
	if (!secrets)
		return;
	for (size_t i = 0; i < n; i++) {
		struct slice text = options->session.secrets[i];
		if (text.at)
			secrets[i] = settle_secret(loading, place, i, text);
	}
	options->session.secrets = secrets;
}

/* ---- the others ---- */

static void settle_session(struct loading *loading)
{
	const struct options *options = loading->options;
	if (!loading->n_problems && !options->session.cookie.len && !options->session.ticket.len)
		loading_problem(loading, given(loading, "session.cookie"),
			"session.cookie: may be \"\" only with session.ticket: nobody could come "
			"in");
}

static void settle_redis(struct loading *loading)
{
	if (!loading->n_problems && loading->options->redis.has_password &&
		strcmp(loading->options->redis.password, mask) == 0)
		loading_problem(loading, given(loading, "redis.url"),
			"redis.url: its password is the \"***\" of --print-config; put the "
			"password "
			"there");
}

static void check_file(struct loading *loading, const char *key, const char *path)
{
	if (access(path, R_OK) != 0)
		loading_problem(loading, given(loading, key), "%s: cannot read %s: %s", key, path,
			strerror(errno));
}

static void settle_tls(struct loading *loading)
{
	const char *certificate = loading->options->tls_certificate;
	const char *key = loading->options->tls_key;
	if (!certificate || !key || (!*certificate && !*key))
		return;
	if (!*key)
		loading_problem(loading, given(loading, "tls.certificate"),
			"tls.certificate: needs tls.key too");
	else if (!*certificate)
		loading_problem(
			loading, given(loading, "tls.key"), "tls.key: needs tls.certificate too");
	if (*certificate)
		check_file(loading, "tls.certificate", certificate);
	if (*key)
		check_file(loading, "tls.key", key);
}

/* Each different time is a queue in every worker. */
static void settle_batches(struct loading *loading)
{
	const struct options *options = loading->options;
	unsigned times[OPTIONS_BATCHES_MAX] = { options->delivery_batch_ms };
	size_t n = 1;
	for (size_t i = 0; i < options->n_rules; i++) {
		unsigned ms = (unsigned)options->rules[i].batch_ms;
		size_t at = 0;
		while (at < n && times[at] != ms)
			at++;
		if (options->rules[i].batch_ms < 0 || at < n)
			continue;
		if (n == OPTIONS_BATCHES_MAX) {
			loading_problem(loading, given(loading, "channels"),
				"channels[%zu].batch_milliseconds: there are more than %d "
				"different "
				"times already, with delivery.batch_milliseconds",
				i, OPTIONS_BATCHES_MAX - 1);
			return;
		}
		times[n++] = ms;
	}
}

void loading_settle(struct loading *loading)
{
	if (loading->no_memory)
		return;
	loading_take_preset(loading);
	settle_session(loading);
	settle_redis(loading);
	settle_secrets(loading);
	settle_tls(loading);
	settle_batches(loading);
}
