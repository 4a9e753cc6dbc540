/* Configurations as people write them, in a folder of their own, so that messages begin with
 * "sluice.json:LINE". */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "../../src/settings/presets.h"
#include "../../src/settings/table.h"
#include "sluice/settings/settings.h"
#include "unit.h"

static const char config_file[] = "sluice.json";
static char *no_environment[] = { NULL };

static void write_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

static char folder[] = "/tmp/test_settings.XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	write_text("secret", "from a file\n");
	write_text("cert.pem", "");
	write_text("key.pem", "");
	return 0;
}

static int leave_folder(void **state)
{
	(void)state;
	const char *const files[] = { config_file, "secret", "cert.pem", "key.pem", "empty" };
	for (size_t i = 0; i < COUNT_OF(files); i++)
		unlink(files[i]);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

/* ---- loading ---- */

/* `file`: the text of the file, NULL: none. */
static struct settings *load_from(
	const char *file, char **environment, struct settings_flags flags, struct buffer *problems)
{
	if (file) {
		write_text(config_file, file);
		flags.config = config_file;
	}
	return settings_load(&flags, environment, problems);
}

/* What must be good; its problems are shown when it is not. */
static struct settings *load_good(const char *file, char **environment, struct settings_flags flags)
{
	struct buffer problems = { 0 };
	struct settings *settings = load_from(file, environment, flags, &problems);
	if (!settings)
		print_error("%.*s", SLICE_ARGS(buffer_slice(&problems)));
	assert_non_null(settings);
	assert_int_equal(problems.len, 0);
	return settings;
}

/* What must be refused, with exactly these lines. */
static void assert_refused(
	const char *file, char **environment, struct settings_flags flags, const char *lines)
{
	struct buffer problems = { 0 };
	assert_null(load_from(file, environment, flags, &problems));
	assert_int_equal(buffer_append(&problems, "", 1), 0);
	assert_string_equal(problems.bytes, lines);
	buffer_finish(&problems);
}

static cJSON *print(const struct settings *settings)
{
	struct buffer text = { 0 };
	assert_int_equal(settings_print(settings, &text), 0);
	cJSON *root = cJSON_ParseWithLength(text.bytes, text.len);
	assert_non_null(root);
	buffer_finish(&text);
	return root;
}

/* "limits.queue_bytes" of the printed configuration, as JSON text. */
static void assert_printed(const struct settings *settings, const char *key, const char *expected)
{
	cJSON *root = print(settings), *at = root;
	for (struct slice rest = slice_of(key); rest.at;) {
		char name[64];
		struct slice part = slice_cut(&rest, '.');
		snprintf(name, sizeof(name), "%.*s", SLICE_ARGS(part));
		at = cJSON_GetObjectItemCaseSensitive(at, name);
		assert_non_null(at);
	}
	char *text = cJSON_PrintUnformatted(at);
	assert_string_equal(text, expected);
	cJSON_free(text);
	cJSON_Delete(root);
}

#define ENVIRONMENT(...) ((char *[]){ __VA_ARGS__, NULL })
#define SECRET \
	(char[]) \
	{ \
		"SLUICE_SESSION_SECRETS=[\"keyboard cat\"]" \
	}

/* 32 octets, as a key for AES-256 has. */
#define PRESET_SECRET \
	(char[]) \
	{ \
		"SLUICE_SESSION_SECRETS=[\"0123456789abcdef0123456789abcdef\"]" \
	}

/* ---- what is good ---- */

static const char full[] =
	"{ // everything, with values that are all different\n"
	"\"listen\": \"127.0.0.1:81\", \"path\": \"/live\", \"workers\": 3,\n"
	"\"tls\": { \"certificate\": \"cert.pem\", \"key\": \"key.pem\" },\n"
	"\"admin\": { \"listen\": \"unix:/run/admin\" },\n"
	"\"redis\": { \"url\": \"redis://u:pass@h:6380/4\" },\n"
	"\"origins\": [\"https://a.example\", \"*\"],\n"
	"\"session\": { \"preset\": \"express\", \"cookie\": \"sid\",\n"
	"  \"signature\": \"dot-hmac-sha256\", \"secrets\": [\"one\", \"two\"],\n"
	"  \"key\": \"s:{sid:sha256hex}\", \"authenticated\": \"a.b\", \"user\": \"c.d\",\n"
	"  \"required\": false },\n"
	"\"channels\": [ /* two */ { \"match\": \"news\", \"allow\": \"session\", \"auto\": true "
	"},\n"
	"  { \"match\": \"public:*\", \"allow\": \"anyone\" } ],\n"
	"\"heartbeat\": { \"interval\": 0.5, \"timeout\": 1.25 },\n"
	"\"limits\": { \"connections\": 11, \"connections_per_ip\": 12,\n"
	"  \"connections_per_user\": 13, \"upgrades_per_second\": 14, \"message_bytes\": 15,\n"
	"  \"queue_bytes\": 1026, \"channels\": 17, \"publication_bytes\": 18,\n"
	"  \"header_bytes\": 1019, \"handshake_seconds\": 0.02, \"half_open_per_ip\": 23,\n"
	"  \"frames_per_second\": 24, \"fragments\": 25, \"buffered_bytes\": 1048602 },\n"
	"\"compression\": { \"enabled\": true, \"threshold\": 21 },\n"
	"\"delivery\": { \"batch_milliseconds\": 0 },\n"
	"\"drain\": { \"seconds\": 0.022 },\n"
	"\"log\": { \"level\": \"warn\", \"format\": \"json\" } }\n";

#define assert_slice_equal(slice, text) assert_true(slice_equal(slice, slice_of(text)))

static void assert_full_session(const struct settings *settings)
{
	assert_slice_equal(settings->session.cookie, "sid");
	assert_int_equal(settings->session.signature, SESSION_SIGNATURE_DOT_HMAC_SHA256);
	assert_int_equal(settings->session.n_secrets, 2);
	assert_slice_equal(settings->session.secrets[0], "one");
	assert_slice_equal(settings->session.secrets[1], "two");
	assert_slice_equal(settings->session.key, "s:{sid:sha256hex}");
	assert_slice_equal(settings->session.authenticated, "a.b");
	assert_slice_equal(settings->session.user, "c.d");
	assert_true(settings->session.cookie_object);
	assert_false(settings->session.required);
}

static void assert_full_limits(const struct settings *settings)
{
	assert_int_equal(settings->limits.connections, 11);
	assert_int_equal(settings->limits.connections_per_ip, 12);
	assert_int_equal(settings->limits.connections_per_user, 13);
	assert_int_equal(settings->limits.upgrades_per_second, 14);
	assert_int_equal(settings->limits.message_bytes, 15);
	assert_int_equal(settings->limits.queue_bytes, 1026);
	assert_int_equal(settings->limits.channels, 17);
	assert_int_equal(settings->limits.publication_bytes, 18);
	assert_int_equal(settings->limits.header_bytes, 1019);
	assert_int_equal(settings->limits.handshake_ms, 20);
	assert_int_equal(settings->limits.half_open_per_ip, 23);
	assert_int_equal(settings->limits.frames_per_second, 24);
	assert_int_equal(settings->limits.fragments, 25);
	assert_int_equal(settings->limits.buffered_bytes, 1048602);
}

static void each_key_of_the_file_lands_in_its_place(void **state)
{
	(void)state;
	struct settings *settings =
		load_good(full, no_environment, (struct settings_flags){ NULL });
	assert_string_equal(settings->listen, "127.0.0.1:81");
	assert_string_equal(settings->path, "/live");
	assert_int_equal(settings->workers, 3);
	assert_string_equal(settings->tls_certificate, "cert.pem");
	assert_string_equal(settings->tls_key, "key.pem");
	assert_string_equal(settings->admin_listen, "unix:/run/admin");
	assert_string_equal(settings->redis.host, "h");
	assert_string_equal(settings->redis.password, "pass");
	assert_int_equal(settings->redis.database, 4);
	assert_int_equal(settings->n_origins, 2);
	assert_slice_equal(settings->origins[0], "https://a.example");
	assert_slice_equal(settings->origins[1], "*");
	assert_full_session(settings);
	assert_int_equal(settings->n_rules, 2);
	assert_slice_equal(settings->rules[0].match, "news");
	assert_int_equal(settings->rules[0].allow, CHANNEL_ALLOW_SESSION);
	assert_true(settings->rules[0].automatic);
	assert_slice_equal(settings->rules[1].match, "public:*");
	assert_int_equal(settings->rules[1].allow, CHANNEL_ALLOW_ANYONE);
	assert_false(settings->rules[1].automatic);
	assert_int_equal(settings->heartbeat_interval_ms, 500);
	assert_int_equal(settings->heartbeat_timeout_ms, 1250);
	assert_full_limits(settings);
	assert_true(settings->compression.enabled);
	assert_int_equal(settings->compression.threshold, 21);
	assert_int_equal(settings->drain_ms, 22);
	assert_int_equal(settings->log_level, LOG_WARN);
	assert_true(settings->log_json);
	settings_destroy(settings);
}

/* Each setting: its default, and another value as the file, the environment, and a flag say it. */
static const struct source_row {
	const char *key, *variable, *initial;           /* initial: as --print-config shows it */
	const char *in_file, *in_environment, *printed; /* of the variable's value */
} source_rows[] = {
	{ "listen", "SLUICE_LISTEN", "\"0.0.0.0:8080\"", "\":1\"", ":2", "\":2\"" },
	{ "path", "SLUICE_PATH", "\"/ws\"", "\"/a\"", "/b", "\"/b\"" },
	{ "workers", "SLUICE_WORKERS", "0", "64", "2", "2" },
	{ "admin.listen", "SLUICE_ADMIN_LISTEN", "\"127.0.0.1:9100\"", "\":1\"", "", "\"\"" },
	{ "redis.url", "SLUICE_REDIS_URL", "\"redis://127.0.0.1:6379/0\"", "\"redis://a\"",
		"redis://:pw@b:7/3", "\"redis://:***@b:7/3\"" },
	{ "origins", "SLUICE_ORIGINS", "[\"same-host\",\"none\"]", "[]", " [\"*\"] ", "[\"*\"]" },
	{ "session.preset", "SLUICE_SESSION_PRESET", "\"express\"", "\"express\"", "express",
		"\"express\"" },
	{ "session.cookie", "SLUICE_SESSION_COOKIE", "\"connect.sid\"", "\"a\"", "__Host-b",
		"\"__Host-b\"" },
	{ "session.cookie_encoding", "SLUICE_SESSION_COOKIE_ENCODING", "\"percent\"", "\"none\"",
		"base64", "\"base64\"" },
	{ "session.cookie_prefixes", "SLUICE_SESSION_COOKIE_PREFIXES", "false", "false", "true",
		"true" },
	{ "session.signature", "SLUICE_SESSION_SIGNATURE", "\"connect\"", "\"none\"",
		"dot-hmac-sha256", "\"dot-hmac-sha256\"" },
	{ "session.key", "SLUICE_SESSION_KEY", "\"sess:{sid}\"", "\"{sid}\"", "b{sid:sha256hex}",
		"\"b{sid:sha256hex}\"" },
	{ "session.must_exist", "SLUICE_SESSION_MUST_EXIST", "\"\"", "\"a{sid}\"", "b:{sid}",
		"\"b:{sid}\"" },
	{ "session.lookup", "SLUICE_SESSION_LOOKUP", "\"string\"", "\"hash\"", "exists",
		"\"exists\"" },
	{ "session.codec", "SLUICE_SESSION_CODEC", "\"json\"", "\"php\"", "msgpack",
		"\"msgpack\"" },
	{ "session.present", "SLUICE_SESSION_PRESENT", "\"\"", "\"a.b\"", "/a~1b/0",
		"\"/a~1b/0\"" },
	{ "session.expires", "SLUICE_SESSION_EXPIRES", "\"\"", "\"a\"", "cookie.expires",
		"\"cookie.expires\"" },
	{ "session.ticket", "SLUICE_SESSION_TICKET", "\"\"", "\"a{sid}\"", "t:{sid}",
		"\"t:{sid}\"" },
	{ "session.authenticated", "SLUICE_SESSION_AUTHENTICATED", "\"authenticated\"", "\"a.b\"",
		"", "\"\"" },
	{ "session.user", "SLUICE_SESSION_USER", "\"userId\"", "\"a\"", "passport.user",
		"\"passport.user\"" },
	{ "session.required", "SLUICE_SESSION_REQUIRED", "true", "true", "false", "false" },
	{ "session.reject", "SLUICE_SESSION_REJECT", "\"http\"", "\"http\"", "close", "\"close\"" },
	{ "session.touch", "SLUICE_SESSION_TOUCH", "false", "false", "true", "true" },
	{ "session.ttl", "SLUICE_SESSION_TTL", "86400", "60", "1.5", "1.5" },
	{ "session.sweep", "SLUICE_SESSION_SWEEP", "30", "0", "5", "5" },
	{ "channels", "SLUICE_CHANNELS", "[]", "[{\"match\":\"a\",\"allow\":\"session\"}]",
		"[{\"match\":\"b\",\"allow\":\"anyone\",\"auto\":true}]",
		"[{\"match\":\"b\",\"allow\":\"anyone\",\"auto\":true}]" },
	{ "heartbeat.interval", "SLUICE_HEARTBEAT_INTERVAL", "25", "1", "0", "0" },
	{ "heartbeat.timeout", "SLUICE_HEARTBEAT_TIMEOUT", "10", "1", "0.5", "0.5" },
	{ "limits.connections", "SLUICE_LIMITS_CONNECTIONS", "0", "1", "2", "2" },
	{ "limits.connections_per_ip", "SLUICE_LIMITS_CONNECTIONS_PER_IP", "0", "1", "2", "2" },
	{ "limits.connections_per_user", "SLUICE_LIMITS_CONNECTIONS_PER_USER", "0", "1", "2", "2" },
	{ "limits.upgrades_per_second", "SLUICE_LIMITS_UPGRADES_PER_SECOND", "0", "1", "2", "2" },
	{ "limits.command_bytes", "SLUICE_LIMITS_COMMAND_BYTES", "4096", "64", "65536", "65536" },
	{ "limits.commands_per_second", "SLUICE_LIMITS_COMMANDS_PER_SECOND", "200", "1", "7", "7" },
	{ "limits.half_open_per_ip", "SLUICE_LIMITS_HALF_OPEN_PER_IP", "32768", "1", "0", "0" },
	{ "limits.frames_per_second", "SLUICE_LIMITS_FRAMES_PER_SECOND", "256", "1", "0", "0" },
	{ "limits.message_bytes", "SLUICE_LIMITS_MESSAGE_BYTES", "65536", "1", "2", "2" },
	{ "limits.fragments", "SLUICE_LIMITS_FRAGMENTS", "128", "1", "2", "2" },
	{ "limits.queue_bytes", "SLUICE_LIMITS_QUEUE_BYTES", "1048576", "1024", "1073741824",
		"1073741824" },
	{ "limits.buffered_bytes", "SLUICE_LIMITS_BUFFERED_BYTES", "268435456", "1048576",
		"4294967295", "4294967295" },
	{ "limits.channels", "SLUICE_LIMITS_CHANNELS", "128", "1", "2", "2" },
	{ "limits.publication_bytes", "SLUICE_LIMITS_PUBLICATION_BYTES", "1048576", "1", "2", "2" },
	{ "limits.header_bytes", "SLUICE_LIMITS_HEADER_BYTES", "8192", "256", "1e4", "10000" },
	{ "limits.handshake_seconds", "SLUICE_LIMITS_HANDSHAKE_SECONDS", "5", "1", "0.01", "0.01" },
	{ "compression.enabled", "SLUICE_COMPRESSION_ENABLED", "false", "false", "true", "true" },
	{ "compression.threshold", "SLUICE_COMPRESSION_THRESHOLD", "256", "0", "2", "2" },
	{ "delivery.batch_milliseconds", "SLUICE_DELIVERY_BATCH_MILLISECONDS", "0", "0", "0", "0" },
	{ "drain.seconds", "SLUICE_DRAIN_SECONDS", "20", "0", "0.0001", "0.001" },
	{ "log.level", "SLUICE_LOG_LEVEL", "\"info\"", "\"warn\"", "debug", "\"debug\"" },
	{ "log.format", "SLUICE_LOG_FORMAT", "\"text\"", "\"json\"", "json", "\"json\"" },
};

/* { "limits": { "queue_bytes": 1024 } } */
static void nest(char *file, size_t size, const char *key, const char *value)
{
	struct slice rest = slice_of(key);
	struct slice group = slice_cut(&rest, '.');
	if (rest.at)
		snprintf(file, size, "{ \"%.*s\": { \"%s\": %s } }", SLICE_ARGS(group), rest.at,
			value);
	else
		snprintf(file, size, "{ \"%s\": %s }", key, value);
}

static void a_setting_comes_from_default_file_and_environment(void **state)
{
	(void)state;
	const struct settings_flags none = { NULL };
	for (size_t i = 0; i < COUNT_OF(source_rows); i++) {
		const struct source_row *row = &source_rows[i];
		char file[512], variable[512];
		nest(file, sizeof(file), row->key, row->in_file);
		snprintf(variable, sizeof(variable), "%s=%s", row->variable, row->in_environment);

		struct settings *settings = load_good(NULL, ENVIRONMENT(SECRET), none);
		assert_printed(settings, row->key, row->initial);
		settings_destroy(settings);

		settings = load_good(file, ENVIRONMENT(SECRET, variable), none);
		assert_printed(settings, row->key, row->printed);
		settings_destroy(settings);

		settings = load_good(NULL, ENVIRONMENT(variable, SECRET), none);
		assert_printed(settings, row->key, row->printed);
		settings_destroy(settings);
	}
}

static void every_setting_has_been_tried(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_count; i++) {
		const char *key = settings_table[i].key;
		bool elsewhere =
			strncmp(key, "tls.", 4) == 0 || strcmp(key, "session.secrets") == 0;
		for (size_t j = 0; j < COUNT_OF(source_rows) && !elsewhere; j++)
			elsewhere = strcmp(key, source_rows[j].key) == 0;
		if (!elsewhere)
			fail_msg("no row for %s", key);
	}
}

static void a_flag_has_the_last_word(void **state)
{
	(void)state;
	const struct settings_flags flags = {
		.listen = ":3", .redis_url = "redis://flag", .workers = "5", .log_level = "error"
	};
	struct settings *settings = load_good(
		"{ \"listen\": \":1\", \"redis\": { \"url\": \"redis://file\" } }",
		ENVIRONMENT(SECRET, (char[]){ "SLUICE_LISTEN=:2" }, (char[]){ "SLUICE_WORKERS=4" }),
		flags);
	assert_string_equal(settings->listen, ":3");
	assert_string_equal(settings->redis.host, "flag");
	assert_int_equal(settings->workers, 5);
	assert_int_equal(settings->log_level, LOG_ERROR);
	settings_destroy(settings);
}

static void a_variable_may_hold_a_group(void **state)
{
	(void)state;
	struct settings *settings = load_good(
		"{ \"limits\": { \"channels\": 1, \"queue_bytes\": 1024 } }",
		ENVIRONMENT(SECRET, (char[]){ "SLUICE_LIMITS_CHANNELS=3" },
			(char[]){ "SLUICE_LIMITS={\"channels\": 2, \"message_bytes\": 9}" }),
		(struct settings_flags){ NULL });
	assert_int_equal(settings->limits.channels, 3);
	assert_int_equal(settings->limits.message_bytes, 9);
	assert_int_equal(settings->limits.queue_bytes, 1024);
	settings_destroy(settings);
}

static void variables_of_others_are_let_through(void **state)
{
	(void)state;
	settings_destroy(load_good(NULL,
		ENVIRONMENT(SECRET, (char[]){ "PATH=/bin" }, (char[]){ "SLUICEX=1" },
			(char[]){ "SLUICE_LISTEN" }, (char[]){ "SLUICE_SERVICE_HOST=10.0.0.1" },
			(char[]){ "SLUICE_SERVICE_PORT_HTTP=80" },
			(char[]){ "SLUICE_PORT=tcp://10.0.0.1:80" },
			(char[]){ "SLUICE_ADMIN_PORT_9100_TCP_ADDR=10.0.0.1" }),
		(struct settings_flags){ NULL }));
}

static void json_may_have_comments(void **state)
{
	(void)state;
	struct settings *settings = load_good("\xef\xbb\xbf// first\n{/*a*//**/\"path\"/* \"//\" "
					      "*/:// here\n\"/a//b/*c*/\" }//last",
		ENVIRONMENT(SECRET), (struct settings_flags){ NULL });
	assert_string_equal(settings->path, "/a//b/*c*/");
	settings_destroy(settings);
}

/* ---- secrets ---- */

static void secrets_may_lie_in_files(void **state)
{
	(void)state;
	char file[256];
	snprintf(file, sizeof(file),
		"{ \"session\": { \"secrets\": [\"plain\", \"file:%s/secret\"] } }", folder);
	struct settings *settings =
		load_good(file, no_environment, (struct settings_flags){ NULL });
	assert_int_equal(settings->session.n_secrets, 2);
	assert_slice_equal(settings->session.secrets[0], "plain");
	assert_slice_equal(settings->session.secrets[1], "from a file");
	assert_printed(settings, "session.secrets", "[\"***\",\"***\"]");
	settings_destroy(settings);
}

static void only_the_end_of_line_is_taken_off_a_secret(void **state)
{
	(void)state;
	const struct {
		const char *bytes;
		struct slice secret;
	} rows[] = {
		{ "a", SLICE("a") },
		{ "a\n", SLICE("a") },
		{ "a\r\n", SLICE("a") },
		{ " a \n\n", SLICE(" a \n") },
	};
	char variable[256];
	snprintf(variable, sizeof(variable), "SLUICE_SESSION_SECRETS=[\"file:%s/empty\"]", folder);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		write_text("empty", rows[i].bytes);
		struct settings *settings =
			load_good(NULL, ENVIRONMENT(variable), (struct settings_flags){ NULL });
		assert_true(slice_equal(settings->session.secrets[0], rows[i].secret));
		settings_destroy(settings);
	}
}

static void a_secret_that_is_hidden_by_a_higher_source_is_not_read(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"secrets\": [\"file:/nowhere/at/all\"] } }",
			ENVIRONMENT(SECRET), (struct settings_flags){ NULL });
	assert_slice_equal(settings->session.secrets[0], "keyboard cat");
	settings_destroy(settings);
}

static void no_secret_is_needed_without_signature(void **state)
{
	(void)state;
	struct settings *settings = load_good("{ \"session\": { \"signature\": \"none\" } }",
		no_environment, (struct settings_flags){ NULL });
	assert_int_equal(settings->session.n_secrets, 0);
	assert_slice_equal(settings->session.user, "userId");
	settings_destroy(settings);
}

static void a_key_of_laravel_is_kept_as_its_octets(void **state)
{
	(void)state;
	struct settings *settings = load_good(NULL,
		ENVIRONMENT((char[]){ "SLUICE_SESSION_PRESET=laravel" },
			(char[]){
				"SLUICE_SESSION_SECRETS=[\"base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"
				"ODlhYmNkZWY=\",\"another key that has 32 octets..\"]" }),
		(struct settings_flags){ NULL });
	assert_slice_equal(settings->session.secrets[0], "0123456789abcdef0123456789abcdef");
	assert_slice_equal(settings->session.secrets[1], "another key that has 32 octets..");
	settings_destroy(settings);
}

static void another_key_is_none_for_laravel(void **state)
{
	(void)state;
	assert_refused("{ \"session\": { \"preset\": \"laravel\",\n"
		       "\"secrets\": [\"base64:aHVudGVyMg==\", \"\", \"hunter2\"] } }",
		no_environment, (struct settings_flags){ NULL },
		"sluice.json:2: session.secrets[0]: must be an APP_KEY for AES-256: \"base64:\" "
		"and 32 bytes in base64\n"
		"sluice.json:2: session.secrets[1]: must not be empty\n"
		"sluice.json:2: session.secrets[2]: must be an APP_KEY for AES-256: \"base64:\" "
		"and 32 bytes in base64\n");
}

/* ---- presets ---- */

/* A column of NULL: "". */
static const struct preset_row {
	const char *name, *cookie, *signature, *key, *lookup, *codec, *authenticated, *present,
		*user, *expires;
} preset_rows[] = {
	{ "express", "connect.sid", "connect", "sess:{sid}", "string", "json", "authenticated",
		NULL, "userId" },
	{ "passport", "connect.sid", "connect", "sess:{sid}", "string", "json", NULL,
		"passport.user", "passport.user" },
	{ "fastify", "sessionId", "dot-hmac-sha256", "sess:{sid}", "string", "json",
		"authenticated", NULL, "userId", "cookie.expires" },
	{ "koa", "koa.sess", "keygrip", "{sid}", "string", "json", "authenticated", NULL, "userId",
		"_expire" },
	{ "koa-generic", "koa.sid", "keygrip", "koa:sess:{sid}", "string", "json", "authenticated",
		NULL, "userId" },
	{ "better-auth", "better-auth.session_token", "dot-hmac-sha256", "{sid}", "string", "json",
		NULL, "session.userId", "session.userId", "session.expiresAt" },
	{ "django-json", "sessionid", "none", ":1:django.contrib.sessions.cache{sid}", "string",
		"json", NULL, "_auth_user_id", "_auth_user_id" },
	{ "flask", "session", "none", "session:{sid}", "string", "msgpack", "authenticated", NULL,
		"userId" },
	{ "starsessions", "session", "none", "starsessions.{sid}", "string", "json",
		"authenticated", NULL, "userId" },
	{ "rails-json", "_session_id", "none", "2::{sid:sha256hex}", "string", "json",
		"authenticated", NULL, "userId" },
	{ "spring", "SESSION", "none", "spring:session:sessions:{sid}", "hash", "json", NULL,
		"/sessionAttr:SPRING_SECURITY_CONTEXT",
		"/sessionAttr:org.springframework.session.FindByIndexNameSessionRepository."
		"PRINCIPAL_NAME_INDEX_NAME" },
	{ "php", "PHPSESSID", "none", "PHPREDIS_SESSION:{sid}", "string", "php", "authenticated",
		NULL, "userId" },
	{ "laravel", "laravel_session", "laravel", "laravel_database_laravel_cache_{sid}", "string",
		"laravel", NULL, "login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d",
		"login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d" },
	{ "ticket", NULL, "none", "{sid}", "exists", "json", NULL, NULL, "userId" },
};

static void assert_printed_text(const struct settings *settings, const char *key, const char *text)
{
	char quoted[256];
	snprintf(quoted, sizeof(quoted), "\"%s\"", text ? text : "");
	assert_printed(settings, key, quoted);
}

static void a_preset_sets_what_nobody_has_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(preset_rows); i++) {
		const struct preset_row *row = &preset_rows[i];
		char variable[64];
		snprintf(variable, sizeof(variable), "SLUICE_SESSION_PRESET=%s", row->name);
		struct settings *settings = load_good(NULL, ENVIRONMENT(PRESET_SECRET, variable),
			(struct settings_flags){ NULL });
		assert_printed_text(settings, "session.cookie", row->cookie);
		assert_printed_text(settings, "session.signature", row->signature);
		assert_printed_text(settings, "session.key", row->key);
		assert_printed_text(settings, "session.lookup", row->lookup);
		assert_printed_text(settings, "session.codec", row->codec);
		assert_printed_text(settings, "session.authenticated", row->authenticated);
		assert_printed_text(settings, "session.present", row->present);
		assert_printed_text(settings, "session.user", row->user);
		assert_printed_text(settings, "session.expires", row->expires);
		assert_int_equal(settings->session.cookie_object, i < 2);
		assert_int_equal(settings->session.cookie_prefixes,
			settings->session.preset == SESSION_PRESET_BETTER_AUTH);
		assert_int_equal(settings->session.ticket.len > 0,
			settings->session.preset == SESSION_PRESET_TICKET);
		assert_int_equal(settings->session.must_exist.len > 0,
			settings->session.preset == SESSION_PRESET_SPRING);
		settings_destroy(settings);
	}
	for (size_t i = 0; preset_names[i]; i++)
		assert_string_equal(preset_names[i], preset_rows[i].name);
}

static void a_key_wins_over_the_preset(void **state)
{
	(void)state;
	struct settings *settings = load_good(
		"{ \"session\": { \"preset\": \"spring\", \"cookie\": \"S\", \"must_exist\": \"\", "
		"\"cookie_encoding\": \"percent\", \"user\": \"/sessionAttr:user\" } }",
		no_environment, (struct settings_flags){ NULL });
	assert_slice_equal(settings->session.cookie, "S");
	assert_int_equal(settings->session.cookie_encoding, SESSION_COOKIE_PERCENT);
	assert_int_equal(settings->session.lookup, SESSION_LOOKUP_HASH);
	assert_slice_equal(settings->session.user, "/sessionAttr:user");
	assert_null(settings->session.must_exist.at);
	settings_destroy(settings);
}

static void what_is_not_read_is_asked_for_nothing(void **state)
{
	(void)state;
	struct settings *settings = load_good("{ \"session\": { \"codec\": \"none\" } }",
		ENVIRONMENT(SECRET), (struct settings_flags){ NULL });
	assert_null(settings->session.authenticated.at);
	settings_destroy(settings);
	/* but a ticket can be */
	settings = load_good("{ \"session\": { \"preset\": \"ticket\", \"present\": \"a\" } }",
		no_environment, (struct settings_flags){ NULL });
	assert_slice_equal(settings->session.present, "a");
	settings_destroy(settings);
}

/* ---- what is refused ---- */

static const char signed_with[] = "SLUICE_SESSION_SECRETS=[\"hunter2\"]";

static const struct {
	const char *file, *problem; /* after "sluice.json:" */
} bad_files[] = {
	/* not JSON */
	{ "", "1: is empty; write a JSON object, such as { … }\n" },
	{ "// nothing", "1: is empty; write a JSON object, such as { … }\n" },
	{ "# YAML\npath: /ws", "1: is not JSON, which begins with \"{\"\n" },
	{ "path: /ws", "1: is not JSON, which begins with \"{\"\n" },
	{ "{\n\"path\" \"/ws\" }", "2: is not valid JSON, near column 8\n" },
	{ "{ \"path\": '/ws' }", "1: is not valid JSON, near column 11\n" },
	{ "{ path: \"/ws\" }", "1: is not valid JSON, near column 4\n" },
	{ "{}{}", "1: is not valid JSON, near column 3\n" },
	{ "{}\n/", "2: is not valid JSON, near column 1\n" },
	{ "{ \"workers\": 01 }", " contains a number or an escape sequence that is not JSON\n" },
	{ "{ \"path\": \"/\\uzzzz\" }",
		" contains a number or an escape sequence that is not JSON\n" },
	{ "{ \"path\": \"/\\ud800\" }", "1: is not valid JSON, near column 13\n" },
	{ "{ \"path\": \"/\\u0000\" }", "1: a string must not contain \\u0000\n" },
	{ "{\n\"path\": \"/ws", "2: a string has no closing quote on this line\n" },
	{ "{\n\"path: \"/ws\" }\n", "2: a string has no closing quote on this line\n" },
	{ "{ \"path\": \"/\t\" }", "1: a tab inside a string must be written as \\t\n" },
	{ "{ \"path\": \"/\x01\" }", "1: contains a control character\n" },
	{ "{\n\"path\": \"/\xff\" }", "2: is not valid UTF-8\n" },
	{ "{ \"path\": \"/\xc3", "1: is not valid UTF-8\n" },
	{ "{\n/* so\n", "2: this comment is never closed\n" },
	{ "{ /*/ }", "1: this comment is never closed\n" },
	{ "{\n\"path\": \"/ws\", // so\n}",
		"2: JSON allows no comma before a closing bracket; remove it\n" },
	{ "{ \"origins\": [\"*\",] }",
		"1: JSON allows no comma before a closing bracket; remove it\n" },
	{ "[[[[[[[[[[[[[[[[[", "1: is nested more than 16 levels deep\n" },
	/* not a configuration */
	{ "\n[]", "2: the configuration must be an object, such as { … }\n" },
	{ "null", "1: the configuration must be an object, such as { … }\n" },
	{ "{\n\"pat\": \"/\" }", "2: pat: unknown key; did you mean \"path\"?\n" },
	{ "{ \"queue_bytes\": 1 }",
		"1: queue_bytes: unknown key; did you mean \"limits.queue_bytes\"?\n" },
	{ "{ \"limit\": {} }", "1: limit: unknown key; did you mean \"limits\"?\n" },
	{ "{ \"limits\": {\n\n\"queue_byte\": 1 } }",
		"3: limits.queue_byte: unknown key; did you mean \"limits.queue_bytes\"?\n" },
	{ "{ \"Path\": \"/\" }", "1: Path: unknown key; did you mean \"path\"?\n" },
	{ "{ \"nothing like it\": 1 }", "1: nothing like it: unknown key\n" },
	{ "{ \"a\\nb\": 1 }", "1: a?b: unknown key\n" },
	{ "{ \"limits.queue_bytes\": 2000 }",
		"1: limits.queue_bytes: must be written as \"limits\": { \"queue_bytes\": … }\n" },
	{ "{ \"\": 1 }", "1: : unknown key\n" },
	{ "{ \"path\": \"/a\",\n\"path\": \"/a\" }", "2: path: is set twice, first on line 1\n" },
	{ "{ \"log\": {},\n\"log\": {} }", "2: log: is set twice, first on line 1\n" },
	{ "{ \"log\": {\n\"level\": \"info\",\n\"level\": \"info\" } }",
		"3: log.level: is set twice, first on line 2\n" },
	{ "{ \"redis\": \"redis://:hunter2@h\" }",
		"1: redis: must be an object, such as { … }, not the given string\n" },
	{ "{ \"limits\": null }", "1: limits: must be an object, such as { … }, not null\n" },
	/* wrong type, out of range */
	{ "{ \"limits\": {\n\"queue_bytes\": \"1M\" } }",
		"2: limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "
		"\"1M\"\n" },
	{ "{ \"limits\": { \"queue_bytes\":\n1023 } }",
		"1: limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "
		"1023\n" },
	{ "{ \"workers\": 1.5 }", "1: workers: must be a whole number from 0 to 64, not 1.5\n" },
	{ "{ \"workers\": -1 }", "1: workers: must be a whole number from 0 to 64, not -1\n" },
	{ "{ \"workers\": 65 }", "1: workers: must be a whole number from 0 to 64, not 65\n" },
	{ "{ \"workers\": 1e999 }", "1: workers: must be a whole number from 0 to 64, not inf\n" },
	{ "{ \"workers\": true }", "1: workers: must be a whole number from 0 to 64, not true\n" },
	{ "{ \"workers\": [] }", "1: workers: must be a whole number from 0 to 64, not a list\n" },
	{ "{ \"heartbeat\": { \"timeout\": 0 } }",
		"1: heartbeat.timeout: must be a number of seconds from 0.01 to 86400, not 0\n" },
	{ "{ \"drain\": { \"seconds\": \"20s\" } }",
		"1: drain.seconds: must be a number of seconds from 0 to 3600, not \"20s\"\n" },
	{ "{ \"session\": { \"required\": \"yes\" } }",
		"1: session.required: must be true or false, not \"yes\"\n" },
	{ "{ \"session\": { \"preset\": \"django\" } }",
		"1: session.preset: must be \"express\", \"passport\", \"fastify\", \"koa\", "
		"\"koa-generic\", \"better-auth\", \"django-json\", \"flask\", \"starsessions\", "
		"\"rails-json\", \"spring\", \"php\", \"laravel\" or \"ticket\", not \"django\" "
		"(did you mean \"django-json\"?)\n" },
	{ "{ \"session\": { \"signature\": \"hmac\" } }",
		"1: session.signature: must be \"connect\", \"dot-hmac-sha256\", \"keygrip\", "
		"\"itsdangerous\", \"laravel\" or \"none\", not \"hmac\"\n" },
	{ "{ \"session\": { \"signature\": false } }",
		"1: session.signature: must be \"connect\", \"dot-hmac-sha256\", \"keygrip\", "
		"\"itsdangerous\", \"laravel\" or \"none\", not false\n" },
	{ "{ \"log\": { \"level\": \"loud\" } }", "1: log.level: must be \"debug\", \"info\", "
						  "\"warn\" or \"error\", not \"loud\"\n" },
	{ "{ \"log\": { \"format\": \"xml\" } }",
		"1: log.format: must be \"text\" or \"json\", not \"xml\"\n" },
	{ "{ \"path\": \"ws\" }", "1: path: must be a path that begins with \"/\", not \"ws\"\n" },
	{ "{ \"path\": \"\" }", "1: path: must be a path that begins with \"/\", not \"\"\n" },
	{ "{ \"path\": 7 }", "1: path: must be a path that begins with \"/\", not 7\n" },
	{ "{ \"path\": \"/ws?a\" }",
		"1: path: must be a path that begins with \"/\", not "
		"\"/ws?a\" (it may contain no blank, no \"?\", no \"#\" and only ASCII)\n" },
	{ "{ \"session\": { \"cookie\": \"a b\" } }",
		"1: session.cookie: must be the name of a cookie, or \"\", not \"a b\"\n" },
	{ "{ \"session\": {\n\"cookie\": \"\" } }", "2: session.cookie: must not be \"\" without "
						    "session.ticket: nobody could connect\n" },
	{ "{ \"session\": {\n\"ticket\": \"{sid}\" } }",
		"2: session.ticket: must be more than {sid}, such as \"ticket:{sid}\": anybody "
		"could delete any key of Redis\n" },
	{ "{ \"session\": { \"signature\": \"none\",\n\"key\": \"{sid}\" } }",
		"2: session.key: must be more than {sid}, such as \"sess:{sid}\", with "
		"session.signature \"none\": a cookie could name any key of Redis\n" },
	{ "{ \"session\": { \"must_exist\": \"live:{sid:sha256hex}\" } }",
		"1: session.must_exist: must write the id as session.key does\n" },
	{ "{ \"session\": { \"must_exist\": \"sess:live{sid}\" } }",
		"1: session.must_exist: must not make keys that session.key could make too\n" },
	{ "{ \"session\": { \"lookup\": \"hash\",\n\"codec\": \"php\" } }",
		"2: session.codec: must be \"json\" or \"none\" with session.lookup \"hash\"\n" },
	{ "{ \"session\": { \"lookup\": \"exists\",\n\"authenticated\": \"a\",\n"
	  "\"present\": \"b\" } }",
		"2: session.authenticated: must be \"\" with session.lookup \"exists\" or "
		"session.codec \"none\", which read no record\n"
		"sluice.json:3: session.present: must be \"\" with session.lookup \"exists\" or "
		"session.codec \"none\", which read no record\n" },
	{ "{ \"session\": { \"codec\": \"none\", \"expires\": \"a\" } }",
		"1: session.expires: must be \"\" with session.lookup \"exists\" or session.codec "
		"\"none\", which read no record\n" },
	{ "{ \"session\": { \"must_exist\": \"a\" } }",
		"1: session.must_exist: must be a string with one {sid}, {sid:sha256hex} or "
		"{sid:sha256b64url}, or \"\", not \"a\"\n" },
	{ "{ \"session\": { \"key\": \"sess:\" } }",
		"1: session.key: must be a string with one {sid}, {sid:sha256hex} or "
		"{sid:sha256b64url}, such as \"sess:{sid}\", not \"sess:\"\n" },
	{ "{ \"session\": { \"user\": \"a..b\" } }",
		"1: session.user: must be a path, such as \"passport.user\" or \"/passport/user\", "
		"or \"\", not \"a..b\" (a name between the dots is empty)\n" },
	{ "{ \"session\": { \"present\": \"/a~b\" } }",
		"1: session.present: must be a path, such as \"passport.user\" or "
		"\"/passport/user\", or \"\", not \"/a~b\" (write a \"~\" as \"~0\")\n" },
	/* lists */
	{ "{ \"origins\": \"*\" }",
		"1: origins: must be a list of strings, such as [\"…\"], not \"*\"\n" },
	{ "{ \"origins\": [\n\"*\",\n\"app.example.com\" ] }",
		"3: origins[1]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not \"app.example.com\"\n" },
	{ "{ \"origins\": [\"https://u:hunter2@h\"] }",
		"1: origins[0]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not the given string\n" },
	{ "{ \"origins\": [null] }",
		"1: origins[0]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not null\n" },
	{ "{ \"channels\": {} }", "1: channels: must be a list of rules, such as [{ \"match\": "
				  "\"news\", … }], not an "
				  "object\n" },
	{ "{ \"channels\": [\n\"news\" ] }", "2: channels[0]: must be { \"match\": …, \"allow\": "
					     "\"session\" or \"anyone\", \"auto\": "
					     "true or false }, not \"news\"\n" },
	{ "{ \"channels\": [\n{ \"allow\": \"session\" } ] }",
		"2: channels[0]: needs \"match\": a channel's name, such as \"news\"\n" },
	{ "{ \"channels\": [{ \"match\": \"a\" }] }",
		"1: channels[0]: needs \"allow\": \"session\" or \"anyone\"\n" },
	{ "{ \"channels\": [{ \"match\": \"a\",\n\"allow\": \"all\" }] }",
		"2: channels[0].allow: must be \"session\" or \"anyone\", not \"all\"\n" },
	{ "{ \"channels\": [{ \"match\": 1, \"allow\": \"session\" }] }",
		"1: channels[0].match: must be a channel's name, such as \"news\", not 1\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\", \"auto\": 1 }] }",
		"1: channels[0].auto: must be true or false, not 1\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\",\n\"match\": \"a\" }] }",
		"2: channels[0].match: is set twice\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\", \"deny\": 1 }] }",
		"1: channels[0].deny: unknown key; a rule has \"match\", \"allow\", "
		"\"auto\" and \"batch_milliseconds\"\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\",\n"
	  "\"batch_milliseconds\": 1.5 }] }",
		"2: channels[0].batch_milliseconds: must be a whole number from 0 to 10000, not "
		"1.5\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\",\n"
	  "\"batch_milliseconds\": 10001 }] }",
		"2: channels[0].batch_milliseconds: must be a whole number from 0 to 10000, not "
		"10001\n" },
	/* secrets, files */
	{ "{ \"session\": { \"secrets\": \"hunter2\" } }",
		"1: session.secrets: must be a list of strings, such as [\"…\"], not the given "
		"string\n" },
	{ "{ \"session\": { \"secrets\": [5] } }",
		"1: session.secrets[0]: must be a string, or \"file:/PATH\" for a file with the "
		"secret in it, not "
		"a number\n" },
	{ "{ \"tls\": { \"certificate\": \"cert.pem\" } }",
		"1: tls.certificate: needs tls.key too\n" },
	{ "{ \"tls\": { \"key\": \"key.pem\" } }", "1: tls.key: needs tls.certificate too\n" },
	{ "{ \"tls\": { \"certificate\": \"cert.pem\",\n\"key\": \"no.pem\" } }",
		"2: tls.key: cannot read no.pem: No such file or directory\n" },
	/* all of them at once */
	{ "{ \"path\": 1,\n\"workers\": \"a\",\n\"log\": { \"level\": 2 } }",
		"1: path: must be a path that begins with \"/\", not 1\n"
		"sluice.json:2: workers: must be a whole number from 0 to 64, not \"a\"\n"
		"sluice.json:3: log.level: must be \"debug\", \"info\", \"warn\" or \"error\", not "
		"2\n" },
};

static void a_bad_file_is_refused_by_line_and_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_files); i++) {
		char lines[1024], variable[64];
		snprintf(lines, sizeof(lines), "sluice.json:%s", bad_files[i].problem);
		snprintf(variable, sizeof(variable), "%s", signed_with);
		assert_refused(bad_files[i].file, ENVIRONMENT(variable),
			(struct settings_flags){ NULL }, lines);
	}
}

/* Words that come from other modules are left open. */
static void a_bad_text_is_refused_with_the_reason(void **state)
{
	(void)state;
	const struct {
		const char *file, *begin;
	} rows[] = {
		{ "{ \"listen\": \"example.com\" }",
			"sluice.json:1: listen: must be ADDRESS:PORT, such as \"0.0.0.0:8080\", or "
			"unix:/PATH, not \"example.com\" (" },
		{ "{ \"admin\": { \"listen\": \"9100\" } }",
			"sluice.json:1: admin.listen: must be ADDRESS:PORT, such as "
			"\"127.0.0.1:9100\", "
			"or unix:/PATH, or \"\" for no admin port, not \"9100\" (" },
		{ "{ \"redis\": { \"url\": \"http://:hunter2@h\" } }",
			"sluice.json:1: redis.url: must be "
			"redis://[user[:password]@]host[:port][/database]"
			", the same with rediss://, or unix:///path?db=0, not the given string (" },
		{ "{ \"channels\": [{ \"match\": \"a*b\", \"allow\": \"session\" }] }",
			"sluice.json:1: channels[0].match: \"a*b\": " },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buffer problems = { 0 };
		assert_null(load_from(rows[i].file, ENVIRONMENT(SECRET),
			(struct settings_flags){ NULL }, &problems));
		struct slice lines = buffer_slice(&problems);
		if (!slice_starts_with(lines, slice_of(rows[i].begin)))
			fail_msg("%.*s", SLICE_ARGS(lines));
		assert_true(lines.len > strlen(rows[i].begin) + 2);
		assert_null(memmem(lines.at, lines.len, "hunter2", 7));
		buffer_finish(&problems);
	}
}

static void a_bad_variable_is_refused_by_name(void **state)
{
	(void)state;
	const struct {
		const char *entry, *problem;
	} rows[] = {
		{ "SLUICE_REDIS_URI=redis://:hunter2@h",
			"SLUICE_REDIS_URI: unknown variable; did you mean SLUICE_REDIS_URL?\n" },
		{ "SLUICE_NOTHING_OF_THE_KIND=hunter2",
			"SLUICE_NOTHING_OF_THE_KIND: unknown variable; every variable that begins "
			"with SLUICE_ must be a setting\n" },
		{ "SLUICE_=1", "SLUICE_: unknown variable; every variable that begins with SLUICE_ "
			       "must be a setting\n" },
		{ "SLUICE_REDIS_PORT=6379",
			"SLUICE_REDIS_PORT: unknown variable; did you mean SLUICE_REDIS_URL?\n" },
		{ "SLUICE_WORKERS=two",
			"SLUICE_WORKERS: workers: must be a whole number from 0 to 64, "
			"not \"two\"\n" },
		{ "SLUICE_WORKERS=",
			"SLUICE_WORKERS: workers: must be a whole number from 0 to 64, "
			"not \"\"\n" },
		{ "SLUICE_SESSION_REQUIRED=1", "SLUICE_SESSION_REQUIRED: session.required: must be "
					       "true or false, not 1\n" },
		{ "SLUICE_PATH=/\xff",
			"SLUICE_PATH: path: must be a path that begins with \"/\", not "
			"the given string (it is not valid UTF-8)\n" },
		{ "SLUICE_ORIGINS=*", "SLUICE_ORIGINS: origins: must be a list of strings, such as "
				      "[\"…\"], not \"*\"\n" },
		{ "SLUICE_SESSION_SECRETS=hunter2", "SLUICE_SESSION_SECRETS: session.secrets: must "
						    "be a list of strings, such as "
						    "[\"…\"], not the given string\n" },
		{ "SLUICE_SESSION_SECRETS=[hunter2]",
			"SLUICE_SESSION_SECRETS:1: is not valid JSON, near column 2\n" },
		{ "SLUICE_LIMITS=5",
			"SLUICE_LIMITS: limits: must be an object, such as { … }, not a number\n" },
		{ "SLUICE_LIMITS={\n\"channels\": 0}", "SLUICE_LIMITS:2: limits.channels: must be "
						       "a whole number from 1 to 65536, not "
						       "0\n" },
		{ "SLUICE_DELIVERY_BATCH_MILLISECONDS=-1",
			"SLUICE_DELIVERY_BATCH_MILLISECONDS: delivery.batch_milliseconds: must be "
			"a "
			"whole number from 0 to 10000, not -1\n" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char entry[128], secrets[64];
		snprintf(entry, sizeof(entry), "%s", rows[i].entry);
		snprintf(secrets, sizeof(secrets), "%s", signed_with);
		assert_refused(NULL, ENVIRONMENT(secrets, entry), (struct settings_flags){ NULL },
			rows[i].problem);
	}
}

static void a_bad_flag_is_refused_by_name(void **state)
{
	(void)state;
	assert_refused(NULL, ENVIRONMENT(SECRET),
		(struct settings_flags){ .workers = "99", .log_level = "" },
		"--workers: workers: must be a whole number from 0 to 64, not 99\n"
		"--log-level: log.level: must be \"debug\", \"info\", \"warn\" or \"error\", not "
		"\"\"\n");
	assert_refused(NULL, ENVIRONMENT(SECRET), (struct settings_flags){ .config = "no.json" },
		"no.json: cannot be read: No such file or directory\n");
	assert_refused(NULL, ENVIRONMENT(SECRET), (struct settings_flags){ .config = "." },
		".: cannot be read: Is a directory\n");
}

static void secrets_are_asked_for(void **state)
{
	(void)state;
	const struct settings_flags none = { NULL };
	assert_refused(NULL, no_environment, none,
		"session.secrets: must have the secret that your backend signs its session cookie "
		"with: \"session\": { \"secrets\": [\"file:/run/secrets/session\"] "
		"}, or "
		"SLUICE_SESSION_SECRETS='[\"…\"]'\n");
	assert_refused("{ \"session\": { \"secrets\":\n[] } }", no_environment, none,
		"sluice.json:1: session.secrets: must have the secret that your backend signs its "
		"session cookie with: \"session\": { \"secrets\": "
		"[\"file:/run/secrets/session\"] }, or SLUICE_SESSION_SECRETS='[\"…\"]'\n");
	assert_refused("{ \"session\": { \"secrets\": [\n\"\", \"file:secret\",\n\"***\" ] } }",
		no_environment, none,
		"sluice.json:1: session.secrets[0]: must not be empty\n"
		"sluice.json:1: session.secrets[1]: must have an absolute path after \"file:\", "
		"such as \"file:/run/secrets/session\"\n"
		"sluice.json:1: session.secrets[2]: must be the secret itself, not the \"***\" "
		"that --print-config shows\n");
	assert_refused("{ \"redis\": { \"url\": \"redis://u:***@h\" } }", ENVIRONMENT(SECRET), none,
		"sluice.json:1: redis.url: must have the password itself, not the \"***\" that "
		"--print-config shows\n");
}

static void a_bad_secret_file_is_named(void **state)
{
	(void)state;
	const struct {
		size_t len; /* of the file; 0: there is none */
		const char *problem;
	} rows[] = {
		{ 0, "cannot read %s: No such file or directory" },
		{ 1, "%s is empty" },
		{ 4097, "cannot read %s: it is larger than 4096 bytes" },
	};
	char path[64], file[256], bytes[4097], problem[256], lines[300];
	snprintf(path, sizeof(path), "%s/empty", folder);
	snprintf(file, sizeof(file), "{ \"session\": { \"secrets\": [\"file:%s\"] } }", path);
	memset(bytes, '\n', sizeof(bytes));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		unlink(path);
		if (rows[i].len)
			write_bytes(path, bytes, rows[i].len);
		const char *mark = strstr(rows[i].problem, "%s");
		snprintf(problem, sizeof(problem), "%.*s%s%s", (int)(mark - rows[i].problem),
			rows[i].problem, path, mark + 2);
		snprintf(lines, sizeof(lines), "sluice.json:1: session.secrets[0]: %s\n", problem);
		assert_refused(file, no_environment, (struct settings_flags){ NULL }, lines);
	}
}

static void a_file_larger_than_a_mebibyte_is_refused(void **state)
{
	(void)state;
	size_t len = (1 << 20) + 1;
	char *bytes = malloc(len);
	assert_non_null(bytes);
	memset(bytes, ' ', len);
	memcpy(bytes + len - 3, "{}\n", 3);
	write_bytes(config_file, bytes + 1, len - 1);
	const struct settings_flags flags = { .config = config_file };
	settings_destroy(load_good(NULL, ENVIRONMENT(SECRET), flags));
	write_bytes(config_file, bytes, len);
	assert_refused(NULL, ENVIRONMENT(SECRET), flags,
		"sluice.json: cannot be read: it is larger than 1 MiB\n");
	free(bytes);
}

static void lists_have_a_limit(void **state)
{
	(void)state;
	assert_refused("{ \"session\": { \"secrets\": [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7] } }",
		ENVIRONMENT(SECRET), (struct settings_flags){ NULL },
		"sluice.json:1: session.secrets: must be a list of at most 16 elements, not 17\n");
}

static void not_every_one_of_many_problems_is_told(void **state)
{
	(void)state;
	struct buffer file = { 0 }, problems = { 0 };
	assert_int_equal(buffer_printf(&file, "{"), 0);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buffer_printf(&file, "\"zzzzzzzzzz%d\":{\"a\":1},\n", i), 0);
	assert_int_equal(buffer_append(&file, "\"path\":1}", 10), 0);
	assert_null(load_from(
		file.bytes, ENVIRONMENT(SECRET), (struct settings_flags){ NULL }, &problems));
	const char end[] = "sluice.json:25: zzzzzzzzzz24: unknown key\n… and more\n";
	assert_int_equal(buffer_append(&problems, "", 1), 0);
	assert_string_equal(problems.bytes + problems.len - sizeof(end), end);
	buffer_finish(&file);
	buffer_finish(&problems);
}

/* ---- hostile input ---- */

static void load_any(const char *bytes, size_t len)
{
	struct buffer problems = { 0 };
	write_bytes(config_file, bytes, len);
	struct settings *settings = settings_load(
		&(struct settings_flags){ .config = config_file }, no_environment, &problems);
	assert_true(settings ? problems.len == 0 : problems.len > 0);
	if (!settings)
		assert_int_equal(problems.bytes[problems.len - 1], '\n');
	buffer_finish(&problems);
	settings_destroy(settings);
}

static void any_file_is_either_loaded_or_refused(void **state)
{
	(void)state;
	static const char octets[] = "\0\"\\,:{}[]/* \n9\xff";
	char bytes[sizeof(full)];
	for (size_t i = 0; i < sizeof(full) - 1; i++) {
		load_any(full, i);
		memcpy(bytes, full, sizeof(full));
		bytes[i] = octets[i % (sizeof(octets) - 1)];
		load_any(bytes, sizeof(full) - 1);
	}
}

static long allocations_left;

static void *allocate_some(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void is_refused_when_memory_ends(void **state)
{
	(void)state;
	write_text(config_file, full);
	cJSON_InitHooks(&(cJSON_Hooks){ allocate_some, free });
	struct settings *settings = NULL;
	for (long n = 0; !settings; n++) {
		struct buffer problems = { 0 };
		allocations_left = n;
		settings = settings_load(&(struct settings_flags){ .config = config_file },
			no_environment, &problems);
		assert_true(settings || problems.len > 0);
		buffer_finish(&problems);
	}
	int error = -ENOMEM;
	for (long n = 0; error; n++) {
		struct buffer text = { 0 };
		allocations_left = n;
		error = settings_print(settings, &text);
		assert_true(error == 0 || (error == -ENOMEM && text.len == 0));
		buffer_finish(&text);
	}
	cJSON_InitHooks(NULL);
	settings_destroy(settings);
}

/* ---- --print-config ---- */

static void what_is_printed_is_a_configuration(void **state)
{
	(void)state;
	const struct settings_flags none = { NULL };
	struct settings *settings = load_good(full, no_environment, none);
	cJSON *root = print(settings);
	settings_destroy(settings);
	cJSON *session = cJSON_GetObjectItemCaseSensitive(root, "session");
	cJSON *redis = cJSON_GetObjectItemCaseSensitive(root, "redis");
	cJSON_ReplaceItemInObjectCaseSensitive(
		session, "secrets", cJSON_Parse("[\"one\", \"two\"]"));
	cJSON_ReplaceItemInObjectCaseSensitive(
		redis, "url", cJSON_CreateString("redis://u:pass@h:6380/4"));
	char *text = cJSON_Print(root);
	cJSON_Delete(root);

	settings = load_good(text, no_environment, none);
	assert_full_session(settings);
	assert_full_limits(settings);
	assert_int_equal(settings->n_rules, 2);
	assert_int_equal(settings->drain_ms, 22);
	settings_destroy(settings);
	cJSON_free(text);
}

static void no_secret_is_printed(void **state)
{
	(void)state;
	struct settings *settings =
		load_good(full, no_environment, (struct settings_flags){ NULL });
	struct buffer text = { 0 };
	assert_int_equal(settings_print(settings, &text), 0);
	assert_null(memmem(text.bytes, text.len, "\"one\"", 5));
	assert_null(memmem(text.bytes, text.len, "pass@", 5));
	assert_non_null(memmem(text.bytes, text.len, "redis://u:***@h:6380/4", 22));
	assert_int_equal(text.bytes[text.len - 1], '\n');
	buffer_finish(&text);
	settings_destroy(settings);
}

/* ---- the command line ---- */

static void flags_come_in_two_forms(void **state)
{
	(void)state;
	char *argv[] = { (char[]){ "sluice" }, (char[]){ "--config" }, (char[]){ "a.json" },
		(char[]){ "--listen=:1" }, (char[]){ "--redis-url" }, (char[]){ "redis://a?b=c" },
		(char[]){ "--workers=3" }, (char[]){ "--log-level" }, (char[]){ "warn" },
		(char[]){ "--probe=http://a/?b=c" }, (char[]){ "--dev" }, (char[]){ "--check" },
		(char[]){ "--print-config" }, (char[]){ "--print-settings" },
		(char[]){ "--version" }, (char[]){ "--help" }, NULL };
	struct settings_flags flags;
	struct buffer problems = { 0 };
	assert_int_equal(settings_read_flags((int)COUNT_OF(argv) - 1, argv, &flags, &problems), 0);
	assert_string_equal(flags.config, "a.json");
	assert_string_equal(flags.listen, ":1");
	assert_string_equal(flags.redis_url, "redis://a?b=c");
	assert_string_equal(flags.workers, "3");
	assert_string_equal(flags.log_level, "warn");
	assert_string_equal(flags.probe, "http://a/?b=c");
	assert_true(flags.dev && flags.check && flags.version && flags.help);
	assert_true(flags.print_config && flags.print_settings);
	assert_int_equal(problems.len, 0);
}

static void no_flag_is_set_by_itself(void **state)
{
	(void)state;
	struct settings_flags flags;
	struct buffer problems = { 0 };
	char *argv[] = { (char[]){ "sluice" }, NULL };
	assert_int_equal(settings_read_flags(1, argv, &flags, &problems), 0);
	assert_memory_equal(&flags, &(struct settings_flags){ NULL }, sizeof(flags));
	assert_int_equal(settings_read_flags(0, argv + 1, &flags, &problems), 0);
}

static void a_bad_command_line_is_refused(void **state)
{
	(void)state;
	const struct {
		const char *first, *second, *problem;
	} rows[] = {
		{ "--lisen", NULL, "--lisen: unknown flag; see sluice --help\n" },
		{ "--redis=redis://:hunter2@h", NULL,
			"--redis: unknown flag; see sluice --help\n" },
		{ "-v", NULL, "-v: unknown flag; see sluice --help\n" },
		{ "--", NULL, "--: unknown flag; see sluice --help\n" },
		{ "redis://:hunter2@h", NULL,
			"expected a flag, such as --config FILE; see sluice --help\n" },
		{ "", NULL, "expected a flag, such as --config FILE; see sluice --help\n" },
		{ "--dev=yes", NULL, "--dev takes no value; see sluice --help\n" },
		{ "--config", NULL, "--config needs a value: --config FILE; see sluice --help\n" },
		{ "--config", "--check",
			"--config needs a value: --config FILE; see sluice --help\n" },
		{ "--check", "--nothing", "--nothing: unknown flag; see sluice --help\n" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char first[64], second[64];
		snprintf(first, sizeof(first), "%s", rows[i].first);
		snprintf(second, sizeof(second), "%s", rows[i].second ? rows[i].second : "");
		char *argv[] = { (char[]){ "sluice" }, first, rows[i].second ? second : NULL,
			NULL };
		struct settings_flags flags;
		struct buffer problems = { 0 };
		assert_int_equal(
			settings_read_flags(rows[i].second ? 3 : 2, argv, &flags, &problems),
			-EINVAL);
		assert_int_equal(buffer_append(&problems, "", 1), 0);
		assert_string_equal(problems.bytes, rows[i].problem);
		buffer_finish(&problems);
	}
}

static void help_knows_every_flag(void **state)
{
	(void)state;
	const char *const words[] = { "--config", "--dev", "--check", "--print-config",
		"--print-settings", "--listen", "--redis-url", "--workers", "--log-level",
		"--probe", "--version", "--help", "Exit status: 0 " };
	for (size_t i = 0; i < COUNT_OF(words); i++)
		assert_non_null(strstr(settings_usage, words[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_of_the_file_lands_in_its_place),
		cmocka_unit_test(a_setting_comes_from_default_file_and_environment),
		cmocka_unit_test(every_setting_has_been_tried),
		cmocka_unit_test(a_flag_has_the_last_word),
		cmocka_unit_test(a_variable_may_hold_a_group),
		cmocka_unit_test(variables_of_others_are_let_through),
		cmocka_unit_test(json_may_have_comments),
		cmocka_unit_test(secrets_may_lie_in_files),
		cmocka_unit_test(only_the_end_of_line_is_taken_off_a_secret),
		cmocka_unit_test(a_secret_that_is_hidden_by_a_higher_source_is_not_read),
		cmocka_unit_test(no_secret_is_needed_without_signature),
		cmocka_unit_test(a_key_of_laravel_is_kept_as_its_octets),
		cmocka_unit_test(another_key_is_none_for_laravel),
		cmocka_unit_test(a_preset_sets_what_nobody_has_set),
		cmocka_unit_test(a_key_wins_over_the_preset),
		cmocka_unit_test(what_is_not_read_is_asked_for_nothing),
		cmocka_unit_test(a_bad_file_is_refused_by_line_and_key),
		cmocka_unit_test(a_bad_text_is_refused_with_the_reason),
		cmocka_unit_test(a_bad_variable_is_refused_by_name),
		cmocka_unit_test(a_bad_flag_is_refused_by_name),
		cmocka_unit_test(secrets_are_asked_for),
		cmocka_unit_test(a_bad_secret_file_is_named),
		cmocka_unit_test(a_file_larger_than_a_mebibyte_is_refused),
		cmocka_unit_test(lists_have_a_limit),
		cmocka_unit_test(not_every_one_of_many_problems_is_told),
		cmocka_unit_test(any_file_is_either_loaded_or_refused),
		cmocka_unit_test(is_refused_when_memory_ends),
		cmocka_unit_test(what_is_printed_is_a_configuration),
		cmocka_unit_test(no_secret_is_printed),
		cmocka_unit_test(flags_come_in_two_forms),
		cmocka_unit_test(no_flag_is_set_by_itself),
		cmocka_unit_test(a_bad_command_line_is_refused),
		cmocka_unit_test(help_knows_every_flag),
	};
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
