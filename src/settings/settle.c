#include "settle.h"

#include <stdio.h>

#include "given_secret.h"
#include "presets.h"
#include "settle_redis.h"
#include "sluice/base/defs.h"
#include "sluice/proto/channel_pattern.h"
#include "sluice/proto/record/laravel_cookie.h"
#include "value.h"

static void settle_preset(struct draft *draft)
{
	enum session_preset preset = draft->settings->session.preset;
	SETTINGS_EACH(setting)
	{
		const char *value = preset_value(preset, setting->key);
		if (value && !draft_given(draft, setting->key).name)
			value_take_text(draft, setting, (struct place){ NULL }, value);
	}
}

/* ---- secrets ---- */

/* Laravel's key is kept as the bytes that it stands for. */
static struct slice settle_laravel_key(const struct secret *secret, struct slice string)
{
	uint8_t key[LARAVEL_KEY_BYTES];
	if (laravel_key_parse(string, key) == 0)
		return draft_copy(secret->draft, slice_make((const char *)key, sizeof(key)));
	secret_refuse(secret, "must be an APP_KEY for AES-256: \"base64:\" and 32 bytes in base64");
	return string;
}

/* The secrets of `list` themselves, where it may name files. `laravel`: they are keys of Laravel. */
static const struct slice *settle_secrets(struct draft *draft, struct place place, const char *key,
	const struct slice *list, size_t n, bool laravel)
{
	struct slice *secrets = draft_take(draft, MAX(1, n) * sizeof(*secrets));
	for (size_t i = 0; secrets && i < n; i++) {
		struct secret secret = { draft, place };
		unsigned problems_before = draft->problems.n;
		snprintf(secret.name, sizeof(secret.name), "%s[%zu]", key, i);
		if (list[i].at)
			secrets[i] = secret_take(&secret, list[i]);
		if (secrets[i].len && draft->problems.n == problems_before && laravel)
			secrets[i] = settle_laravel_key(&secret, secrets[i]);
	}
	return secrets ? secrets : list;
}

static void settle_session_secrets(struct draft *draft, struct place place)
{
	struct settings *settings = draft->settings;
	settings->session.secrets = settle_secrets(draft, place, "session.secrets",
		settings->session.secrets, settings->session.n_secrets,
		settings->session.signature == SESSION_SIGNATURE_LARAVEL);
}

static void settle_session_keys(struct draft *draft)
{
	struct settings *settings = draft->settings;
	size_t n = settings->session.n_secrets;
	if (!session_signature_has_keys(settings->session.signature) || !n)
		return;
	struct digest_key *keys = draft_take(draft, n * sizeof(*keys));
	if (keys && session_cookie_make_keys(
			    settings->session.signature, settings->session.secrets, n, keys) != 0)
		draft->problems.no_memory = true;
	settings->session.keys = keys;
}

/* A list that is empty because its own value has a problem is not reported once more. */
static void require_secrets(struct draft *draft, struct place place)
{
	const struct settings *settings = draft->settings;
	bool reported = draft->problems.n && draft_given(draft, "session.secrets").name;
	if (settings->session.n_secrets == 0 && !reported &&
		settings->session.signature != SESSION_SIGNATURE_NONE)
		problems_add(&draft->problems, place,
			"session.secrets: must have the secret that your backend signs its session "
			"cookie with: \"session\": { \"secrets\": [\"file:/run/secrets/session\"] "
			"}, or SLUICE_SESSION_SECRETS='[\"…\"]'");
}

/* ---- settings that require something of each other ---- */

static void settle_cookie(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	if (!settings->session.cookie.len && !settings->session.ticket.len)
		draft_refuse(draft, "session.cookie",
			"must not be \"\" without session.ticket: nobody could connect");
}

static void settle_codec(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	if (settings->session.lookup == SESSION_LOOKUP_HASH &&
		settings->session.codec != SESSION_CODEC_JSON &&
		settings->session.codec != SESSION_CODEC_NONE)
		draft_refuse(draft, "session.codec",
			"must be \"json\" or \"none\" with session.lookup \"hash\"");
}

/* A stranger must not be able to choose which key of Redis is read, let alone deleted. */
static void settle_keys(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	if (settings->session.ticket.len && session_key_template_is_bare(settings->session.ticket))
		draft_refuse(draft, "session.ticket",
			"must be more than {sid}, such as \"ticket:{sid}\": anybody could delete "
			"any key of Redis");
	if (settings->session.cookie.len && settings->session.signature == SESSION_SIGNATURE_NONE &&
		session_key_template_is_bare(settings->session.key))
		draft_refuse(draft, "session.key",
			"must be more than {sid}, such as \"sess:{sid}\", with session.signature "
			"\"none\": a cookie could name any key of Redis");
}

/* When the second key is deleted, it must be clear which record it belongs to. */
static void settle_must_exist(struct draft *draft)
{
	struct slice key = draft->settings->session.key;
	struct slice must_exist = draft->settings->session.must_exist;
	char example[SESSION_KEY_MAX];
	if (!must_exist.len)
		return;
	ssize_t len = session_key_format(must_exist, SLICE("0"), example, sizeof(example));
	if (!session_key_templates_agree(key, must_exist))
		draft_refuse(draft, "session.must_exist", "must write the id as session.key does");
	else if (len < 0)
		draft->problems.no_memory = true;
	else if (session_key_id(key, slice_make(example, (size_t)len)).at)
		draft_refuse(draft, "session.must_exist",
			"must not make keys that session.key could make too");
}

/* A record that is not read cannot be searched. Without cookies the paths speak of tickets. */
static void settle_unread(struct draft *draft)
{
	static const char *const keys[] = { "session.authenticated", "session.present",
		"session.expires" };
	const struct settings *settings = draft->settings;
	if (!settings->session.cookie.len || (settings->session.lookup != SESSION_LOOKUP_EXISTS &&
						     settings->session.codec != SESSION_CODEC_NONE))
		return;
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct slice *path = draft_field(draft, setting_find(slice_of(keys[i])));
		if (path->len && draft_given(draft, keys[i]).name)
			draft_refuse(draft, keys[i],
				"must be \"\" with session.lookup \"exists\" or session.codec "
				"\"none\", which read no record");
		*path = (struct slice){ NULL, 0 };
	}
}

/* All of session.secrets verify, too, so they need not change at the same moment everywhere. */
static void settle_replay(struct draft *draft)
{
	struct slice *secret = &draft->settings->replay_secret;
	if (!secret->len)
		return;
	*secret = *settle_secrets(
		draft, draft_given(draft, "replay.secret"), "replay.secret", secret, 1, false);
}

static void settle_tls(struct draft *draft)
{
	struct settings *settings = draft->settings;
	const char *certificate = settings->tls_certificate;
	const char *key = settings->tls_key;
	settings->tls_ticket_secrets = settle_secrets(draft,
		draft_given(draft, "tls.ticket_secrets"), "tls.ticket_secrets",
		settings->tls_ticket_secrets, settings->n_tls_ticket_secrets, false);
	if (!certificate || !key)
		return;
	if (*certificate && !*key)
		draft_refuse(draft, "tls.certificate", "needs tls.key too");
	if (*key && !*certificate)
		draft_refuse(draft, "tls.key", "needs tls.certificate too");
	draft_check_file(draft, "tls.certificate", certificate);
	draft_check_file(draft, "tls.key", key);
}

/* Each different time is a queue in every worker. */
static void settle_batches(struct draft *draft)
{
	const struct settings *settings = draft->settings;
	unsigned times[SETTINGS_BATCHES_MAX] = { settings->delivery_batch_ms };
	size_t n = 1;
	for (size_t i = 0; i < settings->n_rules; i++) {
		unsigned ms = (unsigned)settings->rules[i].batch_ms;
		size_t at = 0;
		while (at < n && times[at] != ms)
			at++;
		if (settings->rules[i].batch_ms < 0 || at < n)
			continue;
		if (n == SETTINGS_BATCHES_MAX) {
			problems_add(&draft->problems, draft_given(draft, "channels"),
				"channels[%zu].batch_milliseconds: must be a value that was "
				"used before; at most %d different values are allowed, with "
				"delivery.batch_milliseconds",
				i, SETTINGS_BATCHES_MAX);
			return;
		}
		times[n++] = ms;
	}
}

/* ---- the fields that rules name ---- */

static bool is_listed(const struct slice *fields, size_t n, struct slice field)
{
	for (size_t i = 0; i < n; i++)
		if (slice_equal(fields[i], field))
			return true;
	return false;
}

static void settle_fields(struct draft *draft)
{
	struct settings *settings = draft->settings;
	struct slice *fields = draft_take(draft, SETTINGS_FIELDS_MAX * sizeof(*fields));
	size_t n = 0;
	for (size_t i = 0; i < settings->n_rules && fields; i++) {
		struct slice rest = settings->rules[i].match, field;
		while (channel_pattern_next_field(&rest, &field)) {
			if (is_listed(fields, n, field))
				continue;
			if (n == SETTINGS_FIELDS_MAX) {
				problems_add(&draft->problems, draft_given(draft, "channels"),
					"channels[%zu].match: at most %d different fields of "
					"the session are allowed in all rules together",
					i, SETTINGS_FIELDS_MAX);
				return;
			}
			fields[n++] = field;
		}
	}
	settings->session.fields = fields;
	settings->session.n_fields = n;
}

/* A half-open connection under TLS holds many times the memory of one without. */
static void settle_half_open(struct draft *draft)
{
	struct settings *settings = draft->settings;
	if (*settings->tls_certificate && !draft_given(draft, "limits.half_open_per_ip").name)
		settings->limits.half_open_per_ip = SETTINGS_HALF_OPEN_UNDER_TLS;
}

void settle(struct draft *draft, const char *config)
{
	if (draft->problems.no_memory)
		return;
	settle_preset(draft);
	if (!draft->problems.n) {
		settle_cookie(draft);
		settle_codec(draft);
		settle_keys(draft);
		settle_must_exist(draft);
		settle_unread(draft);
	}
	struct place place = draft_given(draft, "session.secrets");
	place.name = place.name ? place.name : config;
	require_secrets(draft, place);
	settle_session_secrets(draft, place);
	settle_session_keys(draft);
	settle_redis(draft);
	settle_replay(draft);
	settle_tls(draft);
	settle_half_open(draft);
	settle_batches(draft);
	if (!draft->problems.n)
		settle_fields(draft);
}
