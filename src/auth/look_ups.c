/* A failed look-up says more than a probe, as it is about a session that exists. But a site at night
 * has none for minutes, and an ACL may be changed meanwhile. So a probe sends the commands of a
 * look-up, for a key that session.key makes of an id that no backend has chosen. It is a read like
 * any other: an ACL that allows look-ups allows it.
 *
 * There are a few different keys: the server may belong to a cluster, and then it answers for some
 * and redirects others. There are not many, because Redis may track each. */
#include "sluice/auth/look_ups.h"

#include <stdio.h>

#include "sluice/auth/record/session_record.h"
#include "sluice/base/random.h"

enum { PROBE_KEYS = 16 };

enum fault { UNTRIED, NONE, UNNEEDED, MOVED, OTHER };

static const struct {
	const char *prefix, *text;
} faults[] = {
	[UNTRIED] = { NULL, "no session look-up has been answered yet" },
	[NONE] = { NULL, NULL },
	[UNNEEDED] = { NULL, NULL },
	[MOVED] = { "MOVED ", "session look-ups are redirected (MOVED): the server belongs to a "
			      "cluster, and redis.url does not say so" },
	[OTHER] = { NULL, "session look-ups fail, see the log" },
	{ "ASK ", "session look-ups are redirected (ASK): the server belongs to a cluster, and "
		  "redis.url does not say so" },
	{ "NOPERM ", "Redis' ACL denies session look-ups" },
	{ "LOADING ", "session look-ups fail: Redis is loading its data (LOADING)" },
	{ "BUSY ", "session look-ups fail: Redis is busy with a script (BUSY)" },
	{ "MASTERDOWN ", "session look-ups fail: the server is a replica without its master "
			 "(MASTERDOWN)" },
	{ "CLUSTERDOWN ", "session look-ups fail: the cluster is down (CLUSTERDOWN)" },
	{ "MISCONF ", "session look-ups fail: Redis cannot save its data (MISCONF)" },
	{ "ERR unknown command", "the server does not know the commands of session look-ups: it "
				 "may be a Sentinel, and redis.url does not say so" },
};

static int fault_of(struct slice problem)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++)
		if (faults[i].prefix && slice_starts_with(problem, slice_of(faults[i].prefix)))
			return (int)i;
	return OTHER;
}

void look_ups_note(struct look_ups *look_ups, struct slice problem, uint64_t now_ms)
{
	int fault = atomic_load(&look_ups->fault);
	look_ups->answered_at = now_ms;
	if (problem.at) {
		look_ups->failed_at = now_ms;
		if (fault != MOVED)
			atomic_store(&look_ups->fault, fault_of(problem));
	} else if (fault == UNTRIED ||
		   (fault != MOVED && now_ms - look_ups->failed_at >= LOOK_UPS_HOLD_MS)) {
		atomic_store(&look_ups->fault, NONE);
	}
}

const char *look_ups_problem(const struct look_ups *look_ups)
{
	return faults[atomic_load(&look_ups->fault)].text;
}

/* ---- the probe ---- */

/* Without it, a session makes no difference to anybody. */
static bool are_needed(const struct settings *settings)
{
	bool needed = settings->session.required;
	for (size_t i = 0; i < settings->n_rules; i++)
		needed = needed || settings->rules[i].allow == CHANNEL_ALLOW_SESSION;
	return needed;
}

static void on_reply(void *context, const struct redisReply *reply)
{
	struct look_ups *look_ups = context;
	if (!reply)
		return;
	bool failed = reply->type == REDIS_REPLY_ERROR;
	if (failed)
		metrics_add(look_ups->metrics, METRIC_LOOKUPS_FAILED, 1);
	look_ups_note(
		look_ups, failed ? reply_text(reply) : (struct slice){ 0 }, uv_now(look_ups->loop));
}

static void send_probe(struct look_ups *look_ups)
{
	char sid[64], key[SESSION_KEY_MAX];
	struct session_commands commands;
	const struct settings *settings = *look_ups->settings;
	int len = snprintf(sid, sizeof(sid), "sluiceprobe%08x%08x", look_ups->random,
		look_ups->probes++ % PROBE_KEYS);
	ssize_t key_len = session_key_format(
		settings->session.key, slice_make(sid, (size_t)len), key, sizeof(key));
	if (key_len < 0)
		return;
	session_record_commands(settings, slice_make(key, (size_t)key_len), &commands);
	/* if there is no room for it, there are look-ups enough */
	for (size_t i = 0; i < commands.n; i++)
		(void)!redis_link_command(look_ups->link, commands.all[i].words,
			commands.all[i].n_words, on_reply, look_ups);
}

static void on_due(struct deadline *deadline)
{
	struct look_ups *look_ups = container_of(deadline, struct look_ups, due);
	bool needed = are_needed(*look_ups->settings);
	uint64_t silent = uv_now(look_ups->loop) - look_ups->answered_at;
	deadline_set(look_ups->deadlines, deadline, LOOK_UPS_PROBE_MS, on_due);
	if (!needed)
		atomic_store(&look_ups->fault, UNNEEDED);
	else if (atomic_load(&look_ups->fault) == UNNEEDED)
		atomic_store(&look_ups->fault, UNTRIED);
	if (needed && silent >= LOOK_UPS_PROBE_MS)
		send_probe(look_ups);
}

void look_ups_link_up(struct look_ups *look_ups)
{
	if (!look_ups->random)
		random_bytes(&look_ups->random, sizeof(look_ups->random));
	look_ups->answered_at = 0;
	on_due(&look_ups->due);
}

void look_ups_link_down(struct look_ups *look_ups)
{
	deadline_clear(look_ups->deadlines, &look_ups->due);
	atomic_store(&look_ups->fault, UNTRIED);
}
