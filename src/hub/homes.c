#include "sluice/hub/homes.h"

#include <errno.h>
#include <stdlib.h>

struct home_channel {
	uint64_t workers; /* workers that want the channel, one bit for each */
	struct table_key name;
	/* followed by the name and, aligned, by uint32_t tickets[], by worker */
};

static size_t padded(size_t name_len)
{
	return (name_len + sizeof(uint32_t) - 1) / sizeof(uint32_t) * sizeof(uint32_t);
}

static uint32_t *tickets_of(struct home_channel *channel)
{
	return (void *)((char *)(channel + 1) + padded(table_key_bytes(&channel->name).len));
}

static struct home_channel *find(const struct homes *homes, struct slice name)
{
	struct table_key *key = table_find(&homes->channels, name);
	return key ? container_of(key, struct home_channel, name) : NULL;
}

static void destroy(struct homes *homes, struct home_channel *channel)
{
	table_remove(&homes->channels, &channel->name);
	free(channel);
}

static struct home_channel *create(struct homes *homes, struct slice name)
{
	size_t tickets = homes->n_workers * sizeof(uint32_t);
	struct home_channel *channel = calloc(1, sizeof(*channel) + padded(name.len) + tickets);
	if (!channel)
		return NULL;
	if (table_add(&homes->channels, &channel->name, name) != 0) {
		free(channel);
		return NULL;
	}
	return channel;
}

void homes_init(struct homes *homes, unsigned n_workers)
{
	MUST(n_workers <= HOMES_WORKERS_MAX);
	*homes = (struct homes){ .n_workers = n_workers };
}

void homes_finish(struct homes *homes)
{
	TABLE_EACH (key, &homes->channels)
		destroy(homes, container_of(key, struct home_channel, name));
}

int homes_want(struct homes *homes, struct slice name, unsigned worker, uint32_t ticket)
{
	struct home_channel *channel = find(homes, name);
	bool is_new = !channel;
	if (is_new)
		channel = create(homes, name);
	if (!channel)
		return -ENOMEM;
	channel->workers |= UINT64_C(1) << worker;
	tickets_of(channel)[worker] = ticket;
	return is_new;
}

bool homes_unwant(struct homes *homes, struct slice name, unsigned worker)
{
	struct home_channel *channel = find(homes, name);
	if (!channel)
		return false;
	channel->workers &= ~(UINT64_C(1) << worker);
	if (channel->workers)
		return false;
	destroy(homes, channel);
	return true;
}

uint64_t homes_workers(const struct homes *homes, struct slice name)
{
	struct home_channel *channel = find(homes, name);
	return channel ? channel->workers : 0;
}

uint32_t homes_ticket(const struct homes *homes, struct slice name, unsigned worker)
{
	struct home_channel *channel = find(homes, name);
	return channel ? tickets_of(channel)[worker] : 0;
}

size_t homes_count(const struct homes *homes)
{
	return table_count(&homes->channels);
}
