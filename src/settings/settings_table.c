/* The one table of settings.
 *
 * A row says all there is to say about a setting: its key, type, range, default, and where it lands
 * in struct settings. Everything else reads the rows: the file, the environment (whose names follow
 * from the keys), the flags, the messages, the suggestion for a misspelt key, and --print-config. A
 * new setting is a member of struct settings and a row here.
 *
 * Defaults are written as an environment variable would say them, and take the same way in, so a
 * default that breaks its own rule cannot hide. */
#include "settings_internal.h"

#include <ctype.h>
#include <limits.h>

#include "sluice/net/address.h"
#include "sluice/proto/http/origin.h"
#include "sluice/proto/record/session_value.h"

#define AT(member)   offsetof(struct settings, member)
#define FLAG(member) offsetof(struct settings_flags, member)

static const char *listen_problem(struct slice text)
{
	struct address address;
	return address_parse(&address, text);
}

static const char *admin_listen_problem(struct slice text)
{
	return text.len ? listen_problem(text) : NULL;
}

/* RFC 6455 §3: the resource name has no fragment; the query is the browser's. */
static const char *path_problem(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c <= ' ' || c >= 0x7f || c == '?' || c == '#')
			return "no blank, \"?\", \"#\" or anything beyond ASCII";
	}
	return text.len && text.at[0] == '/' ? NULL : "";
}

/* RFC 6265 §4.1.1: a cookie's name is a token. */
static const char *cookie_problem(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (!c || (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c)))
			return "";
	}
	return text.len > SESSION_COOKIE_NAME_MAX ? "it is longer than 256 bytes" : NULL;
}

static const char *key_problem(struct slice text)
{
	if (text.len >= SESSION_KEY_MAX - SESSION_ID_MAX)
		return "too long";
	return session_key_template_is_valid(text) ? NULL : "";
}

static const char *key_or_none_problem(struct slice text)
{
	return text.len ? key_problem(text) : NULL;
}

static const char *path_in_record_problem(struct slice text)
{
	if (text.len == 0 || identity_path_is_valid(text))
		return NULL;
	return text.at[0] == '/' ? "a \"~\" is written \"~0\"" : "a name between the dots is empty";
}

static const char *origin_problem(struct slice text)
{
	return origin_setting_is_valid(text) ? NULL : "";
}

static const char *const encodings[] = { "percent", "none", "base64", NULL };
static const char *const signatures[] = { "connect", "dot-hmac-sha256", "keygrip", "itsdangerous",
	"laravel", "none", NULL };
static const char *const lookups[] = { "string", "hash", "exists", NULL };
static const char *const codecs[] = { "json", "msgpack", "php", "laravel", "none", NULL };
static const char *const rejects[] = { "http", "close", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const formats[] = { "text", "json", NULL };

static const char address_takes[] = "ADDRESS:PORT, such as \"0.0.0.0:8080\", or unix:/PATH";
static const char admin_takes[] =
	"ADDRESS:PORT, such as \"127.0.0.1:9100\", or unix:/PATH, or \"\" for no admin port";
static const char url_takes[] = "redis://[user[:password]@]host[:port][/database], the same with "
				"rediss://, or unix:///path?db=0";
static const char origin_takes[] =
	"\"same-host\", \"none\", \"*\", or an origin such as \"https://app.example.com\"";
static const char key_takes[] =
	"a text with {sid}, {sid:sha256hex} or {sid:sha256b64url} in it once, such as "
	"\"sess:{sid}\"";
static const char second_key_takes[] =
	"a text with {sid}, {sid:sha256hex} or {sid:sha256b64url} in it once, or \"\"";
static const char record_takes[] =
	"a path, such as \"passport.user\" or \"/passport/user\", or \"\"";

const struct setting settings_rows[] = {
	{ "listen", SETTING_TEXT, AT(listen), "0.0.0.0:8080", .takes = address_takes,
		.problem = listen_problem, .flag = "--listen", .flag_offset = FLAG(listen) },
	{ "path", SETTING_TEXT, AT(path), "/ws", .takes = "a path that begins with \"/\"",
		.problem = path_problem },
	{ "workers", SETTING_NUMBER, AT(workers), "0", 0, 64, .flag = "--workers",
		.flag_offset = FLAG(workers) },
	{ "tls.certificate", SETTING_TEXT, AT(tls_certificate), "", .takes = "the name of a file" },
	{ "tls.key", SETTING_TEXT, AT(tls_key), "", .takes = "the name of a file" },
	{ "admin.listen", SETTING_TEXT, AT(admin_listen), "127.0.0.1:9100", .takes = admin_takes,
		.problem = admin_listen_problem },
	{ "redis.url", SETTING_URL, AT(redis), "redis://127.0.0.1:6379", .takes = url_takes,
		.secret = true, .flag = "--redis-url", .flag_offset = FLAG(redis_url) },
	{ "origins", SETTING_TEXTS, AT(origins), "[\"same-host\", \"none\"]", .takes = origin_takes,
		.problem = origin_problem, .list_max = SETTINGS_LIST_MAX },
	{ "session.preset", SETTING_CHOICE, AT(session.preset), "express",
		.choices = settings_preset_names },
	{ "session.cookie", SETTING_SLICE, AT(session.cookie), "", .takes = "the name of a cookie",
		.problem = cookie_problem },
	{ "session.cookie_encoding", SETTING_CHOICE, AT(session.cookie_encoding), "percent",
		.choices = encodings },
	{ "session.cookie_prefixes", SETTING_SWITCH, AT(session.cookie_prefixes), "false" },
	{ "session.signature", SETTING_CHOICE, AT(session.signature), "none",
		.choices = signatures },
	{ "session.secrets", SETTING_TEXTS, AT(session.secrets), "[]",
		.takes = "a text, or \"file:/PATH\" of the file that holds it", .secret = true,
		.list_max = SETTINGS_SECRETS_MAX },
	{ "session.key", SETTING_SLICE, AT(session.key), "sess:{sid}", .takes = key_takes,
		.problem = key_problem },
	{ "session.must_exist", SETTING_SLICE, AT(session.must_exist), "",
		.takes = second_key_takes, .problem = key_or_none_problem },
	{ "session.lookup", SETTING_CHOICE, AT(session.lookup), "string", .choices = lookups },
	{ "session.codec", SETTING_CHOICE, AT(session.codec), "json", .choices = codecs },
	{ "session.authenticated", SETTING_SLICE, AT(session.authenticated), "",
		.takes = record_takes, .problem = path_in_record_problem },
	{ "session.present", SETTING_SLICE, AT(session.present), "", .takes = record_takes,
		.problem = path_in_record_problem },
	{ "session.user", SETTING_SLICE, AT(session.user), "", .takes = record_takes,
		.problem = path_in_record_problem },
	{ "session.expires", SETTING_SLICE, AT(session.expires), "", .takes = record_takes,
		.problem = path_in_record_problem },
	{ "session.ticket", SETTING_SLICE, AT(session.ticket), "", .takes = second_key_takes,
		.problem = key_or_none_problem },
	{ "session.required", SETTING_SWITCH, AT(session.required), "true" },
	{ "session.reject", SETTING_CHOICE, AT(session.reject), "http", .choices = rejects },
	{ "session.touch", SETTING_SWITCH, AT(session.touch), "false" },
	{ "session.ttl", SETTING_SECONDS, AT(session.ttl_ms), "86400", 1, 4000000 },
	{ "session.sweep", SETTING_SECONDS, AT(session.sweep_ms), "30", 0, 86400 },
	{ "channels", SETTING_RULES, AT(rules), "[]", .list_max = SETTINGS_LIST_MAX },
	{ "heartbeat.interval", SETTING_SECONDS, AT(heartbeat_interval_ms), "25", 0, 86400 },
	{ "heartbeat.timeout", SETTING_SECONDS, AT(heartbeat_timeout_ms), "10", 0.01, 86400 },
	{ "limits.connections", SETTING_NUMBER, AT(limits.connections), "0", 0, 10000000 },
	{ "limits.connections_per_ip", SETTING_NUMBER, AT(limits.connections_per_ip), "0", 0,
		10000000 },
	{ "limits.connections_per_user", SETTING_NUMBER, AT(limits.connections_per_user), "0", 0,
		10000000 },
	{ "limits.upgrades_per_second", SETTING_NUMBER, AT(limits.upgrades_per_second), "0", 0,
		1000000 },
	{ "limits.half_open_per_ip", SETTING_NUMBER, AT(limits.half_open_per_ip), "32768", 0,
		10000000 },
	{ "limits.frames_per_second", SETTING_NUMBER, AT(limits.frames_per_second), "256", 0,
		1000000 },
	{ "limits.message_bytes", SETTING_NUMBER, AT(limits.message_bytes), "65536", 1, 1 << 26 },
	{ "limits.fragments", SETTING_NUMBER, AT(limits.fragments), "128", 1, 1 << 20 },
	{ "limits.queue_bytes", SETTING_NUMBER, AT(limits.queue_bytes), "1048576", 1024, 1 << 30 },
	{ "limits.buffered_bytes", SETTING_NUMBER, AT(limits.buffered_bytes), "268435456", 1 << 20,
		UINT_MAX },
	{ "limits.channels", SETTING_NUMBER, AT(limits.channels), "128", 1, 65536 },
	{ "limits.command_bytes", SETTING_NUMBER, AT(limits.command_bytes), "4096", 64, 65536 },
	{ "limits.commands_per_second", SETTING_NUMBER, AT(limits.commands_per_second), "200", 1,
		1000000 },
	{ "limits.publication_bytes", SETTING_NUMBER, AT(limits.publication_bytes), "1048576", 1,
		1 << 29 },
	{ "limits.header_bytes", SETTING_NUMBER, AT(limits.header_bytes), "8192", 256, 1 << 20 },
	{ "limits.handshake_seconds", SETTING_SECONDS, AT(limits.handshake_ms), "5", 0.01, 3600 },
	{ "compression.enabled", SETTING_SWITCH, AT(compression.enabled), "false" },
	{ "compression.threshold", SETTING_NUMBER, AT(compression.threshold), "256", 0, 1 << 26 },
	{ "delivery.batch_milliseconds", SETTING_NUMBER, AT(delivery_batch_ms), "0", 0,
		SETTINGS_BATCH_MS_MAX },
	{ "drain.seconds", SETTING_SECONDS, AT(drain_ms), "20", 0, 3600 },
	{ "log.level", SETTING_CHOICE, AT(log_level), "info", .choices = levels,
		.flag = "--log-level", .flag_offset = FLAG(log_level) },
	{ "log.format", SETTING_FORMAT, AT(log_json), "text", .choices = formats },
};
const size_t n_settings_rows = COUNT_OF(settings_rows);
_Static_assert(COUNT_OF(settings_rows) <= SETTINGS_MAX, "SETTINGS_MAX is too small");
