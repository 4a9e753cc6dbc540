/* How much of what was sent on a socket has reached the peer. */
#ifndef SLUICE_NET_TCP_PROGRESS_H
#define SLUICE_NET_TCP_PROGRESS_H

#include <stdint.h>

/* A Unix socket reports only `outstanding`; the other fields are 0. */
struct tcp_progress {
	uint32_t acked;       /* bytes that the peer's TCP has acknowledged, modulo 2^32 */
	uint32_t window;      /* bytes that it would accept now; grows as its program reads */
	uint32_t outstanding; /* bytes that our kernel still holds: not sent or not acknowledged */
};

struct tcp_progress tcp_progress(int fd);

#endif
