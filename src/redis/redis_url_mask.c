/* Writes a URL as redis_url_parse would take it, but for the password. */
#include <ctype.h>
#include <stdio.h>

#include "sluice/base/defs.h"
#include "sluice/redis/redis_url.h"

/* A string that grows in the caller's array; what does not fit is left out. */
struct line {
	char *text;
	size_t size, len;
};

static void put(struct line *line, struct slice text)
{
	size_t n = MIN(text.len, line->size - 1 - line->len);
	memcpy(line->text + line->len, text.at, n);
	line->len += n;
	line->text[line->len] = '\0';
}

/* `kept`: punctuation that separates nothing in this part. */
static void put_encoded(struct line *line, const char *text, const char *kept)
{
	for (; *text; text++) {
		char escaped[4] = { *text };
		if (!isalnum((unsigned char)*text) && !strchr(kept, *text))
			snprintf(escaped, sizeof(escaped), "%%%02X", (unsigned char)*text);
		put(line, slice_of(escaped));
	}
}

static void put_host(struct line *line, const struct redis_host *host)
{
	char port[8];
	bool v6 = strchr(host->name, ':') != NULL;
	put(line, slice_of(v6 ? "[" : ""));
	put(line, slice_of(host->name));
	snprintf(port, sizeof(port), "%s:%u", v6 ? "]" : "", host->port);
	put(line, slice_of(port));
}

static void put_scheme(struct line *line, const struct redis_url *url)
{
	static const char *const kinds[] = {
		[REDIS_STANDALONE] = "",
		[REDIS_SENTINEL] = "+sentinel",
		[REDIS_CLUSTER] = "+cluster",
	};
	put(line, slice_of(url->path[0] ? "unix" : url->tls ? "rediss" : "redis"));
	put(line, slice_of(kinds[url->kind]));
	put(line, SLICE("://"));
}

static void put_place(struct line *line, const struct redis_url *url)
{
	for (size_t i = 0; i < url->n_hosts; i++) {
		put(line, slice_of(i ? "," : ""));
		put_host(line, &url->hosts[i]);
	}
	put_encoded(line, url->path, "-._~/");
	put(line, slice_of(url->master[0] ? "/" : ""));
	put_encoded(line, url->master, "-._~");
}

static void put_database(struct line *line, const struct redis_url *url)
{
	char database[24];
	snprintf(database, sizeof(database), "%s%u", url->path[0] ? "?db=" : "/", url->database);
	if (url->kind != REDIS_CLUSTER)
		put(line, slice_of(database));
}

const char *redis_url_mask(const struct redis_url *url, char *text, size_t size)
{
	struct line line = { text, size, 0 };
	put_scheme(&line, url);
	put_encoded(&line, url->user, "-._~");
	put(&line, slice_of(url->has_password ? ":***@" : ""));
	put_place(&line, url);
	put_database(&line, url);
	if (url->ca[0]) {
		put(&line, SLICE("?ca="));
		put_encoded(&line, url->ca, "-._~/");
	}
	return text;
}
