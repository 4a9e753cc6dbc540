#include "sluice/process/generation.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sluice/base/log.h"

static bool is_same(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

static bool is_same_redis(const struct redis_url *url, const struct redis_url *now)
{
	bool same = url->kind == now->kind && url->tls == now->tls &&
		    url->n_hosts == now->n_hosts && url->database == now->database &&
		    is_same(url->path, now->path) && is_same(url->master, now->master);
	for (size_t i = 0; same && i < url->n_hosts; i++)
		same = is_same(url->hosts[i].name, now->hosts[i].name) &&
		       url->hosts[i].port == now->hosts[i].port;
	return same;
}

static bool needs_restart(const struct settings *settings, const struct settings *now)
{
	return !is_same(settings->listen, now->listen) || settings->workers != now->workers ||
	       settings->sandbox != now->sandbox ||
	       !is_same(settings->admin_listen, now->admin_listen) ||
	       !is_same_redis(&settings->redis.url, &now->redis.url);
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

static bool make_redis_tls(struct generation *generation)
{
	const struct settings *settings = generation->settings;
	char error[TLS_ERROR_MAX];
	if (!settings->redis.url.tls)
		return true;
	struct tls_client client = {
		.ca_file = settings->redis.ca,
		.certificate_file = settings->redis.certificate,
		.key_file = settings->redis.key,
		.verify = settings->redis.verify,
	};
	generation->redis_tls = tls_client_create(&client, error);
	if (!generation->redis_tls)
		log_error("bad certificate", log_text("for", "TLS to Redis"),
			log_text("reason", error));
	else if (client.verify == TLS_VERIFY_NONE)
		log_warn("the certificate of Redis is not verified",
			log_text("remedy", "set redis.verify to \"full\", and redis.ca to its "
					   "authority"));
	return generation->redis_tls;
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
	if ((now && !can_follow(settings, now->settings)) || !make_tls(generation) ||
		!make_redis_tls(generation)) {
		generation_destroy_all(generation);
		return NULL;
	}
	const struct generation *first = now ? now : generation;
	while (first->older)
		first = first->older;
	generation->is_same_redis =
		is_same_redis(&first->settings->redis.url, &settings->redis.url);
	if (now && now->tls)
		tls_server_forget_secrets(now->tls);
	generation->older = now;
	return generation;
}

void generation_forget_older(struct generation *newest)
{
	for (struct generation *older = newest->older; older; older = older->older) {
		settings_forget(older->settings);
		if (older->tls)
			tls_server_forget_key(older->tls);
	}
}

void generation_destroy_all(struct generation *newest)
{
	while (newest) {
		struct generation *older = newest->older;
		tls_settings_destroy(newest->tls);
		tls_settings_destroy(newest->redis_tls);
		settings_destroy(newest->settings);
		free(newest);
		newest = older;
	}
}
