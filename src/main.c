/* The program: does what the command line asks for, and exits with the status that --help lists. */
#include <stdio.h>
#include <stdlib.h>

#include "sluice/base/buffer.h"
#include "sluice/base/log.h"
#include "sluice/dev/dev.h"
#include "sluice/dev/dev_site.h"
#include "sluice/process/gateway.h"
#include "sluice/process/probe.h"
#include "sluice/settings/settings.h"

struct process {
	struct settings_flags flags;
	char **environment;
	struct dev dev;
};

static int show_problems(struct buffer *problems)
{
	if (problems->len)
		fprintf(stderr, "%.*s", (int)problems->len, problems->bytes);
	else
		fprintf(stderr, "out of memory\n");
	buffer_finish(problems);
	return EXIT_BAD_CONFIGURATION;
}

/* `error`: of filling `out`, which is finished. */
static int show(struct buffer *out, int error)
{
	if (!error)
		fwrite(out->bytes, 1, out->len, stdout);
	buffer_finish(out);
	return error ? EXIT_BAD_CONFIGURATION : EXIT_SUCCESS;
}

static int print_config(const struct settings *settings)
{
	struct buffer out = { 0 };
	int error = settings_print(settings, &out);
	return show(&out, error);
}

static int print_settings(void)
{
	struct buffer out = { 0 };
	int error = settings_print_table(&out);
	return show(&out, error);
}

static struct settings *reload(void *context)
{
	struct process *process = context;
	struct buffer problems = { 0 };
	struct settings *settings = settings_load(&process->flags, process->environment, &problems);
	struct slice rest = buffer_slice(&problems);
	while (!settings && rest.len) {
		struct slice line = slice_cut(&rest, '\n');
		log_error("bad configuration", log_slice("problem", line));
	}
	if (!settings && !problems.len)
		log_error("out of memory", log_text("for", "the configuration"));
	buffer_finish(&problems);
	return settings;
}

static void on_listening(void *context, const char *listen)
{
	struct process *process = context;
	dev_tell(&process->dev, listen);
}

static int serve(struct process *process, struct settings *settings)
{
	struct site site = dev_site(&process->dev.redis.port);
	const struct gateway_setup setup = {
		.settings = settings,
		.reload = reload,
		.context = process,
		.site = process->flags.dev ? &site : NULL,
		.on_listening = process->flags.dev ? on_listening : NULL,
	};
	return gateway_run(&setup);
}

static int load_and_run(struct process *process)
{
	struct buffer problems = { 0 };
	struct settings *settings = settings_load(&process->flags, process->environment, &problems);
	if (!settings)
		return show_problems(&problems);
	buffer_finish(&problems);
	if (!process->flags.check && !process->flags.print_config)
		return serve(process, settings);
	int status = process->flags.print_config ? print_config(settings) : EXIT_SUCCESS;
	settings_destroy(settings);
	return status;
}

int main(int argc, char **argv, char **environment)
{
	static struct process process;
	struct buffer problems = { 0 };
	if (settings_read_flags(argc, argv, &process.flags, &problems) != 0)
		return show_problems(&problems);
	if (process.flags.help)
		return fputs(settings_usage, stdout) < 0;
	if (process.flags.version)
		return puts("sluice " SLUICE_VERSION) < 0;
	if (process.flags.print_settings)
		return print_settings();
	if (process.flags.probe)
		return probe(process.flags.probe);
	process.environment = settings_hide(&process.flags, environment);
	if (!process.environment)
		return show_problems(&problems);
	if (!process.flags.dev)
		return load_and_run(&process);
	int status = EXIT_CANNOT_START;
	if (dev_start(&process.dev, &process.flags) == 0)
		status = load_and_run(&process);
	dev_stop(&process.dev);
	return status;
}
