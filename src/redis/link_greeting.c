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

/* Whoever does not tell us is not asked again. */
static void on_info(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	link->server = reply && reply->type == REDIS_REPLY_STRING
			       ? redis_server_info_read(reply_text(reply))
			       : (struct redis_server_info){ 0 };
	link->server_asked = uv_hrtime();
}

static void ask_for_server(struct redis_link *link)
{
	link_send_own(link, (struct slice[]){ SLICE("INFO"), SLICE("server") }, 2, on_info);
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

static void send_auth(
	struct redis_link *link, const struct redis_credentials *as, redis_reply_fn on_reply)
{
	struct slice user = slice_of(as->user), password = slice_of(as->password);
	if (user.len)
		link_send_own(link, (struct slice[]){ SLICE("AUTH"), user, password }, 3, on_reply);
	else
		link_send_own(link, (struct slice[]){ SLICE("AUTH"), password }, 2, on_reply);
}

/* False: the password cannot be read. */
static bool read_credentials(struct redis_link *link, struct redis_credentials *as,
	char problem[REDIS_LOGIN_PROBLEM_MAX])
{
	return redis_account_read(link->transport.settings->account, as, problem);
}

static void authenticate(struct redis_link *link)
{
	struct redis_credentials as;
	char problem[REDIS_LOGIN_PROBLEM_MAX];
	if (read_credentials(link, &as, problem)) {
		link->user_mark = link->sent_user_mark = as.user_mark;
		link->sent_mark = as.mark;
		if (as.has_password)
			send_auth(link, &as, on_authenticated);
	} else {
		redis_link_fail(link, problem);
	}
	redis_credentials_wipe(&as);
}

static void select_database(struct redis_link *link, unsigned database)
{
	char number[16];
	snprintf(number, sizeof(number), "%u", database);
	link_send_own(link, (struct slice[]){ SLICE("SELECT"), slice_of(number) }, 2, on_selected);
}

void link_greet(struct redis_link *link)
{
	unsigned database = link->transport.settings->database;
	authenticate(link);
	if (database)
		select_database(link, database);
	if (link->transport.settings->asks_server)
		ask_for_server(link);
	link_send_own(link, &SLICE("PING"), 1, on_greeted);
}

/* ---- again, when user or password have changed ---- */

static void tell_renewed(struct redis_link *link, const char *problem, bool is_other_user)
{
	if (problem)
		link->sent_mark = 0;
	if (link->events->on_renewed)
		link->events->on_renewed(link, problem, is_other_user);
}

/* A link whose AUTH is refused goes on as who it was. */
static void on_authenticated_again(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	char reason[LINK_REASON_MAX];
	if (!reply)
		return;
	if (reply->type == REDIS_REPLY_STATUS) {
		bool is_other_user = link->user_mark != link->sent_user_mark;
		link->user_mark = link->sent_user_mark;
		tell_renewed(link, NULL, is_other_user);
	} else {
		link_describe(reason, "AUTH", reply);
		tell_renewed(link, reason, false);
	}
}

void redis_link_log_in_again(struct redis_link *link)
{
	struct redis_credentials as;
	char problem[REDIS_LOGIN_PROBLEM_MAX];
	if (!redis_link_is_up(link) || link->subscribed)
		return;
	if (!read_credentials(link, &as, problem)) {
		tell_renewed(link, problem, false);
	} else if (as.has_password && as.mark != link->sent_mark) {
		link->sent_user_mark = as.user_mark;
		link->sent_mark = as.mark;
		send_auth(link, &as, on_authenticated_again);
	}
	redis_credentials_wipe(&as);
}

uint64_t redis_link_run_id(const struct redis_link *link)
{
	return redis_link_is_up(link) ? link->server.run_id : 0;
}

uint64_t redis_link_server_ms(const struct redis_link *link, uint64_t now)
{
	if (!redis_link_is_up(link) || !link->server.time_ms)
		return 0;
	return link->server.time_ms + (now - MIN(now, link->server_asked)) / 1000000;
}

void redis_link_refresh_server(struct redis_link *link)
{
	if (redis_link_is_up(link) && !link->subscribed && link->server.time_ms)
		ask_for_server(link);
}
