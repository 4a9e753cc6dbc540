/* The first commands of a link. All are sent at once; the first that is refused is logged. */
#include <stdio.h>

#include "link_internal.h"

static void expect_status(struct redis_link *link, const struct redisReply *reply,
	const char *command, struct slice status)
{
	if (reply && !(reply->type == REDIS_REPLY_STATUS && slice_equal(reply_text(reply), status)))
		redis_link_fail_by_reply(link, command, reply);
}

static void on_authenticated(void *context, const struct redisReply *reply)
{
	expect_status(context, reply, "AUTH", SLICE("OK"));
}

static void on_selected(void *context, const struct redisReply *reply)
{
	expect_status(context, reply, "SELECT", SLICE("OK"));
}

static void on_greeted(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	expect_status(link, reply, "PING", SLICE("PONG"));
	if (!reply || !redis_transport_is_open(&link->transport))
		return;
	link->up = true;
	redis_transport_accepted(&link->transport);
	link_heartbeat_begin(link);
	link->events->on_up(link);
}

static void authenticate(struct redis_link *link, const struct redis_url *url)
{
	struct slice user = slice_of(url->user), password = slice_of(url->password);
	if (user.len)
		link_send_own(link, (struct slice[]){ SLICE("AUTH"), user, password }, 3,
			on_authenticated);
	else
		link_send_own(
			link, (struct slice[]){ SLICE("AUTH"), password }, 2, on_authenticated);
}

static void select_database(struct redis_link *link, unsigned database)
{
	char number[16];
	snprintf(number, sizeof(number), "%u", database);
	link_send_own(link, (struct slice[]){ SLICE("SELECT"), slice_of(number) }, 2, on_selected);
}

void link_greet(struct redis_link *link)
{
	const struct redis_url *url = link->transport.settings->url;
	if (url->has_password)
		authenticate(link, url);
	if (url->database)
		select_database(link, url->database);
	link_send_own(link, &SLICE("PING"), 1, on_greeted);
}
