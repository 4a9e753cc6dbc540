/* Redis' URL: the masked URL means the same except for the password. The first byte is the room for
 * another masked URL, which must be cut. */
#include "fuzz.h"
#include "sluice/redis/redis_url.h"

static void check_texts(const struct redis_url *url)
{
	const char *end = url->text + sizeof(url->text);
	const char *texts[] = { url->path, url->master, url->user, url->password, url->ca };
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		MUST(!*texts[i] || (texts[i] >= url->text && texts[i] + strlen(texts[i]) < end));
	MUST(url->n_hosts <= REDIS_HOSTS_MAX && !url->n_hosts == !!*url->path); /* one of the two */
	MUST(url->n_hosts <= 1 || url->kind != REDIS_STANDALONE);
	for (size_t i = 0; i < url->n_hosts; i++) {
		const char *name = url->hosts[i].name;
		MUST(*name && name >= url->text && name + strlen(name) < end);
		MUST(url->hosts[i].port > 0);
	}
	MUST(!!*url->master == (url->kind == REDIS_SENTINEL));
	MUST(url->kind != REDIS_CLUSTER || url->database == 0);
	MUST(!*url->ca || url->tls);
	MUST(url->has_password || (!*url->user && !*url->password));
}

static void check_masked(const struct redis_url *url, const char *masked)
{
	static struct redis_url again;
	if (strlen(masked) > REDIS_URL_MAX)
		return;
	MUST(redis_url_parse(&again, slice_of(masked)) == NULL);
	MUST(again.kind == url->kind && again.tls == url->tls && again.database == url->database);
	MUST(again.n_hosts == url->n_hosts);
	for (size_t i = 0; i < url->n_hosts; i++)
		MUST(again.hosts[i].port == url->hosts[i].port &&
			strcmp(again.hosts[i].name, url->hosts[i].name) == 0);
	MUST(strcmp(again.master, url->master) == 0 && strcmp(again.path, url->path) == 0);
	MUST(strcmp(again.user, url->user) == 0 && strcmp(again.ca, url->ca) == 0);
	MUST(again.has_password == url->has_password);
	MUST(strcmp(again.password, url->has_password ? "***" : "") == 0);
}

static void check_room(const struct redis_url *url, const char *masked, size_t room)
{
	char *small = malloc(room);
	MUST(small && redis_url_mask(url, small, room) == small);
	MUST(strlen(small) == MIN(room - 1, strlen(masked)));
	MUST(strncmp(small, masked, strlen(small)) == 0);
	free(small);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct redis_url url;
	static char masked[REDIS_URL_MASKED_MAX];
	struct slice text = fuzz_copy(fuzz_rest(data, size));
	const char *problem = redis_url_parse(&url, text);
	fuzz_free(text);
	if (problem) {
		MUST(*problem);
		return 0;
	}
	check_texts(&url);
	redis_url_mask(&url, masked, sizeof(masked));
	check_masked(&url, masked);
	check_room(&url, masked, 1u + data[0]);
	return 0;
}
