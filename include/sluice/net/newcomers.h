/* Shares a loop's time between the connections that are open and those that are not open yet, the
 * newcomers. What newcomers have to do (TLS handshakes, requests, accepting them) gets a slice of
 * each loop turn. What does not fit in waits, by address. See newcomers.c. */
#ifndef SLUICE_NET_NEWCOMERS_H
#define SLUICE_NET_NEWCOMERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "sluice/base/defs.h"
#include "sluice/base/list.h"
#include "sluice/base/metrics.h"

enum {
	NEWCOMERS_SLICE_US = 2000, /* of a turn, and one step of a handshake more */
	NEWCOMERS_LANES = 512,
	NEWCOMERS_WAITING_MAX = 16384, /* of one loop */
};

/* How many TLS handshakes all loops of the process may begin in a second. Zero-initialised: no
 * limit. */
struct newcomers_pace {
	_Atomic uint32_t per_second; /* 0: no limit; may change at any time */
	/* private */
	_Atomic uint64_t next_ns; /* uv_hrtime, from which on the next one may begin */
};

/* Newcomers whose addresses have the same hash. */
struct newcomers_lane {
	struct list link;  /* in the ring, while somebody waits here */
	struct list begun; /* struct newcomer, the longest wait first */
	struct list fresh; /* struct newcomer, the shortest wait first */
	size_t waiting;
};

/* Belongs to one connection until it is open; zero-initialised by its owner. */
struct newcomer {
	const char *address; /* text; "": none. Must not change while it waits */
	/* private */
	void *owner;
	struct tls_settings *tls; /* with which its session will begin, with a reference; or NULL */
	struct list link;         /* in a lane, while it waits */
	struct newcomers_lane *lane;
	bool begun; /* work was spent on it already */
};

struct newcomers {
	struct newcomers_pace *pace; /* NULL: no limit */
	struct metrics *metrics;     /* for what is closed unserved; may be NULL */
	/* private */
	void (*serve)(struct newcomer *newcomer);
	void (*drop)(struct newcomer *newcomer);
	uv_prepare_t turn_end;
	uv_idle_t busy;    /* active while somebody waits for the next slice */
	uv_timer_t paused; /* active while all wait for the pace */
	uint64_t spent_ns; /* on newcomers in this turn */
	size_t waiting, begun;
	struct list ring; /* struct newcomers_lane, by .link; the first one is next */
	struct newcomers_lane lanes[NEWCOMERS_LANES];
};

/* `serve`: takes the newcomer's next step. `drop`: closes it, because too many wait. Both may
 * remove any newcomer. Does not keep the loop alive unless somebody waits. Open it after the loop's
 * turn. */
void newcomers_open(struct newcomers *newcomers, uv_loop_t *loop,
	void (*serve)(struct newcomer *newcomer), void (*drop)(struct newcomer *newcomer));
void newcomers_close(struct newcomers *newcomers);

/* There is something to do for the newcomer, which does not wait yet. Either `serve` is called now,
 * or the newcomer waits and is served (or dropped) in one of the next turns: true. */
bool newcomers_ready(struct newcomers *newcomers, struct newcomer *newcomer);

static inline bool newcomer_waits(const struct newcomer *newcomer)
{
	return list_is_linked(&newcomer->link);
}

/* Its TLS handshake begins. From now on it is served before those who have not begun. */
void newcomers_begin(struct newcomers *newcomers, struct newcomer *newcomer);

/* It does not wait any more. May be called at any time. */
void newcomers_remove(struct newcomers *newcomers, struct newcomer *newcomer);

/* Drops up to `n` that wait: the oldest of the address with the most. */
void newcomers_shed(struct newcomers *newcomers, size_t n);

/* Counts time that was spent on newcomers otherwise. */
static inline void newcomers_charge(struct newcomers *newcomers, uint64_t ns)
{
	newcomers->spent_ns += ns;
}

#endif
