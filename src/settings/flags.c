/* The command line: `--flag value` and `--flag=value`. Values of settings are checked later, with
 * those from other sources, when the configuration is loaded. Messages name flags and never their
 * values, because a URL may contain a password. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "problems.h"
#include "sluice/base/defs.h"
#include "sluice/base/slice.h"
#include "sluice/settings/settings.h"

const char settings_usage[] =
	"usage: sluice --config FILE\n"
	"       sluice --dev\n"
	"\n"
	"A WebSocket gateway for Redis: PUBLISH reaches the browsers of logged-in users.\n"
	"\n"
	"  --config FILE          run with this configuration (JSON, comments allowed)\n"
	"  --dev                  run a demo with its own redis-server and a page to try\n"
	"  --check                report the problems of the configuration; exit 0 or 1\n"
	"  --print-config         print the configuration in force, with secrets masked\n"
	"  --print-settings       print a Markdown table of all settings and their defaults\n"
	"  --listen ADDRESS:PORT  where clients connect, or unix:/PATH    (setting listen)\n"
	"  --redis-url URL        redis://, rediss:// or unix://          (setting redis.url)\n"
	"  --workers N            threads; 0: one for each CPU            (setting workers)\n"
	"  --log-level LEVEL      debug, info, warn or error              (setting log.level)\n"
	"  --probe URL            health check: exit 0 if the URL answers 200, else 1\n"
	"  --version              print the version\n"
	"  --help                 print this\n"
	"\n"
	"A flag overrides the environment, which overrides the file, which overrides the default.\n"
	"Every key of the file has an environment variable: limits.queue_bytes is\n"
	"SLUICE_LIMITS_QUEUE_BYTES. In a variable, lists and objects are JSON.\n"
	"\n"
	"  SLUICE_SESSION_SECRETS='[\"file:/run/secrets/session\"]' \\\n"
	"      sluice --config sluice.json --redis-url redis://redis:6379 --log-level debug\n"
	"\n"
	"Exit status: 0 after a drain, 1 bad configuration or command line, 2 cannot start.\n";

struct flag {
	const char *name;
	size_t offset;     /* in struct settings_flags */
	const char *takes; /* what its value is; NULL: it takes none and is a bool */
};

#define AT(member) offsetof(struct settings_flags, member)

static const struct flag known_flags[] = {
	{ "--config", AT(config), "FILE" },
	{ "--dev", AT(dev), NULL },
	{ "--check", AT(check), NULL },
	{ "--print-config", AT(print_config), NULL },
	{ "--print-settings", AT(print_settings), NULL },
	{ "--listen", AT(listen), "ADDRESS:PORT" },
	{ "--redis-url", AT(redis_url), "URL" },
	{ "--workers", AT(workers), "N" },
	{ "--log-level", AT(log_level), "LEVEL" },
	{ "--probe", AT(probe), "URL" },
	{ "--version", AT(version), NULL },
	{ "--help", AT(help), NULL },
	{ "-h", AT(help), NULL },
};

static const struct flag *find(struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(known_flags); i++) {
		if (slice_equal(name, slice_of(known_flags[i].name)))
			return &known_flags[i];
	}
	return NULL;
}

/* Adds one line for the user. -EINVAL, or -ENOMEM if the line could not be added. */
PRINTF_LIKE(2, 3) static int refuse(struct buffer *problems, const char *format, ...)
{
	char message[256];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);
	int error = buffer_printf(problems, "%s; see sluice --help\n", message);
	return error ? error : -EINVAL;
}

static int take_value(struct settings_flags *flags, const struct flag *flag, const char *value,
	struct buffer *problems)
{
	if (!value)
		return refuse(
			problems, "%s needs a value: %s %s", flag->name, flag->name, flag->takes);
	memcpy((char *)flags + flag->offset, &value, sizeof(value));
	return 0;
}

/* Takes the flag at *argument, and the next argument if that is the value of the flag. */
static int take_flag(struct settings_flags *flags, char ***argument, struct buffer *problems)
{
	struct slice value = slice_of(**argument);
	struct slice name = slice_cut(&value, '=');
	const struct flag *flag = find(name);
	if (!slice_starts_with(name, SLICE("-")))
		return refuse(problems, "expected a flag, such as --config FILE");
	if (!flag)
		return refuse(problems, "%.*s: unknown flag",
			(int)MIN(name.len, problems_shown_length(name.at)), name.at);
	++*argument;
	if (!flag->takes && value.at)
		return refuse(problems, "%s takes no value", flag->name);
	if (!flag->takes) {
		*(bool *)((char *)flags + flag->offset) = true;
		return 0;
	}
	if (!value.at && **argument && strncmp(**argument, "--", 2) != 0)
		value = slice_of(*(*argument)++);
	return take_value(flags, flag, value.at, problems);
}

int settings_read_flags(
	int argc, char **argv, struct settings_flags *ret_flags, struct buffer *problems)
{
	*ret_flags = (struct settings_flags){ NULL };
	char **argument = argv + (argc > 0);
	int error = 0;
	while (!error && *argument)
		error = take_flag(ret_flags, &argument, problems);
	return error;
}
