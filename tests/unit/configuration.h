/* For tests that load configurations. They run in a folder of their own, so that messages begin
 * with "sluice.json:LINE". */
#ifndef SLUICE_TESTS_CONFIGURATION_H
#define SLUICE_TESTS_CONFIGURATION_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sluice/base/defs.h"
#include "sluice/settings/settings.h"
#include "unit.h"

static const char config_file[] = "sluice.json";
static char *no_environment[] = { NULL };

#define ENVIRONMENT(...) ((char *[]){ __VA_ARGS__, NULL })

/* Of 32 bytes, which laravel needs. */
#define SECRET \
	(char[]) \
	{ \
		"SLUICE_SESSION_SECRETS=[\"0123456789abcdef0123456789abcdef\"]" \
	}

#define assert_slice_equal(slice, text) assert_true(slice_equal(slice, slice_of(text)))

/* Every kind of key, all with different values. */
static const char full[] =
	"{ // every group\n"
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
	"  \"tls_handshakes_per_second\": 29, \"frames_per_second\": 24, \"fragments\": 25, "
	"\"buffered_bytes\": 1048602,\n"
	"  \"incoming_bytes\": 1048603, \"message_seconds\": 0.028 },\n"
	"\"compression\": { \"enabled\": true, \"threshold\": 21 },\n"
	"\"delivery\": { \"batch_milliseconds\": 0, \"on_gap\": \"close\" },\n"
	"\"drain\": { \"seconds\": 0.022 },\n"
	"\"log\": { \"level\": \"warn\", \"format\": \"json\" } }\n";

static inline void write_bytes(const char *path, const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void write_text(const char *path, const char *text)
{
	write_bytes(path, text, strlen(text));
}

/* ---- the folder, with the files that configurations name ---- */

static char folder[] = "/tmp/test_settings.XXXXXX";

static inline int enter_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	write_text("secret", "from a file\n");
	write_text("cert.pem", "");
	write_text("key.pem", "");
	return 0;
}

static inline int leave_folder(void **state)
{
	(void)state;
	const char *const files[] = { config_file, "secret", "cert.pem", "key.pem", "empty" };
	for (size_t i = 0; i < COUNT_OF(files); i++)
		unlink(files[i]);
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

/* ---- loading; `file` is the text of the file, or NULL ---- */

static inline struct settings *load_from(
	const char *file, char **environment, struct settings_flags flags, struct buffer *problems)
{
	if (file) {
		write_text(config_file, file);
		flags.config = config_file;
	}
	return settings_load(&flags, environment, problems);
}

/* Shows the problems of a configuration that should have none. */
static inline struct settings *load_with_flags(
	const char *file, char **environment, struct settings_flags flags)
{
	struct buffer problems = { 0 };
	struct settings *settings = load_from(file, environment, flags, &problems);
	if (!settings)
		print_error("%.*s", SLICE_ARGS(buffer_slice(&problems)));
	assert_non_null(settings);
	assert_int_equal(problems.len, 0);
	return settings;
}

static inline struct settings *load_good(const char *file, char **environment)
{
	return load_with_flags(file, environment, (struct settings_flags){ NULL });
}

/* The problems are exactly these lines. */
static inline void assert_flags_refused(
	const char *file, char **environment, struct settings_flags flags, const char *lines)
{
	struct buffer problems = { 0 };
	assert_null(load_from(file, environment, flags, &problems));
	assert_int_equal(buffer_append(&problems, "", 1), 0);
	assert_string_equal(problems.bytes, lines);
	buffer_finish(&problems);
}

static inline void assert_refused(const char *file, char **environment, const char *lines)
{
	assert_flags_refused(file, environment, (struct settings_flags){ NULL }, lines);
}

#endif
