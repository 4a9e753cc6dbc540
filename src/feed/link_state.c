#include "sluice/feed/link_state.h"

#include <stdio.h>
#include <string.h>

#include "sluice/base/log.h"

void link_state_init(struct link_state *state, const char *link, unsigned worker)
{
	*state = (struct link_state){ .link = link, .worker = worker, .told = true };
}

void link_state_up(struct link_state *state)
{
	state->reason[0] = '\0';
	atomic_store(&state->up, true);
	if (!state->told)
		return;
	state->told = false;
	log_info("redis link up", log_text("link", state->link),
		log_number("worker", state->worker));
}

static bool may_log(struct link_state *state)
{
	for (size_t i = 0; i < LINK_STATE_BURST; i++)
		if (log_may(&state->quiet_until[i]))
			return true;
	return false;
}

bool link_state_down(struct link_state *state, const char *reason)
{
	bool was_up = atomic_exchange(&state->up, false);
	if (!was_up && strncmp(state->reason, reason, sizeof(state->reason) - 1) == 0)
		return false;
	if (!may_log(state))
		return was_up;
	state->told = true;
	snprintf(state->reason, sizeof(state->reason), "%s", reason);
	log_warn("redis link down", log_text("link", state->link),
		log_number("worker", state->worker), log_text("reason", reason));
	return was_up;
}

bool link_state_is_up(const struct link_state *state)
{
	return atomic_load(&state->up);
}
