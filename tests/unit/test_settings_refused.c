/* Configurations with problems: each is refused with its place, its key and what the key takes. */
#include <errno.h>

#include <cjson/cJSON.h>

#include "configuration.h"

static const char signed_with[] = "SLUICE_SESSION_SECRETS=[\"hunter2\"]";

#define NEEDS_SECRETS \
	"session.secrets: must have the secret that your backend signs its session cookie with: " \
	"\"session\": { \"secrets\": [\"file:/run/secrets/session\"] }, or " \
	"SLUICE_SESSION_SECRETS='[\"…\"]'\n"

static const struct bad_file {
	const char *file, *problem; /* after "sluice.json:" */
	bool without_secret;        /* in the environment */
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
		"1: path: must be a path that begins with \"/\", not \"/ws?a\" (it must be ASCII, "
		"without spaces, \"?\" and \"#\")\n" },
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
	{ "{ \"origins\": true }",
		"1: origins: must be a list of strings, such as [\"…\"], not true\n" },
	{ "{ \"origins\": \"app.example.com\" }",
		"1: origins[0]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not \"app.example.com\"\n" },
	{ "{ \"tls\": { \"ticket_secrets\": \"file:x\" } }",
		"1: tls.ticket_secrets[0]: must have an absolute path after \"file:\", such as "
		"\"file:/run/secrets/session\"\n" },
	{ "{ \"origins\": [\n\"*\",\n\"app.example.com\" ] }",
		"3: origins[1]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not \"app.example.com\"\n" },
	{ "{ \"origins\": [\"https://u:hunter2@h\"] }",
		"1: origins[0]: must be \"same-host\", \"none\", \"*\", or an origin such as "
		"\"https://app.example.com\", not the given string\n" },
	{ "{ \"origins\": [null] }", "1: origins[0]: must be \"same-host\", \"none\", \"*\", or an "
				     "origin such as \"https://app.example.com\", not null\n" },
	{ "{ \"channels\": {} }", "1: channels: must be a list of rules, such as [{ \"match\": "
				  "\"news\", … }], not an object\n" },
	{ "{ \"channels\": [\n\"news\" ] }",
		"2: channels[0]: must be { \"match\": …, \"allow\": \"session\" or \"anyone\", "
		"\"auto\": true or false }, not \"news\"\n" },
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
		"1: channels[0].deny: unknown key; a rule has \"match\", \"allow\", \"auto\" and "
		"\"batch_milliseconds\"\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\",\n"
	  "\"batch_milliseconds\": 1.5 }] }",
		"2: channels[0].batch_milliseconds: must be a whole number from 0 to 10000, not "
		"1.5\n" },
	{ "{ \"channels\": [{ \"match\": \"a\", \"allow\": \"session\",\n"
	  "\"batch_milliseconds\": 10001 }] }",
		"2: channels[0].batch_milliseconds: must be a whole number from 0 to 10000, not "
		"10001\n" },
	/* secrets, files */
	{ "{ \"session\": { \"secrets\": [1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7] } }",
		"1: session.secrets: must be a list of at most 16 elements, not 17\n" },
	{ "{ \"session\": { \"secrets\":\n[] } }", "1: " NEEDS_SECRETS, true },
	{ "{ \"session\": { \"secrets\": [\n\"\", \"file:secret\",\n\"***\" ] } }",
		"1: session.secrets[0]: must not be empty\n"
		"sluice.json:1: session.secrets[1]: must have an absolute path after \"file:\", "
		"such as \"file:/run/secrets/session\"\n"
		"sluice.json:1: session.secrets[2]: must be the secret itself, not the \"***\" "
		"that --print-config shows\n",
		true },
	{ "{ \"session\": { \"preset\": \"laravel\",\n"
	  "\"secrets\": [\"base64:aHVudGVyMg==\", \"\", \"hunter2\"] } }",
		"2: session.secrets[0]: must be an APP_KEY for AES-256: \"base64:\" and 32 bytes "
		"in base64\n"
		"sluice.json:2: session.secrets[1]: must not be empty\n"
		"sluice.json:2: session.secrets[2]: must be an APP_KEY for AES-256: \"base64:\" "
		"and 32 bytes in base64\n",
		true },
	{ "{ \"redis\": { \"url\": \"redis://u:***@h\" } }",
		"1: redis.url: must have the password itself, not the \"***\" that --print-config "
		"shows\n" },
	{ "{ \"redis\": { \"username\": \"u\" } }",
		"1: redis.username: needs redis.password too\n" },
	{ "{ \"redis\": { \"password\": \"***\" } }",
		"1: redis.password: must be the secret itself, not the \"***\" that "
		"--print-config shows\n" },
	{ "{ \"redis\": { \"password\": \"file:/nowhere\" } }",
		"1: redis.password: cannot read /nowhere: No such file or directory\n" },
	{ "{ \"redis\": { \"verify\": \"none\" } }",
		"1: redis.verify: needs TLS: redis.url must begin with rediss\n" },
	{ "{ \"redis\": { \"url\": \"rediss://h\",\n\"certificate\": \"cert.pem\" } }",
		"2: redis.certificate: needs redis.key too\n" },
	{ "{ \"redis\": { \"url\": \"rediss://h\",\n\"ca\": \"no.pem\" } }",
		"2: redis.ca: cannot read no.pem: No such file or directory\n" },
	{ "{ \"redis\": { \"sentinel_password\": \"x\" } }",
		"1: redis.sentinel_password: is for redis+sentinel:// only\n" },
	{ "{ \"redis\": { \"url\": \"redis+sentinel://s1,s2/m\" } }",
		"1: redis.url: this version does not know Sentinel and Cluster yet: name one "
		"server, redis://host:port\n" },
	{ "{ \"session\": { \"secrets\": 5 } }",
		"1: session.secrets: must be a list of strings, such as [\"…\"], not a number\n" },
	{ "{ \"session\": { \"secrets\": [5] } }",
		"1: session.secrets[0]: must be a string, or \"file:/PATH\" for a file with the "
		"secret in it, not a number\n" },
	{ "{ \"tls\": { \"certificate\": \"cert.pem\" } }",
		"1: tls.certificate: needs tls.key too\n" },
	{ "{ \"tls\": { \"key\": \"key.pem\" } }", "1: tls.key: needs tls.certificate too\n" },
	{ "{ \"tls\": { \"certificate\": \"cert.pem\",\n\"key\": \"no.pem\" } }",
		"2: tls.key: cannot read no.pem: No such file or directory\n" },
	/* several problems */
	{ "{ \"path\": 1,\n\"workers\": \"a\",\n\"log\": { \"level\": 2 } }",
		"1: path: must be a path that begins with \"/\", not 1\n"
		"sluice.json:2: workers: must be a whole number from 0 to 64, not \"a\"\n"
		"sluice.json:3: log.level: must be \"debug\", \"info\", \"warn\" or \"error\", not "
		"2\n" },
};

static void names_line_and_key_of_each_problem_in_a_file(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_files); i++) {
		const struct bad_file *row = &bad_files[i];
		char lines[1024], variable[64];
		snprintf(lines, sizeof(lines), "sluice.json:%s", row->problem);
		snprintf(variable, sizeof(variable), "%s", signed_with);
		assert_refused(row->file,
			row->without_secret ? no_environment : ENVIRONMENT(variable), lines);
	}
}

static void asks_for_secrets(void **state)
{
	(void)state;
	assert_refused(NULL, no_environment, NEEDS_SECRETS);
}

/* Ends before the reason, which another module words. */
static void gives_the_reason_for_refusing_a_string(void **state)
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
			"\"127.0.0.1:9100\", or unix:/PATH, or \"\" for no admin port, not "
			"\"9100\" (" },
		{ "{ \"redis\": { \"url\": \"http://:hunter2@h\" } }",
			"sluice.json:1: redis.url: must be "
			"redis://[user:password@]host[:port][/database], unix:///path?db=0, "
			"redis+sentinel://host,host/master or redis+cluster://host,host; over TLS "
			"rediss, not the given string (it must begin with " },
		{ "{ \"redis\": { \"url\": \"redis+sentinel://:hunter2@h\" } }",
			"sluice.json:1: redis.url: must be "
			"redis://[user:password@]host[:port][/database], unix:///path?db=0, "
			"redis+sentinel://host,host/master or redis+cluster://host,host; over TLS "
			"rediss, not the given string (the name of the master is missing" },
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

static void names_a_bad_variable(void **state)
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
		{ "SLUICE_WORKERS=two", "SLUICE_WORKERS: workers: must be a whole number from 0 to "
					"64, not \"two\"\n" },
		{ "SLUICE_WORKERS=", "SLUICE_WORKERS: workers: must be a whole number from 0 to "
				     "64, not \"\"\n" },
		{ "SLUICE_WORKERS=\"2\"", "SLUICE_WORKERS: workers: must be a whole number from 0 "
					  "to 64, not \"\"2\"\"\n" },
		{ "SLUICE_WORKERS=[2]", "SLUICE_WORKERS: workers: must be a whole number from 0 to "
					"64, not a list\n" },
		{ "SLUICE_SESSION_REQUIRED=1", "SLUICE_SESSION_REQUIRED: session.required: must be "
					       "true or false, not 1\n" },
		{ "SLUICE_PATH=/\xff", "SLUICE_PATH: path: must be a path that begins with \"/\", "
				       "not the given string (it is not valid UTF-8)\n" },
		{ "SLUICE_SESSION_SECRETS=", "SLUICE_SESSION_SECRETS: session.secrets[0]: must not "
					     "be empty\n" },
		{ "SLUICE_SESSION_SECRETS=[hunter2]",
			"SLUICE_SESSION_SECRETS:1: is not valid JSON, near column 2\n" },
		{ "SLUICE_LIMITS=5",
			"SLUICE_LIMITS: limits: must be an object, such as { … }, not a number\n" },
		{ "SLUICE_LIMITS={\n\"channels\": 0}", "SLUICE_LIMITS:2: limits.channels: must be "
						       "a whole number from 1 to 65536, not 0\n" },
		{ "SLUICE_DELIVERY_BATCH_MILLISECONDS=-1",
			"SLUICE_DELIVERY_BATCH_MILLISECONDS: delivery.batch_milliseconds: must be "
			"a whole number from 0 to 10000, not -1\n" },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char entry[128], secrets[64];
		snprintf(entry, sizeof(entry), "%s", rows[i].entry);
		snprintf(secrets, sizeof(secrets), "%s", signed_with);
		assert_refused(NULL, ENVIRONMENT(secrets, entry), rows[i].problem);
	}
}

static void names_a_bad_flag(void **state)
{
	(void)state;
	assert_flags_refused(NULL, ENVIRONMENT(SECRET),
		(struct settings_flags){ .workers = "99", .log_level = "" },
		"--workers: workers: must be a whole number from 0 to 64, not 99\n"
		"--log-level: log.level: must be \"debug\", \"info\", \"warn\" or \"error\", not "
		"\"\"\n");
	assert_flags_refused(NULL, ENVIRONMENT(SECRET),
		(struct settings_flags){ .config = "no.json" },
		"no.json: cannot be read: No such file or directory\n");
	assert_flags_refused(NULL, ENVIRONMENT(SECRET), (struct settings_flags){ .config = "." },
		".: cannot be read: Is a directory\n");
}

static void names_a_bad_secret_file(void **state)
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
		assert_refused(file, no_environment, lines);
	}
}

static void refuses_a_file_larger_than_a_mebibyte(void **state)
{
	(void)state;
	size_t len = (1 << 20) + 1;
	char *bytes = malloc(len);
	assert_non_null(bytes);
	memset(bytes, ' ', len);
	memcpy(bytes + len - 3, "{}\n", 3);
	write_bytes(config_file, bytes + 1, len - 1);
	const struct settings_flags flags = { .config = config_file };
	settings_destroy(load_with_flags(NULL, ENVIRONMENT(SECRET), flags));
	write_bytes(config_file, bytes, len);
	assert_flags_refused(NULL, ENVIRONMENT(SECRET), flags,
		"sluice.json: cannot be read: it is larger than 1 MiB\n");
	free(bytes);
}

static void shows_the_first_25_problems(void **state)
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

static void either_loads_or_refuses_a_damaged_file(void **state)
{
	(void)state;
	static const char damage[] = "\0\"\\,:{}[]/* \n9\xff";
	char bytes[sizeof(full)];
	for (size_t i = 0; i < sizeof(full) - 1; i++) {
		load_any(full, i);
		memcpy(bytes, full, sizeof(full));
		bytes[i] = damage[i % (sizeof(damage) - 1)];
		load_any(bytes, sizeof(full) - 1);
	}
}

static long allocations_left;

static void *allocate_some(size_t size)
{
	return allocations_left-- > 0 ? malloc(size) : NULL;
}

static void reports_that_memory_ran_out(void **state)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_line_and_key_of_each_problem_in_a_file),
		cmocka_unit_test(asks_for_secrets),
		cmocka_unit_test(gives_the_reason_for_refusing_a_string),
		cmocka_unit_test(names_a_bad_variable),
		cmocka_unit_test(names_a_bad_flag),
		cmocka_unit_test(names_a_bad_secret_file),
		cmocka_unit_test(refuses_a_file_larger_than_a_mebibyte),
		cmocka_unit_test(shows_the_first_25_problems),
		cmocka_unit_test(either_loads_or_refuses_a_damaged_file),
		cmocka_unit_test(reports_that_memory_ran_out),
	};
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
