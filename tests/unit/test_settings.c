/* Configurations without a problem: what each source and preset sets, and what is printed. */
#include <cjson/cJSON.h>

#include "../../src/settings/presets.h"
#include "../../src/settings/table.h"
#include "configuration.h"

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

/* ---- the sources ---- */

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
	assert_int_equal(settings->limits.tls_handshakes_per_second, 29);
	assert_int_equal(settings->limits.frames_per_second, 24);
	assert_int_equal(settings->limits.fragments, 25);
	assert_int_equal(settings->limits.buffered_bytes, 1048602);
	assert_int_equal(settings->limits.incoming_bytes, 1048603);
	assert_int_equal(settings->limits.message_ms, 28);
}

static void puts_each_key_of_the_file_in_its_place(void **state)
{
	(void)state;
	struct settings *settings = load_good(full, no_environment);
	assert_string_equal(settings->listen, "127.0.0.1:81");
	assert_string_equal(settings->path, "/live");
	assert_int_equal(settings->workers, 3);
	assert_string_equal(settings->tls_certificate, "cert.pem");
	assert_string_equal(settings->tls_key, "key.pem");
	assert_string_equal(settings->admin_listen, "unix:/run/admin");
	assert_string_equal(settings->redis.url.hosts[0].name, "h");
	assert_string_equal(settings->redis.login.password, "pass");
	assert_int_equal(settings->redis.url.database, 4);
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

/* Each setting: its default, and other values in the file and in the environment. */
static const struct source_row {
	const char *key, *variable, *initial;           /* initial: as --print-config prints it */
	const char *in_file, *in_environment, *printed; /* the value of the variable */
} source_rows[] = {
	{ "listen", "SLUICE_LISTEN", "\"0.0.0.0:8080\"", "\":1\"", ":2", "\":2\"" },
	{ "path", "SLUICE_PATH", "\"/ws\"", "\"/a\"", "/b", "\"/b\"" },
	{ "workers", "SLUICE_WORKERS", "0", "64", "2", "2" },
	{ "admin.listen", "SLUICE_ADMIN_LISTEN", "\"127.0.0.1:9100\"", "\":1\"", "", "\"\"" },
	{ "redis.url", "SLUICE_REDIS_URL", "\"redis://127.0.0.1:6379/0\"", "\"redis://a\"",
		"redis://:pw@b:7/3", "\"redis://:***@b:7/3\"" },
	{ "redis.lag_seconds", "SLUICE_REDIS_LAG_SECONDS", "10", "1", "2.5", "2.5" },
	{ "redis.probe", "SLUICE_REDIS_PROBE", "true", "true", "false", "false" },
	{ "replay.secret", "SLUICE_REPLAY_SECRET", "\"\"", "\"a\"", "b", "\"***\"" },
	{ "origins", "SLUICE_ORIGINS", "[\"same-host\",\"none\"]", "[]", " [\"*\"] ", "[\"*\"]" },
	{ "session.preset", "SLUICE_SESSION_PRESET", "\"express\"", "\"express\"", "express",
		"\"express\"" },
	{ "session.cookie", "SLUICE_SESSION_COOKIE", "\"connect.sid\"", "\"a\"", "__Host-b",
		"\"__Host-b\"" },
	{ "session.cookie_encoding", "SLUICE_SESSION_COOKIE_ENCODING", "\"percent\"", "\"none\"",
		"base64", "\"base64\"" },
	{ "session.cookie_prefixes", "SLUICE_SESSION_COOKIE_PREFIXES", "false", "false", "true",
		"true" },
	{ "session.duplicates", "SLUICE_SESSION_DUPLICATES", "\"first\"", "\"last\"", "each",
		"\"each\"" },
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
	{ "session.unverified_seconds", "SLUICE_SESSION_UNVERIFIED_SECONDS", "60", "0", "5", "5" },
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
	{ "limits.tls_handshakes_per_second", "SLUICE_LIMITS_TLS_HANDSHAKES_PER_SECOND", "0", "1",
		"2", "2" },
	{ "limits.frames_per_second", "SLUICE_LIMITS_FRAMES_PER_SECOND", "256", "1", "0", "0" },
	{ "limits.message_bytes", "SLUICE_LIMITS_MESSAGE_BYTES", "65536", "1", "2", "2" },
	{ "limits.fragments", "SLUICE_LIMITS_FRAGMENTS", "128", "1", "2", "2" },
	{ "limits.queue_bytes", "SLUICE_LIMITS_QUEUE_BYTES", "1048576", "1024", "1073741824",
		"1073741824" },
	{ "limits.buffered_bytes", "SLUICE_LIMITS_BUFFERED_BYTES", "268435456", "1048576",
		"4294967295", "4294967295" },
	{ "limits.incoming_bytes", "SLUICE_LIMITS_INCOMING_BYTES", "268435456", "1048576",
		"4294967295", "4294967295" },
	{ "limits.message_seconds", "SLUICE_LIMITS_MESSAGE_SECONDS", "30", "1", "0.01", "0.01" },
	{ "limits.channels", "SLUICE_LIMITS_CHANNELS", "128", "1", "2", "2" },
	{ "limits.process_channels", "SLUICE_LIMITS_PROCESS_CHANNELS", "1000000", "1", "2", "2" },
	{ "limits.publication_bytes", "SLUICE_LIMITS_PUBLICATION_BYTES", "1048576", "1", "2", "2" },
	{ "limits.record_bytes", "SLUICE_LIMITS_RECORD_BYTES", "1048576", "1024", "8388608",
		"8388608" },
	{ "limits.record_depth", "SLUICE_LIMITS_RECORD_DEPTH", "64", "4", "256", "256" },
	{ "limits.header_bytes", "SLUICE_LIMITS_HEADER_BYTES", "8192", "256", "1e4", "10000" },
	{ "limits.handshake_seconds", "SLUICE_LIMITS_HANDSHAKE_SECONDS", "5", "1", "0.01", "0.01" },
	{ "compression.enabled", "SLUICE_COMPRESSION_ENABLED", "false", "false", "true", "true" },
	{ "compression.threshold", "SLUICE_COMPRESSION_THRESHOLD", "256", "0", "2", "2" },
	{ "delivery.batch_milliseconds", "SLUICE_DELIVERY_BATCH_MILLISECONDS", "0", "0", "0", "0" },
	{ "delivery.on_gap", "SLUICE_DELIVERY_ON_GAP", "\"continue\"", "\"close\"", "close",
		"\"close\"" },
	{ "drain.seconds", "SLUICE_DRAIN_SECONDS", "20", "0", "0.0001", "0.001" },
	{ "sandbox", "SLUICE_SANDBOX", "\"auto\"", "\"required\"", "off", "\"off\"" },
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

static void takes_each_setting_from_default_file_and_environment(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(source_rows); i++) {
		const struct source_row *row = &source_rows[i];
		char file[512], variable[512];
		nest(file, sizeof(file), row->key, row->in_file);
		snprintf(variable, sizeof(variable), "%s=%s", row->variable, row->in_environment);

		struct settings *settings = load_good(NULL, ENVIRONMENT(SECRET));
		assert_printed(settings, row->key, row->initial);
		settings_destroy(settings);

		settings = load_good(file, ENVIRONMENT(SECRET, variable));
		assert_printed(settings, row->key, row->printed);
		settings_destroy(settings);

		settings = load_good(NULL, ENVIRONMENT(variable, SECRET));
		assert_printed(settings, row->key, row->printed);
		settings_destroy(settings);
	}
}

static void tries_every_setting(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_count; i++) {
		const char *key = settings_table[i].key;
		bool elsewhere = strncmp(key, "tls.", 4) == 0 ||
				 strcmp(key, "session.secrets") == 0 ||
				 strncmp(key, "redis.", 6) == 0;
		for (size_t j = 0; j < COUNT_OF(source_rows) && !elsewhere; j++)
			elsewhere = strcmp(key, source_rows[j].key) == 0;
		if (!elsewhere)
			fail_msg("no row for %s", key);
	}
}

/* They need each other. */
static void takes_the_settings_of_redis(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"redis\": { \"url\": "
			  "\"rediss://old:gone@h\", \"username\": \"u\",\n"
			  "\"ca\": \"cert.pem\", \"certificate\": \"cert.pem\", "
			  "\"key\": \"key.pem\",\n\"verify\": \"ca\" } }",
			ENVIRONMENT(SECRET, (char[]){ "SLUICE_REDIS_PASSWORD=new" }));
	assert_string_equal(settings->redis.login.user, "u");
	assert_string_equal(settings->redis.login.password, "new");
	assert_true(settings->redis.login.has_password);
	assert_string_equal(settings->redis.login.password_file, "");
	assert_string_equal(settings->redis.ca, "cert.pem");
	assert_int_equal(settings->redis.verify, TLS_VERIFY_CA);
	assert_printed(settings, "redis.password", "\"***\"");
	assert_printed(settings, "redis.verify", "\"ca\"");
	settings_forget(settings);
	assert_string_equal(settings->redis.login.password, "");
	assert_string_equal(settings->redis.url.password, "");
	settings_destroy(settings);
}

static void a_flag_overrides_file_and_environment(void **state)
{
	(void)state;
	const struct settings_flags flags = {
		.listen = ":3", .redis_url = "redis://flag", .workers = "5", .log_level = "error"
	};
	struct settings *settings = load_with_flags(
		"{ \"listen\": \":1\", \"redis\": { \"url\": \"redis://file\" } }",
		ENVIRONMENT(SECRET, (char[]){ "SLUICE_LISTEN=:2" }, (char[]){ "SLUICE_WORKERS=4" }),
		flags);
	assert_string_equal(settings->listen, ":3");
	assert_string_equal(settings->redis.url.hosts[0].name, "flag");
	assert_int_equal(settings->workers, 5);
	assert_int_equal(settings->log_level, LOG_ERROR);
	settings_destroy(settings);
}

static void a_variable_can_set_a_group(void **state)
{
	(void)state;
	struct settings *settings = load_good(
		"{ \"limits\": { \"channels\": 1, \"queue_bytes\": 1024 } }",
		ENVIRONMENT(SECRET, (char[]){ "SLUICE_LIMITS_CHANNELS=3" },
			(char[]){ "SLUICE_LIMITS={\"channels\": 2, \"message_bytes\": 9}" }));
	assert_int_equal(settings->limits.channels, 3);
	assert_int_equal(settings->limits.message_bytes, 9);
	assert_int_equal(settings->limits.queue_bytes, 1024);
	settings_destroy(settings);
}

static void half_open_connections_are_fewer_under_tls(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		unsigned limit;
	} rows[] = {
		{ "{}", 32768 },
		{ "{ \"tls\": { \"certificate\": \"cert.pem\", \"key\": \"key.pem\" } }", 1024 },
		{ "{ \"tls\": { \"certificate\": \"cert.pem\", \"key\": \"key.pem\" },"
		  "  \"limits\": { \"half_open_per_ip\": 32768 } }",
			32768 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct settings *settings = load_good(rows[i].file, ENVIRONMENT(SECRET));
		assert_int_equal(settings->limits.half_open_per_ip, rows[i].limit);
		settings_destroy(settings);
	}
}

static void ignores_variables_of_kubernetes_and_others(void **state)
{
	(void)state;
	settings_destroy(load_good(NULL,
		ENVIRONMENT(SECRET, (char[]){ "PATH=/bin" }, (char[]){ "SLUICEX=1" },
			(char[]){ "SLUICE_LISTEN" }, (char[]){ "SLUICE_SERVICE_HOST=10.0.0.1" },
			(char[]){ "SLUICE_SERVICE_PORT_HTTP=80" },
			(char[]){ "SLUICE_PORT=tcp://10.0.0.1:80" },
			(char[]){ "SLUICE_ADMIN_PORT_9100_TCP_ADDR=10.0.0.1" })));
}

static void allows_comments_and_a_byte_order_mark(void **state)
{
	(void)state;
	struct settings *settings = load_good("\xef\xbb\xbf// first\n{/*a*//**/\"path\"/* \"//\" "
					      "*/:// here\n\"/a//b/*c*/\" }//last",
		ENVIRONMENT(SECRET));
	assert_string_equal(settings->path, "/a//b/*c*/");
	settings_destroy(settings);
}

/* ---- secrets ---- */

static void reads_secrets_from_files(void **state)
{
	(void)state;
	char file[256];
	snprintf(file, sizeof(file),
		"{ \"session\": { \"secrets\": [\"plain\", \"file:%s/secret\"] } }", folder);
	struct settings *settings = load_good(file, no_environment);
	assert_int_equal(settings->session.n_secrets, 2);
	assert_slice_equal(settings->session.secrets[0], "plain");
	assert_slice_equal(settings->session.secrets[1], "from a file");
	assert_printed(settings, "session.secrets", "[\"***\",\"***\"]");
	settings_destroy(settings);
	snprintf(file, sizeof(file),
		"{ \"tls\": { \"ticket_secrets\": [\"file:%s/secret\", \"old\"] } }", folder);
	settings = load_good(file, ENVIRONMENT(SECRET));
	assert_int_equal(settings->n_tls_ticket_secrets, 2);
	assert_slice_equal(settings->tls_ticket_secrets[0], "from a file");
	assert_slice_equal(settings->tls_ticket_secrets[1], "old");
	settings_destroy(settings);
}

/* And forgets both. */
static void prepares_a_key_of_each_secret(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"secrets\": [\"one\", \"two\"] } }", no_environment);
	const struct digest_key *keys = settings->session.keys;
	struct digest expected, digest;
	assert_non_null(keys);
	assert_int_equal(
		digest_make_keyed(DIGEST_SHA256, SLICE("two"), SLICE("sid"), &expected), 0);
	assert_int_equal(digest_make_with(&keys[1], SLICE("sid"), &digest), 0);
	assert_memory_equal(digest.bytes, expected.bytes, expected.len);
	settings_forget(settings);
	static const struct digest_key nothing[2];
	assert_memory_equal(keys, nothing, sizeof(nothing));
	settings_destroy(settings);
	settings = load_good("{ \"session\": { \"signature\": \"none\" } }", no_environment);
	assert_null(settings->session.keys);
	settings_destroy(settings);
}

static void takes_one_string_for_a_list_of_strings(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"secrets\": \"one\" }, \"origins\": \"*\" }",
			ENVIRONMENT((char[]){ "SLUICE_TLS_TICKET_SECRETS=two words" }));
	assert_int_equal(settings->session.n_secrets, 1);
	assert_slice_equal(settings->session.secrets[0], "one");
	assert_int_equal(settings->n_origins, 1);
	assert_slice_equal(settings->origins[0], "*");
	assert_int_equal(settings->n_tls_ticket_secrets, 1);
	assert_slice_equal(settings->tls_ticket_secrets[0], "two words");
	settings_destroy(settings);
}

static void removes_one_line_end_from_a_secret_file(void **state)
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
		struct settings *settings = load_good(NULL, ENVIRONMENT(variable));
		assert_true(slice_equal(settings->session.secrets[0], rows[i].secret));
		settings_destroy(settings);
	}
}

static void does_not_read_the_file_of_an_overridden_secret(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"secrets\": [\"file:/nowhere/at/all\"] } }",
			ENVIRONMENT(SECRET));
	assert_slice_equal(settings->session.secrets[0], "0123456789abcdef0123456789abcdef");
	settings_destroy(settings);
}

static void needs_no_secret_without_a_signature(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"signature\": \"none\" } }", no_environment);
	assert_int_equal(settings->session.n_secrets, 0);
	assert_slice_equal(settings->session.user, "userId");
	settings_destroy(settings);
}

static void decodes_the_keys_of_laravel(void **state)
{
	(void)state;
	struct settings *settings =
		load_good(NULL, ENVIRONMENT((char[]){ "SLUICE_SESSION_PRESET=laravel" },
					(char[]){ "SLUICE_SESSION_SECRETS=[\"base64:"
						  "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\","
						  "\"another key that has 32 octets..\"]" }));
	assert_slice_equal(settings->session.secrets[0], "0123456789abcdef0123456789abcdef");
	assert_slice_equal(settings->session.secrets[1], "another key that has 32 octets..");
	settings_destroy(settings);
}

/* ---- presets ---- */

/* NULL in a column is "". */
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

static void a_preset_sets_the_keys_that_are_not_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(preset_rows); i++) {
		const struct preset_row *row = &preset_rows[i];
		char variable[64];
		snprintf(variable, sizeof(variable), "SLUICE_SESSION_PRESET=%s", row->name);
		struct settings *settings = load_good(NULL, ENVIRONMENT(SECRET, variable));
		assert_printed_text(settings, "session.cookie", row->cookie);
		assert_printed_text(settings, "session.signature", row->signature);
		assert_printed_text(settings, "session.key", row->key);
		assert_printed_text(settings, "session.lookup", row->lookup);
		assert_printed_text(settings, "session.codec", row->codec);
		assert_printed_text(settings, "session.authenticated", row->authenticated);
		assert_printed_text(settings, "session.present", row->present);
		assert_printed_text(settings, "session.user", row->user);
		assert_printed_text(settings, "session.expires", row->expires);
		assert_int_equal(settings->session.cookie_prefixes,
			settings->session.preset == SESSION_PRESET_BETTER_AUTH);
		assert_printed_text(settings, "session.duplicates",
			settings->session.preset == SESSION_PRESET_SPRING ? "each"
			: settings->session.preset == SESSION_PRESET_DJANGO_JSON ||
					settings->session.preset == SESSION_PRESET_STARSESSIONS
				? "last"
				: "first");
		assert_int_equal(settings->session.ticket.len > 0,
			settings->session.preset == SESSION_PRESET_TICKET);
		assert_int_equal(settings->session.must_exist.len > 0,
			settings->session.preset == SESSION_PRESET_SPRING);
		settings_destroy(settings);
	}
	for (size_t i = 0; preset_names[i]; i++)
		assert_string_equal(preset_names[i], preset_rows[i].name);
}

static void a_key_overrides_the_preset(void **state)
{
	(void)state;
	struct settings *settings = load_good(
		"{ \"session\": { \"preset\": \"spring\", \"cookie\": \"S\", \"must_exist\": \"\", "
		"\"cookie_encoding\": \"percent\", \"user\": \"/sessionAttr:user\" } }",
		no_environment);
	assert_slice_equal(settings->session.cookie, "S");
	assert_int_equal(settings->session.cookie_encoding, SESSION_COOKIE_PERCENT);
	assert_int_equal(settings->session.lookup, SESSION_LOOKUP_HASH);
	assert_slice_equal(settings->session.user, "/sessionAttr:user");
	assert_null(settings->session.must_exist.at);
	settings_destroy(settings);
}

static void checks_no_path_in_a_record_that_is_not_read(void **state)
{
	(void)state;
	struct settings *settings =
		load_good("{ \"session\": { \"codec\": \"none\" } }", ENVIRONMENT(SECRET));
	assert_null(settings->session.authenticated.at);
	settings_destroy(settings);
	/* a ticket is read */
	settings = load_good(
		"{ \"session\": { \"preset\": \"ticket\", \"present\": \"a\" } }", no_environment);
	assert_slice_equal(settings->session.present, "a");
	settings_destroy(settings);
}

/* ---- --print-config ---- */

static void prints_a_configuration_that_can_be_loaded(void **state)
{
	(void)state;
	struct settings *settings = load_good(full, no_environment);
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

	settings = load_good(text, no_environment);
	assert_full_session(settings);
	assert_full_limits(settings);
	assert_int_equal(settings->n_rules, 2);
	assert_int_equal(settings->drain_ms, 22);
	settings_destroy(settings);
	cJSON_free(text);
}

static void prints_no_secret(void **state)
{
	(void)state;
	struct settings *settings = load_good(full, no_environment);
	struct buffer text = { 0 };
	assert_int_equal(settings_print(settings, &text), 0);
	assert_null(memmem(text.bytes, text.len, "\"one\"", 5));
	assert_null(memmem(text.bytes, text.len, "pass@", 5));
	assert_non_null(memmem(text.bytes, text.len, "redis://u:***@h:6380/4", 22));
	assert_int_equal(text.bytes[text.len - 1], '\n');
	buffer_finish(&text);
	settings_destroy(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(puts_each_key_of_the_file_in_its_place),
		cmocka_unit_test(takes_each_setting_from_default_file_and_environment),
		cmocka_unit_test(tries_every_setting),
		cmocka_unit_test(takes_the_settings_of_redis),
		cmocka_unit_test(a_flag_overrides_file_and_environment),
		cmocka_unit_test(a_variable_can_set_a_group),
		cmocka_unit_test(half_open_connections_are_fewer_under_tls),
		cmocka_unit_test(ignores_variables_of_kubernetes_and_others),
		cmocka_unit_test(allows_comments_and_a_byte_order_mark),
		cmocka_unit_test(prepares_a_key_of_each_secret),
		cmocka_unit_test(takes_one_string_for_a_list_of_strings),
		cmocka_unit_test(reads_secrets_from_files),
		cmocka_unit_test(removes_one_line_end_from_a_secret_file),
		cmocka_unit_test(does_not_read_the_file_of_an_overridden_secret),
		cmocka_unit_test(needs_no_secret_without_a_signature),
		cmocka_unit_test(decodes_the_keys_of_laravel),
		cmocka_unit_test(a_preset_sets_the_keys_that_are_not_set),
		cmocka_unit_test(a_key_overrides_the_preset),
		cmocka_unit_test(checks_no_path_in_a_record_that_is_not_read),
		cmocka_unit_test(prints_a_configuration_that_can_be_loaded),
		cmocka_unit_test(prints_no_secret),
	};
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
