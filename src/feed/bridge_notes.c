#include <errno.h>
#include <stdlib.h>

#include "bridge_internal.h"
#include "sluice/base/hash.h"

unsigned bridge_home_number(const struct bridge *bridge, struct slice channel)
{
	return (unsigned)(hash_bytes(channel) % bridge->setup.n);
}

int bridge_post_note(struct bridge *to, void (*deliver)(void *owner, void *subject),
	unsigned worker, uint32_t ticket, struct slice name)
{
	struct note *note = malloc(sizeof(*note) + name.len);
	if (!note)
		return -ENOMEM;
	*note = (struct note){
		.to = to, .worker = worker, .ticket = ticket, .name_len = (uint32_t)name.len
	};
	memcpy(note->name, name.at, name.len);
	int error = inbox_post(to->setup.inbox, deliver, note);
	if (error)
		free(note);
	return error;
}
