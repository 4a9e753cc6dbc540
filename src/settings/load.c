/* How a configuration is loaded:
 *
 *	table's defaults -> file -> environment -> flags -> settle (the preset first)
 *
 * The sources are read in turn, lowest first. Each value is checked at once and overwrites what a
 * lower source has put there, so a bad value is reported even if another source hides it: a file is
 * either good or bad. What depends on several settings is decided at the end.
 *
 * Loading continues after a problem, so that one run reports all problems. No message shows a
 * secret. */
#include "sluice/settings/settings.h"

#include <stdlib.h>

#include "draft.h"
#include "settle.h"
#include "sluice/base/defs.h"
#include "sluice/base/secret.h"
#include "sources.h"

static void load(struct draft *draft, const struct settings_flags *flags, char **environment)
{
	sources_take_defaults(draft);
	bool complete = !flags->config || sources_take_file(draft, flags->config);
	sources_take_environment(draft, environment);
	sources_take_flags(draft, flags);
	if (complete)
		settle(draft, flags->config);
}

struct settings *settings_load(
	const struct settings_flags *flags, char **environment, struct buffer *problems)
{
	struct draft draft = {
		.settings = calloc(1, sizeof(struct settings)),
		.problems = { .lines = problems },
	};
	if (draft.settings)
		load(&draft, flags, environment);
	else
		draft.problems.no_memory = true;
	if (!draft.problems.no_memory && !draft.problems.n)
		return draft.settings;
	problems_finish(&draft.problems);
	settings_destroy(draft.settings);
	return NULL;
}

/* The array and the bytes are the settings' own. */
static void forget(const struct slice **secrets, size_t *n)
{
	for (size_t i = 0; i < *n; i++)
		secret_wipe((void *)(uintptr_t)(*secrets)[i].at, (*secrets)[i].len);
	*n = 0;
}

static void forget_password(const char *password)
{
	if (password)
		secret_wipe((void *)(uintptr_t)password, strlen(password));
}

void settings_forget(struct settings *settings)
{
	const struct slice *texts[] = { &settings->redis.password,
		&settings->redis.sentinel_password };
	if (settings->session.keys)
		secret_wipe((void *)(uintptr_t)settings->session.keys,
			settings->session.n_secrets * sizeof(*settings->session.keys));
	forget_password(settings->redis.url.password);
	forget_password(settings->redis.login.password);
	forget_password(settings->redis.sentinel_login.password);
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		secret_wipe((void *)(uintptr_t)texts[i]->at, texts[i]->len);
	forget(&settings->session.secrets, &settings->session.n_secrets);
	forget(&settings->tls_ticket_secrets, &settings->n_tls_ticket_secrets);
	secret_wipe((void *)(uintptr_t)settings->replay_secret.at, settings->replay_secret.len);
	settings->replay_secret = (struct slice){ 0 };
}

void settings_destroy(struct settings *settings)
{
	if (!settings)
		return;
	arena_wipe(&settings->memory);
	arena_finish(&settings->memory);
	secret_wipe(settings, sizeof(*settings));
	free(settings);
}
