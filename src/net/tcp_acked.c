/* A module of its own because <linux/tcp.h>, whose tcp_info knows tcpi_bytes_acked, cannot stand beside
 * <netinet/tcp.h>, which libuv's header includes. */
#include "sluice/net/tcp_acked.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

uint32_t tcp_acked(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return 0;
	return (uint32_t)info.tcpi_bytes_acked;
}
