#include "sluice/auth/tickets.h"

#include <errno.h>
#include <stdlib.h>

struct kept_ticket {
	void *who;
	struct slice json;      /* follows the key's bytes */
	struct table_key owner; /* the bytes of `who` */
};

static struct kept_ticket *find(const struct tickets *tickets, const void *owner)
{
	struct table_key *key =
		table_find(&tickets->kept, slice_make((const char *)&owner, sizeof(owner)));
	return key ? container_of(key, struct kept_ticket, owner) : NULL;
}

int tickets_keep(struct tickets *tickets, void *owner, struct slice json)
{
	struct kept_ticket *kept = calloc(1, sizeof(*kept) + sizeof(owner) + json.len);
	if (!kept)
		return -ENOMEM;
	char *copy = (char *)(kept + 1) + sizeof(owner);
	memcpy(copy, json.at, json.len);
	kept->who = owner;
	kept->json = slice_make(copy, json.len);
	int error = table_add(
		&tickets->kept, &kept->owner, slice_make((const char *)&owner, sizeof(owner)));
	if (error)
		free(kept);
	return error;
}

struct slice tickets_kept(const struct tickets *tickets, const void *owner)
{
	const struct kept_ticket *kept = find(tickets, owner);
	return kept ? kept->json : (struct slice){ 0 };
}

void tickets_forget(struct tickets *tickets, const void *owner)
{
	struct kept_ticket *kept = find(tickets, owner);
	if (!kept)
		return;
	table_remove(&tickets->kept, &kept->owner);
	free(kept);
}
