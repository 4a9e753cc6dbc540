/* Whether all links of the process are on one Redis server. The address of a Redis may lead to two
 * servers: through a balancer, or to the old and the new master during a failover. Then one link
 * tracks sessions for a client that is not there, and publications are lost. Each link tells the run
 * id of its server when it comes up (redis/link.h).
 *
 * The time is the caller's (uv_hrtime, ns). All functions may be called in any thread. */
#ifndef SLUICE_FEED_SERVERS_H
#define SLUICE_FEED_SERVERS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"

enum {
	SERVERS_WORKERS_MAX = 64,
	SERVERS_BACKOFF_FIRST_MS = 500, /* after the first time that links were made anew … */
	SERVERS_BACKOFF_MAX_MS = 4000,  /* … doubled each time */
	SERVERS_CALM_MS = 30000,        /* on one server for so long: the back-off starts over */
	SERVERS_HOPELESS = 4,           /* times in vain until the operator is told so */
};

enum servers_link { SERVERS_COMMAND, SERVERS_SUBSCRIBE, SERVERS_LINKS };

struct servers {
	/* private, under the mutex */
	uv_mutex_t mutex;
	struct servers_worker {
		struct {
			uint64_t run_id; /* 0: the link is down, or its server is not known */
			uint64_t since;
		} links[SERVERS_LINKS];
		uint64_t round; /* the last one that this worker has taken part in */
	} workers[SERVERS_WORKERS_MAX];
	uint64_t round; /* times that links were made anew; the next one not before `next` */
	uint64_t next;
	uint64_t divided; /* when the links were last seen on different servers; 0: never */
	unsigned tries;   /* rounds since they were last on one server */
	bool everything;  /* this round is for all links; else for those that are not on `choice` */
	uint64_t choice;
};

enum servers_news {
	SERVERS_QUIET,
	SERVERS_DIVIDED,  /* the links are on different servers: they are made anew */
	SERVERS_HELPLESS, /* they still are, after SERVERS_HOPELESS rounds */
	SERVERS_UNITED,   /* they are on one server again */
};

/* 0 or a negative errno. */
MUST_CHECK int servers_init(struct servers *servers);
void servers_finish(struct servers *servers);

/* The link has come up on this server; 0: not known, or the link is down. */
void servers_set(struct servers *servers, unsigned worker, enum servers_link link, uint64_t run_id,
	uint64_t now);

/* To be called by each worker ten times a second. Returns what is new for the log, to one worker
 * only; `ret_anew`: for each of the worker's links, whether it is to be made anew now. */
enum servers_news servers_check(
	struct servers *servers, unsigned worker, uint64_t now, bool ret_anew[SERVERS_LINKS]);

/* Are these different servers, as far as is known? */
static inline bool servers_differ(uint64_t run_id, uint64_t other)
{
	return run_id && other && run_id != other;
}

#endif
