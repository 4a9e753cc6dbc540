/* sluice/net/listener.h without a socket: the script says what is accepted (stage.c). It precedes
 * the net floor's listener in the link order. */
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
