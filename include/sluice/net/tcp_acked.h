/* How much of what was sent the peer's TCP has acknowledged. */
#ifndef SLUICE_NET_TCP_ACKED_H
#define SLUICE_NET_TCP_ACKED_H

#include <stdint.h>

/* Bytes since the connection began, modulo 2^32; 0 when the socket is no TCP socket. */
uint32_t tcp_acked(int fd);

#endif
