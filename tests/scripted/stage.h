/* The stage of a scripted run: real workers, whose loops the script turns by hand, in one thread.
 *
 *	browsers --wires--> [ worker 0 ] --wires--> a small Redis
 *	         --wires--> [ worker 1 ] --wires-->
 *
 * The whole gateway except its main thread is real: workers, connections, session look-ups, hub,
 * bridge, links, deadlines, quota. Sockets are wires (wire.h), stage_accept is the listener, and
 * time passes when the script says so. There is one stage at a time. */
#ifndef SLUICE_TESTS_STAGE_H
#define SLUICE_TESTS_STAGE_H

#include "redis.h"
#include "sluice/process/worker.h"

enum { STAGE_WORKERS = 2, STAGE_CHANNELS_MAX = 16, STAGE_SOCKETS_MAX = 9 };

struct stage {
	const struct settings *settings;
	struct generation generation; /* that a reload brought */
	struct quota quota;
	struct redis_fixed_place place;
	struct redis_account account;
	struct beats beats;
	struct servers servers;
	struct redis_link_settings redis_settings;
	struct worker_setup setup;
	struct worker workers[STAGE_WORKERS];
	struct bridge *bridges[STAGE_WORKERS];
	unsigned drained, quiet; /* workers that have reported it */
	bool draining;
	/* Of any settings that have been in force: */
	bool admits_anyone;    /* a session is not required */
	bool rejects_by_close; /* a client without a session gets a 101 and is then closed */
	bool believes_ids;     /* a cookie is not signed */
	bool lacked_memory; /* an allocation has failed: an unused channel may remain subscribed */
	struct redis redis;
	unsigned published[STAGE_CHANNELS_MAX]; /* by browser_publish */
};

/* Opens the workers. Redis is up, and no link has connected to it yet. */
void stage_open(struct stage *stage, const struct settings *settings, uint8_t chunking,
	const struct redis_record *records);

/* One turn of Redis and of every worker's loop. */
void stage_turn(struct stage *stage);
void stage_turns(struct stage *stage, unsigned n);

/* Lets time pass in steps, with a turn at each. */
void stage_pass(struct stage *stage, unsigned ms);

/* A browser connects to a worker. Beyond STAGE_SOCKETS_MAX descriptors are short; the browser is
 * then not accepted later, but disconnects. */
void stage_accept(struct stage *stage, unsigned worker, struct wire *wire, const char *ip);

void stage_drain(struct stage *stage);
void stage_reload(struct stage *stage, const struct settings *settings);

/* The sum over the workers. */
int64_t stage_metric(const struct stage *stage, enum metric metric);

/* Ends like the process, and checks that nothing is left: no handle, no connection, no
 * subscription, no byte queued, nothing taken from the quota. Open connections are closed without a
 * close frame. */
void stage_close(struct stage *stage);

#endif
