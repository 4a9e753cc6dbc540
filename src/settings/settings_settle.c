/* What can only be decided when every source has spoken: the preset's defaults for what nobody has
 * set, the files that values name, and settings that need each other. */
#include "settings_internal.h"

#include <errno.h>
#include <unistd.h>

static void settle_redis(struct loading *loading)
{
	if (!loading->n_problems && loading->settings->redis.has_password &&
		strcmp(loading->settings->redis.password, SETTINGS_MASK) == 0)
		loading_problem(loading, loading_given(loading, "redis.url"),
			"redis.url: its password is the \"***\" of --print-config; put the "
			"password "
			"there");
}

static void check_file(struct loading *loading, const char *key, const char *path)
{
	if (access(path, R_OK) != 0)
		loading_problem(loading, loading_given(loading, key), "%s: cannot read %s: %s", key,
			path, strerror(errno));
}

static void settle_tls(struct loading *loading)
{
	const char *certificate = loading->settings->tls_certificate;
	const char *key = loading->settings->tls_key;
	if (!certificate || !key || (!*certificate && !*key))
		return;
	if (!*key)
		loading_problem(loading, loading_given(loading, "tls.certificate"),
			"tls.certificate: needs tls.key too");
	else if (!*certificate)
		loading_problem(loading, loading_given(loading, "tls.key"),
			"tls.key: needs tls.certificate too");
	if (*certificate)
		check_file(loading, "tls.certificate", certificate);
	if (*key)
		check_file(loading, "tls.key", key);
}

/* Each different time is a queue in every worker. */
static void settle_batches(struct loading *loading)
{
	const struct settings *settings = loading->settings;
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
			loading_problem(loading, loading_given(loading, "channels"),
				"channels[%zu].batch_milliseconds: there are more than %d "
				"different "
				"times already, with delivery.batch_milliseconds",
				i, SETTINGS_BATCHES_MAX - 1);
			return;
		}
		times[n++] = ms;
	}
}

void loading_settle(struct loading *loading)
{
	if (loading->no_memory)
		return;
	loading_take_preset(loading);
	loading_settle_session(loading);
	settle_redis(loading);
	settle_tls(loading);
	settle_batches(loading);
}
