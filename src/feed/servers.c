/* The usual case is a failover behind an address: the newest link is on the new server, the older
 * ones still on the old one. So at first all links are made anew, and all come to the new server.
 *
 * If that does not help, the address leads now here, now there, as with a balancer that has two
 * masters behind it. Then only the links that are in the minority are made anew: with any luck they
 * come to the server of the others, and a link that is there already is not risked. The rounds become
 * rarer, up to one in four seconds, so that it costs little to go on, and the process recovers soon
 * after the address has been mended. */
#include "sluice/feed/servers.h"

static const uint64_t MS = 1000000;

static uint64_t run_id_of(const struct servers *servers, unsigned worker, unsigned link)
{
	return servers->workers[worker].links[link].run_id;
}

/* ---- which servers there are ---- */

struct census {
	uint64_t choice; /* the server of most links; of equals the one that came last */
	unsigned best;
	uint64_t newest;
	bool divided, any;
};

static unsigned count(const struct servers *servers, uint64_t run_id, uint64_t *ret_newest)
{
	unsigned n = 0;
	*ret_newest = 0;
	for (unsigned i = 0; i < SERVERS_WORKERS_MAX * SERVERS_LINKS; i++) {
		unsigned worker = i / SERVERS_LINKS, link = i % SERVERS_LINKS;
		if (run_id_of(servers, worker, link) != run_id)
			continue;
		n++;
		*ret_newest = MAX(*ret_newest, servers->workers[worker].links[link].since);
	}
	return n;
}

static void consider(const struct servers *servers, struct census *census, uint64_t run_id)
{
	uint64_t newest;
	if (!run_id || run_id == census->choice)
		return;
	unsigned n = count(servers, run_id, &newest);
	census->divided = census->any;
	census->any = true;
	if (n < census->best || (n == census->best && newest <= census->newest))
		return;
	census->best = n;
	census->newest = newest;
	census->choice = run_id;
}

static struct census take_census(const struct servers *servers)
{
	struct census census = { 0 };
	for (unsigned i = 0; i < SERVERS_WORKERS_MAX * SERVERS_LINKS; i++) {
		uint64_t run_id = run_id_of(servers, i / SERVERS_LINKS, i % SERVERS_LINKS);
		if (run_id && census.any && run_id != census.choice)
			census.divided = true;
		consider(servers, &census, run_id);
	}
	return census;
}

/* ---- rounds ---- */

static enum servers_news begin_round(struct servers *servers, uint64_t choice, uint64_t now)
{
	uint64_t wait = (uint64_t)SERVERS_BACKOFF_FIRST_MS << MIN(servers->tries, 10u);
	servers->next = now + MIN(wait, (uint64_t)SERVERS_BACKOFF_MAX_MS) * MS;
	servers->round++;
	servers->everything = servers->tries == 0;
	servers->choice = choice;
	servers->tries++;
	if (servers->tries == 1)
		return SERVERS_DIVIDED;
	return servers->tries == SERVERS_HOPELESS + 1 ? SERVERS_HELPLESS : SERVERS_QUIET;
}

static enum servers_news look(struct servers *servers, uint64_t now)
{
	struct census census = take_census(servers);
	if (census.divided) {
		servers->divided = now;
		return now >= servers->next ? begin_round(servers, census.choice, now)
					    : SERVERS_QUIET;
	}
	if (!servers->tries || now < servers->divided + SERVERS_CALM_MS * MS)
		return SERVERS_QUIET;
	servers->tries = 0;
	return SERVERS_UNITED;
}

/* Every worker takes part in a round once. */
static void take_part(struct servers *servers, unsigned number, bool anew[SERVERS_LINKS])
{
	struct servers_worker *worker = &servers->workers[number];
	for (unsigned link = 0; link < SERVERS_LINKS; link++) {
		uint64_t run_id = worker->links[link].run_id;
		anew[link] = worker->round != servers->round && run_id &&
			     (servers->everything || run_id != servers->choice);
	}
	worker->round = servers->round;
}

enum servers_news servers_check(
	struct servers *servers, unsigned worker, uint64_t now, bool ret_anew[SERVERS_LINKS])
{
	uv_mutex_lock(&servers->mutex);
	enum servers_news news = look(servers, now);
	take_part(servers, worker, ret_anew);
	uv_mutex_unlock(&servers->mutex);
	return news;
}

/* ---- what the links tell ---- */

void servers_set(struct servers *servers, unsigned worker, enum servers_link link, uint64_t run_id,
	uint64_t now)
{
	uv_mutex_lock(&servers->mutex);
	servers->workers[worker].links[link].run_id = run_id;
	servers->workers[worker].links[link].since = now;
	uv_mutex_unlock(&servers->mutex);
}

int servers_init(struct servers *servers)
{
	*servers = (struct servers){ 0 };
	return uv_mutex_init(&servers->mutex);
}

void servers_finish(struct servers *servers)
{
	uv_mutex_destroy(&servers->mutex);
}
