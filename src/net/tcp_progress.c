/* A module of its own because <linux/tcp.h>, whose tcp_info has tcpi_bytes_acked and tcpi_snd_wnd,
 * cannot be included beside <netinet/tcp.h>, which libuv's header includes. */
#include "sluice/net/tcp_progress.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct tcp_progress tcp_progress(int fd)
{
	struct tcp_progress progress = { 0 };
	struct tcp_info info = { 0 };
	socklen_t len = sizeof(info);
	int in_kernel = 0;
	if (ioctl(fd, SIOCOUTQ, &in_kernel) == 0)
		progress.outstanding = (uint32_t)in_kernel;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0) {
		progress.acked = (uint32_t)info.tcpi_bytes_acked;
		progress.window = info.tcpi_snd_wnd;
	}
	return progress;
}
