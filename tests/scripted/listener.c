/* The functions of sluice/net/listener.h without a socket: what is accepted, the script says (stage.c).
 * It stands before the net floor's own when a program is linked. */
#include "sluice/net/listener.h"

int listener_open(struct listener *listener, uv_loop_t *loop, struct deadlines *deadlines, int fd,
	const struct listener_events *events, void *owner)
{
	(void)loop;
	*listener = (struct listener){
		.events = events, .owner = owner, .fd = fd, .deadlines = deadlines
	};
	return 0;
}

void listener_close(struct listener *listener)
{
	listener->closing = true;
}
