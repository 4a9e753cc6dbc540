/* A stranger who sends a ClientHello makes us compute for milliseconds and allocate 39 KiB; the
 * message costs the stranger nothing. So both begin only when
 *
 *  - the whole message is here: a part of it, or silence, costs us a socket;
 *  - its sender is still here: who sends and leaves at once, or has left while it waited for its
 *    turn, is not answered. A client cannot end its side before the handshake is done (RFC 8446
 *    §6.1: close_notify is a record like any other).
 *
 * The kernel keeps a part of a message for us, and SO_RCVLOWAT makes it wait for the rest. That is
 * two system calls for each handshake, a thousandth of its price. */
#include "sluice/net/tls/client_hello.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { HEADER = 5, HANDSHAKE = 22, RECORD_MAX = 1 << 14 }; /* RFC 8446 §5.1 */

static bool has_left(int fd)
{
	struct pollfd ask = { .fd = fd, .events = POLLRDHUP };
	return poll(&ask, 1, 0) > 0;
}

/* How many bytes the record has, by as much of it as is here; or -EPROTO. */
static ssize_t record_size(const unsigned char *bytes, size_t len)
{
	if (len > 0 && bytes[0] != HANDSHAKE)
		return -EPROTO;
	if (len < HEADER)
		return HEADER;
	size_t content = (size_t)bytes[3] << 8 | bytes[4];
	return content && content <= RECORD_MAX ? (ssize_t)(HEADER + content) : -EPROTO;
}

ssize_t client_hello_look(int fd, char *scratch, size_t size)
{
	if (has_left(fd))
		return -ECONNRESET;
	ssize_t n = recv(fd, scratch, MIN(size, (size_t)HEADER + RECORD_MAX), MSG_PEEK);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	size_t here = n > 0 ? (size_t)n : 0;
	ssize_t wanted = record_size((const unsigned char *)scratch, here);
	return wanted > 0 && (size_t)wanted <= here ? 0 : wanted;
}

void client_hello_await(int fd, size_t bytes)
{
	const int mark = (int)bytes;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &mark, sizeof(mark));
}
