/* Connects the parts of a link.
 *
 *	stream -> resp_reader -> transport -> link_dispatch (link_commands.c) -> the command's sender
 *
 * When the transport fails, on_down is raised last: a pending command's on_reply may close the
 * link, and then on_down is not raised. */
#include "link_internal.h"

static struct redis_link *link_of(struct redis_transport *transport)
{
	return container_of(transport, struct redis_link, transport);
}

static void on_open(struct redis_transport *transport)
{
	link_greet(link_of(transport));
}

static void on_reply(struct redis_transport *transport, const struct redisReply *reply)
{
	link_dispatch(link_of(transport), reply);
}

static bool wants_elements(struct redis_transport *transport)
{
	return link_wants_elements(link_of(transport));
}

static void on_element(struct redis_transport *transport, struct slice text)
{
	link_dispatch_element(link_of(transport), text);
}

static void on_read_end(struct redis_transport *transport)
{
	struct redis_link *link = link_of(transport);
	if (link->events->on_batch_end)
		link->events->on_batch_end(link);
}

static void on_failed(struct redis_transport *transport, const char *reason)
{
	struct redis_link *link = link_of(transport);
	link->up = link->subscribed = false;
	link_heartbeat_end(link);
	link_drop_pending(link);
	if (!link->closing)
		link->events->on_down(link, reason);
}

static void on_closed(struct redis_transport *transport)
{
	struct redis_link *link = link_of(transport);
	link->events->on_closed(link);
}

int redis_link_open(struct redis_link *link, struct stream_loop *shared,
	struct deadlines *deadlines, const struct redis_link_settings *settings,
	const struct redis_link_events *events, void *owner)
{
	static const struct redis_transport_events transport_events = {
		.on_open = on_open,
		.on_reply = on_reply,
		.wants_elements = wants_elements,
		.on_element = on_element,
		.on_read_end = on_read_end,
		.on_failed = on_failed,
		.on_closed = on_closed,
	};
	*link = (struct redis_link){ .owner = owner, .events = events };
	list_init(&link->pending);
	redis_transport_open(&link->transport, shared, deadlines, settings, &transport_events);
	return 0;
}

void redis_link_close(struct redis_link *link)
{
	if (link->closing)
		return;
	link->closing = true;
	link_heartbeat_end(link);
	redis_transport_close(&link->transport);
	link_drop_pending(link);
}

void redis_link_suspect(const struct redis_link *link, const char *reason)
{
	const struct redis_transport *transport = &link->transport;
	redis_place_suspect(transport->settings->place, transport->address.generation, reason);
}
