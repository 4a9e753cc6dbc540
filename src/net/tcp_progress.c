/* A module of its own because <linux/tcp.h>, whose tcp_info knows these two, cannot stand beside
 * <netinet/tcp.h>, which libuv's header includes. */
#include "sluice/net/tcp_progress.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

struct tcp_progress tcp_progress(int fd)
{
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
		return (struct tcp_progress){ 0 };
	return (struct tcp_progress){ (uint32_t)info.tcpi_bytes_acked, info.tcpi_snd_wnd };
}
