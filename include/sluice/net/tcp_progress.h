/* How far a TCP peer has come with what it was sent. */
#ifndef SLUICE_NET_TCP_PROGRESS_H
#define SLUICE_NET_TCP_PROGRESS_H

#include <stdint.h>

/* All zero when the socket is no TCP socket. */
struct tcp_progress {
	uint32_t acked;  /* bytes that the peer's TCP has acknowledged, modulo 2^32 */
	uint32_t window; /* bytes that it would take now: grows as its program reads */
};

struct tcp_progress tcp_progress(int fd);

#endif
