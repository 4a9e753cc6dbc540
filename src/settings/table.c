/* Everything else reads the rows: the file, the environment (its names follow from the keys), the
 * flags, the messages, the suggestion for a misspelt key, --print-config and --print-settings. A
 * new setting is a member of struct settings and a row here.
 *
 * Defaults are written as an environment variable would give them and are checked like any other
 * value, so a default that breaks its own rule is noticed at once. */
#include "table.h"

#include <ctype.h>
#include <limits.h>

#include "presets.h"
#include "sluice/base/defs.h"
#include "sluice/net/address.h"
#include "sluice/proto/http/origin.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/proto/text/utf8.h"

#define AT(member)   offsetof(struct settings, member)
#define FLAG(member) offsetof(struct settings_flags, member)

/* ---- checks of strings ---- */

static const char *check_listen(struct slice string)
{
	struct address address;
	return address_parse(&address, string);
}

static const char *check_admin_listen(struct slice string)
{
	return string.len ? check_listen(string) : NULL;
}

/* RFC 6455 §3: a resource name has no fragment. The query is up to the client. */
static const char *check_path(struct slice string)
{
	for (size_t i = 0; i < string.len; i++) {
		unsigned char c = (unsigned char)string.at[i];
		if (c <= ' ' || c >= 0x7f || c == '?' || c == '#')
			return "it must be ASCII, without spaces, \"?\" and \"#\"";
	}
	return string.len && string.at[0] == '/' ? NULL : "";
}

/* RFC 6265 §4.1.1: a cookie's name is a token. */
static const char *check_cookie(struct slice string)
{
	for (size_t i = 0; i < string.len; i++) {
		unsigned char c = (unsigned char)string.at[i];
		if (!c || (!isalnum(c) && !strchr("!#$%&'*+-.^_`|~", c)))
			return "";
	}
	return string.len > SESSION_COOKIE_NAME_MAX ? "it is longer than 256 bytes" : NULL;
}

static const char *check_key(struct slice string)
{
	if (string.len >= SESSION_KEY_MAX - SESSION_ID_MAX)
		return "it is too long";
	return session_key_template_is_valid(string) ? NULL : "";
}

static const char *check_optional_key(struct slice string)
{
	return string.len ? check_key(string) : NULL;
}

static const char *check_record_path(struct slice string)
{
	return string.len ? record_path_problem(string) : NULL;
}

static const char *check_origin(struct slice string)
{
	return origin_setting_is_valid(string) ? NULL : "";
}

/* ---- what the rows take, in words ---- */

static const char *const encodings[] = { "percent", "none", "base64", NULL };
static const char *const duplicates[] = { "first", "last", "each", NULL };
static const char *const signatures[] = { "connect", "dot-hmac-sha256", "keygrip", "itsdangerous",
	"laravel", "none", NULL };
static const char *const lookups[] = { "string", "hash", "exists", NULL };
static const char *const codecs[] = { "json", "msgpack", "php", "laravel", "none", NULL };
static const char *const rejects[] = { "http", "close", NULL };
static const char *const levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const on_gaps[] = { "continue", "close", NULL };
static const char *const sandboxes[] = { "auto", "required", "off", NULL };
static const char *const verifies[] = { "full", "ca", "none", NULL };
static const char *const formats[] = { "text", "json", NULL };

static const char address_takes[] = "ADDRESS:PORT, such as \"0.0.0.0:8080\", or unix:/PATH";
static const char path_takes[] = "a path that begins with \"/\"";
static const char file_takes[] = "the name of a file, or \"\"";
static const char admin_takes[] =
	"ADDRESS:PORT, such as \"127.0.0.1:9100\", or unix:/PATH, or \"\" for no admin port";
static const char url_takes[] =
	"redis://[user:password@]host[:port][/database], unix:///path?db=0, "
	"redis+sentinel://host,host/master or redis+cluster://host,host; over TLS rediss";
static const char origin_takes[] =
	"\"same-host\", \"none\", \"*\", or an origin such as \"https://app.example.com\"";
static const char key_takes[] =
	"a string with one {sid}, {sid:sha256hex} or {sid:sha256b64url}, such as \"sess:{sid}\"";
static const char second_key_takes[] =
	"a string with one {sid}, {sid:sha256hex} or {sid:sha256b64url}, or \"\"";
static const char cookie_takes[] = "the name of a cookie, or \"\"";
static const char secret_takes[] = "a string, or \"file:/PATH\" for a file with the secret in it";
static const char user_takes[] = "the name of a user, or \"\"";
static const char password_takes[] =
	"a string, or \"file:/PATH\" for a file with the password in it, or \"\"";
static const char record_takes[] =
	"a path, such as \"passport.user\" or \"/passport/user\", or \"\"";

/* ---- the rows ---- */

const struct setting settings_table[] = {
	{ "listen", SETTING_STRING, AT(listen), "0.0.0.0:8080", "Where clients connect",
		.takes = address_takes, .check = check_listen, .flag = "--listen",
		.flag_offset = FLAG(listen) },
	{ "path", SETTING_STRING, AT(path), "/ws",
		"Path of the WebSocket endpoint; the check for pages is at this path and /check",
		.takes = path_takes, .check = check_path },
	{ "workers", SETTING_NUMBER, AT(workers), "0",
		"Number of worker threads; 0 starts one for each CPU that the process may use", 0,
		64, .flag = "--workers", .flag_offset = FLAG(workers) },
	{ "tls.certificate", SETTING_STRING, AT(tls_certificate), "",
		"File with the certificate chain in PEM; with tls.key it turns TLS on",
		.takes = file_takes },
	{ "tls.key", SETTING_STRING, AT(tls_key), "",
		"File with the private key of the certificate in PEM", .takes = file_takes },
	{ "tls.ticket_secrets", SETTING_STRINGS, AT(tls_ticket_secrets), "[]",
		"Secrets of the session tickets, shared by all gateways: the first encrypts, all "
		"decrypt; without any, each process has its own",
		.takes = secret_takes, .secret = true, .list_max = SETTING_SECRETS_MAX },
	{ "admin.listen", SETTING_STRING, AT(admin_listen), "127.0.0.1:9100",
		"Where /livez, /readyz and /metrics are served", .takes = admin_takes,
		.check = check_admin_listen },
	{ "redis.url", SETTING_URL, AT(redis.url), "redis://127.0.0.1:6379",
		"Redis server with the sessions and the publications", .takes = url_takes,
		.secret = true, .flag = "--redis-url", .flag_offset = FLAG(redis_url) },
	{ "redis.username", SETTING_STRING, AT(redis.username), "",
		"User to log in as, in place of the URL's", .takes = user_takes },
	{ "redis.password", SETTING_SLICE, AT(redis.password), "",
		"Password of the user, in place of the URL's; a file is read again at each "
		"reconnect and reload",
		.takes = password_takes, .secret = true },
	{ "redis.sentinel_username", SETTING_STRING, AT(redis.sentinel_username), "",
		"User to log in as at the sentinels", .takes = user_takes },
	{ "redis.sentinel_password", SETTING_SLICE, AT(redis.sentinel_password), "",
		"Password at the sentinels", .takes = password_takes, .secret = true },
	{ "redis.ca", SETTING_STRING, AT(redis.ca), "",
		"File with the authorities in PEM that sign Redis' certificate; \"\" for the "
		"system's",
		.takes = file_takes },
	{ "redis.certificate", SETTING_STRING, AT(redis.certificate), "",
		"File with a client's certificate chain in PEM, for a Redis that wants one",
		.takes = file_takes },
	{ "redis.key", SETTING_STRING, AT(redis.key), "",
		"File with the private key of redis.certificate in PEM", .takes = file_takes },
	{ "redis.verify", SETTING_CHOICE, AT(redis.verify), "full",
		"What is checked of Redis' certificate: signature and name, the signature only "
		"(ca), or nothing",
		.choices = verifies },
	{ "redis.lag_seconds", SETTING_SECONDS, AT(redis_lag_ms), "10",
		"Publications that arrive later than this make the process not ready, and their "
		"link is made anew",
		1, 3600 },
	{ "redis.probe", SETTING_SWITCH, AT(redis_probe), "true",
		"Whether to publish on __sluice:beat about once a second, to find links that are "
		"silently dead" },
	{ "replay.secret", SETTING_SLICE, AT(replay_secret), "",
		"Secret that all gateways share and sign their messages to each other with; \"\": "
		"the first of session.secrets",
		.takes = secret_takes, .secret = true },
	{ "origins", SETTING_STRINGS, AT(origins), "[\"same-host\", \"none\"]",
		"Pages that may connect; \"none\" means clients that send no Origin header",
		.takes = origin_takes, .check = check_origin, .list_max = SETTING_LIST_MAX },
	{ "session.preset", SETTING_CHOICE, AT(session.preset), "express",
		"Framework whose sessions are read; it sets the defaults of other keys of session",
		.choices = preset_names },
	{ "session.cookie", SETTING_SLICE, AT(session.cookie), "",
		"Name of the session cookie; \"\" if sessions come by ticket only",
		.takes = cookie_takes, .check = check_cookie },
	{ "session.cookie_encoding", SETTING_CHOICE, AT(session.cookie_encoding), "percent",
		"How the value of the cookie is encoded", .choices = encodings },
	{ "session.cookie_prefixes", SETTING_SWITCH, AT(session.cookie_prefixes), "false",
		"Whether to look for cookies named __Host-NAME and __Secure-NAME first" },
	{ "session.duplicates", SETTING_CHOICE, AT(session.duplicates), "first",
		"Which of several cookies of that name counts; each: the first whose session "
		"exists",
		.choices = duplicates },
	{ "session.signature", SETTING_CHOICE, AT(session.signature), "none",
		"How the cookie is signed", .choices = signatures },
	{ "session.secrets", SETTING_STRINGS, AT(session.secrets), "[]",
		"Secrets that the backend signs cookies with; any of them verifies a cookie",
		.takes = secret_takes, .secret = true, .list_max = SETTING_SECRETS_MAX },
	{ "session.key", SETTING_SLICE, AT(session.key), "sess:{sid}",
		"Redis key of the session record, made from the session id", .takes = key_takes,
		.check = check_key },
	{ "session.must_exist", SETTING_SLICE, AT(session.must_exist), "",
		"Second Redis key that must exist for a session to be valid",
		.takes = second_key_takes, .check = check_optional_key },
	{ "session.lookup", SETTING_CHOICE, AT(session.lookup), "string",
		"How the record is stored in Redis; with \"exists\" the key alone counts",
		.choices = lookups },
	{ "session.codec", SETTING_CHOICE, AT(session.codec), "json",
		"How the record is serialized; with \"none\" it is not read", .choices = codecs },
	{ "session.authenticated", SETTING_SLICE, AT(session.authenticated), "",
		"Path in the record that must be true for a session to be logged in",
		.takes = record_takes, .check = check_record_path },
	{ "session.present", SETTING_SLICE, AT(session.present), "",
		"Path in the record that must have a value for a session to be logged in",
		.takes = record_takes, .check = check_record_path },
	{ "session.user", SETTING_SLICE, AT(session.user), "", "Path of the user id in the record",
		.takes = record_takes, .check = check_record_path },
	{ "session.expires", SETTING_SLICE, AT(session.expires), "",
		"Path of the time when the session ends, in milliseconds or ISO 8601",
		.takes = record_takes, .check = check_record_path },
	{ "session.ticket", SETTING_SLICE, AT(session.ticket), "",
		"Redis key of single-use tickets; \"\" accepts no tickets",
		.takes = second_key_takes, .check = check_optional_key },
	{ "session.required", SETTING_SWITCH, AT(session.required), "true",
		"Whether clients without a session are refused; if not, they are anonymous" },
	{ "session.reject", SETTING_CHOICE, AT(session.reject), "http",
		"How clients without a session are refused: by status 401, or by close code 4401",
		.choices = rejects },
	{ "session.touch", SETTING_SWITCH, AT(session.touch), "false",
		"Whether an open connection extends the time to live of its session in Redis" },
	{ "session.ttl", SETTING_SECONDS, AT(session.ttl_ms), "86400",
		"Time to live that session.touch sets", 1, 4000000 },
	{ "session.sweep", SETTING_SECONDS, AT(session.sweep_ms), "30",
		"Longest time between two reads of a live session; 0 relies on Redis alone", 0,
		86400 },
	{ "session.unverified_seconds", SETTING_SECONDS, AT(session.unverified_ms), "60",
		"How long a session that Redis cannot be asked about goes on receiving; 0: for as "
		"long as it takes",
		0, 86400 },
	{ "channels", SETTING_RULES, AT(rules), "[]",
		"Who may see which channel; the first rule that matches decides",
		.list_max = SETTING_LIST_MAX },
	{ "heartbeat.interval", SETTING_SECONDS, AT(heartbeat_interval_ms), "25",
		"Time between two pings to a client; 0 turns the heartbeat off", 0, 86400 },
	{ "heartbeat.timeout", SETTING_SECONDS, AT(heartbeat_timeout_ms), "10",
		"Time for a client to answer a ping before its connection is terminated", 0.01,
		86400 },
	{ "limits.connections", SETTING_NUMBER, AT(limits.connections), "0",
		"Maximum number of connections; 0: no limit", 0, 10000000 },
	{ "limits.connections_per_ip", SETTING_NUMBER, AT(limits.connections_per_ip), "0",
		"Maximum number of connections of one IP address; 0: no limit", 0, 10000000 },
	{ "limits.connections_per_user", SETTING_NUMBER, AT(limits.connections_per_user), "0",
		"Maximum number of connections of one user; 0: no limit", 0, 10000000 },
	{ "limits.upgrades_per_second", SETTING_NUMBER, AT(limits.upgrades_per_second), "0",
		"Maximum number of connections opened in a second; 0: no limit", 0, 1000000 },
	{ "limits.half_open_per_ip", SETTING_NUMBER, AT(limits.half_open_per_ip), "32768",
		"Maximum number of connections of one IP address that have sent no whole request a "
		"second after they were accepted; under TLS the default is 1024; 0: no limit",
		0, 10000000 },
	{ "limits.tls_handshakes_per_second", SETTING_NUMBER, AT(limits.tls_handshakes_per_second),
		"0",
		"Maximum number of TLS handshakes of clients begun in a second; more wait; 0: as "
		"many as leave open connections undisturbed",
		0, 1000000 },
	{ "limits.frames_per_second", SETTING_NUMBER, AT(limits.frames_per_second), "256",
		"Maximum number of frames from one client in a second, pings included; 0: no limit",
		0, 1000000 },
	{ "limits.message_bytes", SETTING_NUMBER, AT(limits.message_bytes), "65536",
		"Maximum size of a message from a client in bytes, after inflation", 1, 1 << 26 },
	{ "limits.fragments", SETTING_NUMBER, AT(limits.fragments), "128",
		"Maximum number of fragments of one message from a client", 1, 1 << 20 },
	{ "limits.queue_bytes", SETTING_NUMBER, AT(limits.queue_bytes), "1048576",
		"Maximum number of bytes that wait for one client; a slower client is closed", 1024,
		1 << 30 },
	{ "limits.buffered_bytes", SETTING_NUMBER, AT(limits.buffered_bytes), "268435456",
		"Maximum bytes of memory for all that waits to be sent; above it, slow clients are "
		"closed",
		1 << 20, UINT_MAX },
	{ "limits.incoming_bytes", SETTING_NUMBER, AT(limits.incoming_bytes), "268435456",
		"Maximum bytes of memory for TLS handshakes, requests and messages that are not "
		"complete; near it, clients that hold most are closed",
		1 << 20, UINT_MAX },
	{ "limits.message_seconds", SETTING_SECONDS, AT(limits.message_ms), "30",
		"Maximum time from the first to the last byte of a message from a client", 0.01,
		3600 },
	{ "limits.channels", SETTING_NUMBER, AT(limits.channels), "128",
		"Maximum number of channels of one connection", 1, 65536 },
	{ "limits.process_channels", SETTING_NUMBER, AT(limits.process_channels), "1000000",
		"Maximum number of different channels of the whole process", 1, 100000000 },
	{ "limits.command_bytes", SETTING_NUMBER, AT(limits.command_bytes), "4096",
		"Maximum size of a sluice.v1 command in bytes", 64, 65536 },
	{ "limits.commands_per_second", SETTING_NUMBER, AT(limits.commands_per_second), "200",
		"Maximum commands of one connection in a second; an error answers any more", 1,
		1000000 },
	{ "limits.publication_bytes", SETTING_NUMBER, AT(limits.publication_bytes), "1048576",
		"Maximum size of a publication in bytes; a larger one is dropped and counted", 1,
		1 << 29 },
	{ "limits.record_bytes", SETTING_NUMBER, AT(limits.record_bytes), "1048576",
		"Maximum size of a session's record in bytes; with a larger one nobody is logged "
		"in",
		1024, 1 << 23 },
	{ "limits.record_depth", SETTING_NUMBER, AT(limits.record_depth), "64",
		"Maximum depth of objects and arrays in a session's record", 4, RECORD_DEPTH_MAX },
	{ "limits.header_bytes", SETTING_NUMBER, AT(limits.header_bytes), "8192",
		"Maximum size of the headers of a request in bytes", 256, 1 << 20 },
	{ "limits.handshake_seconds", SETTING_SECONDS, AT(limits.handshake_ms), "5",
		"Maximum time from accepting a connection to the end of its request, TLS included",
		0.01, 3600 },
	{ "compression.enabled", SETTING_SWITCH, AT(compression.enabled), "false",
		"Whether to accept permessage-deflate" },
	{ "compression.threshold", SETTING_NUMBER, AT(compression.threshold), "256",
		"Smallest publication, in bytes, that is compressed", 0, 1 << 26 },
	{ "delivery.batch_milliseconds", SETTING_NUMBER, AT(delivery_batch_ms), "0",
		"Time that publications wait for others, to share one write", 0,
		SETTINGS_BATCH_MS_MAX },
	{ "delivery.on_gap", SETTING_CHOICE, AT(delivery_on_gap), "continue",
		"What happens to a plain connection that may have missed a publication, as it "
		"cannot "
		"be told; \"close\": close code 1012, so that its page fetches again",
		.choices = on_gaps },
	{ "drain.seconds", SETTING_SECONDS, AT(drain_ms), "20",
		"Time over which SIGTERM spreads the closing of connections", 0, 3600 },
	{ "sandbox", SETTING_CHOICE, AT(sandbox), "auto",
		"Whether the process restricts itself to what it needs: as far as the kernel can, "
		"completely or not at all",
		.choices = sandboxes },
	{ "log.level", SETTING_CHOICE, AT(log_level), "info",
		"Least severe messages that are logged", .choices = levels, .flag = "--log-level",
		.flag_offset = FLAG(log_level) },
	{ "log.format", SETTING_EITHER, AT(log_json), "text",
		"Format of the log, which goes to stderr", .choices = formats },
};
const size_t settings_count = COUNT_OF(settings_table);
_Static_assert(COUNT_OF(settings_table) <= SETTINGS_MAX, "SETTINGS_MAX is too small");

const char *setting_string_problem(const struct setting *setting, struct slice string)
{
	if (string.len > SETTING_STRING_MAX)
		return "it is longer than 4096 bytes";
	if (!utf8_is_valid(string))
		return "it is not valid UTF-8";
	return setting->check ? setting->check(string) : NULL;
}
