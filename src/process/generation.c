#include "sluice/process/generation.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/log.h"

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool needs_restart(const struct settings *settings, const struct settings *now)
{
	char url[REDIS_URL_MASKED_MAX], now_url[REDIS_URL_MASKED_MAX];
	redis_url_mask(&settings->redis, url, sizeof(url));
	redis_url_mask(&now->redis, now_url, sizeof(now_url));
	return !is_same(settings->listen, now->listen) || settings->workers != now->workers ||
	       settings->sandbox != now->sandbox ||
	       !is_same(settings->admin_listen, now->admin_listen) || !is_same(url, now_url);
}

/* Settings that cannot change at run time keep their values, and a warning is logged. But turning
 * TLS off by mistake would send cookies in the clear, so such a configuration is refused. */
static bool can_follow(const struct settings *settings, const struct settings *now)
{
	if (needs_restart(settings, now))
		log_warn("configuration change needs a restart",
			log_text("keys", "listen, workers, admin.listen, redis.url or sandbox"));
	if (!*settings->tls_certificate == !*now->tls_certificate)
		return true;
	log_error("bad configuration",
		log_text("problem", "tls cannot be turned on or off without a restart"));
	return false;
}

/* False: the reason has been logged. */
static bool make_tls(struct generation *generation)
{
	const struct settings *settings = generation->settings;
	char error[TLS_ERROR_MAX];
	if (!*settings->tls_certificate)
		return true;
	struct tls_server server = {
		.certificate_file = settings->tls_certificate,
		.key_file = settings->tls_key,
		.ticket_secrets = settings->tls_ticket_secrets,
		.n_ticket_secrets = settings->n_tls_ticket_secrets,
		.purpose = "clients of sluice",
	};
	generation->tls = tls_server_create(&server, error);
	if (!generation->tls)
		log_error("bad certificate", log_text("reason", error));
	return generation->tls;
}

struct generation *generation_create(struct settings *settings, struct generation *now)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	if (!generation) {
		log_error("out of memory", log_text("for", "the configuration"));
		settings_destroy(settings);
		return NULL;
	}
	generation->settings = settings;
	if ((now && !can_follow(settings, now->settings)) || !make_tls(generation)) {
		generation_destroy_all(generation);
		return NULL;
	}
	if (now && now->tls)
		tls_server_forget_secrets(now->tls);
	generation->older = now;
	return generation;
}

void generation_forget_older(struct generation *newest)
{
	for (struct generation *older = newest->older; older; older = older->older)
		settings_forget(older->settings);
}

void generation_destroy_all(struct generation *newest)
{
	while (newest) {
		struct generation *older = newest->older;
		tls_settings_destroy(newest->tls);
		settings_destroy(newest->settings);
		free(newest);
		newest = older;
	}
}
