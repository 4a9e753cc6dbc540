#include "sluice/hub/homes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct home_channel {
	struct table_entry entry;
	uint64_t workers; /* who wants it, a bit each */
	size_t name_len;
	uint32_t tickets[]; /* by worker; the name is behind them */
};

static char *name_of(const struct homes *homes, struct home_channel *channel)
{
	return (char *)(channel->tickets + homes->n_workers);
}

static struct home_channel *find(const struct homes *homes, struct slice name)
{
	struct table_entry *entry = table_find(&homes->channels, name);
	return entry ? container_of(entry, struct home_channel, entry) : NULL;
}

static void destroy(struct homes *homes, struct home_channel *channel)
{
	table_remove(&homes->channels, &channel->entry);
	free(channel);
}

static struct home_channel *create(struct homes *homes, struct slice name)
{
	size_t tickets = homes->n_workers * sizeof(uint32_t);
	struct home_channel *channel = calloc(1, sizeof(*channel) + tickets + name.len);
	if (!channel)
		return NULL;
	channel->name_len = name.len;
	memcpy(name_of(homes, channel), name.at, name.len);
	struct slice key = slice_make(name_of(homes, channel), name.len);
	if (table_add(&homes->channels, &channel->entry, key) != 0) {
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
	TABLE_EACH (entry, &homes->channels)
		destroy(homes, container_of(entry, struct home_channel, entry));
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
	channel->tickets[worker] = ticket;
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
	return channel ? channel->tickets[worker] : 0;
}

size_t homes_count(const struct homes *homes)
{
	return table_count(&homes->channels);
}
