#include "sluice/auth/tickets.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/auth/expiry.h"

struct ticket_end {
	struct expiry expiry;
	struct tickets *tickets;
	void *owner;
};

struct kept_ticket {
	struct ticket_end *end; /* NULL: it names none */
	struct slice json;      /* follows the key's bytes */
	struct table_key owner; /* the bytes of the pointer to it */
};

static struct kept_ticket *find(const struct tickets *tickets, const void *owner)
{
	struct table_key *key =
		table_find(&tickets->kept, slice_make((const char *)&owner, sizeof(owner)));
	return key ? container_of(key, struct kept_ticket, owner) : NULL;
}

static void on_over(struct expiry *expiry)
{
	struct ticket_end *end = container_of(expiry, struct ticket_end, expiry);
	end->tickets->on_ended(end->owner);
}

static void forget(struct kept_ticket *kept)
{
	if (kept->end)
		expiry_clear(&kept->end->expiry);
	free(kept->end);
	free(kept);
}

/* 0 or -ENOMEM. */
static int set_end(struct tickets *tickets, struct kept_ticket *kept, void *owner, int64_t ends_ms)
{
	if (ends_ms == EXPIRY_NEVER)
		return 0;
	kept->end = calloc(1, sizeof(*kept->end));
	if (!kept->end)
		return -ENOMEM;
	kept->end->tickets = tickets;
	kept->end->owner = owner;
	expiry_set(&kept->end->expiry, tickets->deadlines, ends_ms, on_over);
	return 0;
}

int tickets_keep(struct tickets *tickets, void *owner, struct slice json, int64_t ends_ms)
{
	struct kept_ticket *kept = calloc(1, sizeof(*kept) + sizeof(owner) + json.len);
	if (!kept)
		return -ENOMEM;
	char *copy = (char *)(kept + 1) + sizeof(owner);
	memcpy(copy, json.at, json.len);
	kept->json = slice_make(copy, json.len);
	int error = table_add(
		&tickets->kept, &kept->owner, slice_make((const char *)&owner, sizeof(owner)));
	if (error) {
		free(kept);
		return error;
	}
	error = set_end(tickets, kept, owner, ends_ms);
	if (error)
		tickets_forget(tickets, owner);
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
	forget(kept);
}
