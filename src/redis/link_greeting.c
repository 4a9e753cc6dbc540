/* What a link says on its own: AUTH, SELECT and PING when it greets, and then PING again and again.
 *
 * Is Redis there? TCP does not tell when the other machine is gone or the process hangs, so a PING
 * goes out every second while none is unanswered. A PING behind a huge reply, or behind thousands of
 * publications, waits longer, but then bytes come: only periods in which nothing came count, and two
 * of them end the link. So a dead Redis is found within three seconds, and a busy one is left alone.
 *
 * The wait before an attempt begins anew at its shortest when a PING has been answered on a link that
 * was up: a Redis that lets us in and throws us out again is not stormed.
 *
 * What Redis answers becomes the operator's reason, but never holds the password: some proxies quote
 * what they do not understand, so the answer to AUTH is cut at its first quote. */
#include "link_internal.h"

#include <stdio.h>
#include <string.h>

enum {
	REASON_MAX = 256,
	SILENT_PERIODS_MAX = 2,
	/* a deadline is met up to one tick late; this way a PING is never */
	PING_PERIOD_MS = REDIS_PING_MS - DEADLINE_TICK_MS,
};

void redis_link_fail_by_reply(
	struct redis_link *link, const char *command, const struct redisReply *reply)
{
	char reason[REASON_MAX];
	struct slice text = resp_text(reply);
	if (reply->type != REDIS_REPLY_ERROR) {
		snprintf(reason, sizeof(reason), "unexpected reply to %s", command);
		redis_link_fail(link, reason);
		return;
	}
	if (strcmp(command, "AUTH") == 0) {
		for (size_t i = 0; i < text.len; i++) {
			if (strchr("'`\"", text.at[i]))
				text.len = i;
		}
	}
	text.len = MIN(text.len, (size_t)(REASON_MAX / 2));
	snprintf(reason, sizeof(reason), "%s: %.*s", command, SLICE_ARGS(text));
	for (char *c = reason; *c; c++) {
		if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	redis_link_fail(link, reason);
}

/* A command of our own, without which there is no link. */
static void send_own(
	struct redis_link *link, const struct slice *words, size_t n, redis_reply_fn on_reply)
{
	if (link_is_connected(link) && link_send(link, words, n, on_reply, link) != 0)
		redis_link_fail(link, "a command could not be sent");
}

/* ---- up: one PING after the other ---- */

static bool is_pong(const struct redisReply *reply)
{
	if (reply->type == REDIS_REPLY_STATUS)
		return slice_equal(resp_text(reply), SLICE("PONG"));
	return reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 &&
	       slice_equal(resp_text(reply->element[0]), SLICE("pong"));
}

static void on_pong(void *context, const struct redisReply *reply)
{
	struct redis_link *link = context;
	if (!reply)
		return;
	if (!is_pong(reply)) {
		redis_link_fail_by_reply(link, "PING", reply);
		return;
	}
	uint64_t sent = link->ping_sent;
	link->ping_sent = 0;
	link->backoff_ms = REDIS_BACKOFF_FIRST_MS;
	if (link->events->on_round_trip)
		link->events->on_round_trip(link, uv_hrtime() - sent);
}

static void on_ping_due(struct deadline *deadline)
{
	struct redis_link *link = container_of(deadline, struct redis_link, deadline);
	deadline_set(link->deadlines, deadline, PING_PERIOD_MS, on_ping_due);
	link->silent_periods = link->heard || !link->ping_sent ? 0 : link->silent_periods + 1;
	link->heard = false;
	if (link->silent_periods == SILENT_PERIODS_MAX) {
		redis_link_fail(link, "no answer to PING");
	} else if (!link->ping_sent) {
		link->ping_sent = uv_hrtime();
		send_own(link, &SLICE("PING"), 1, on_pong);
	}
}

/* ---- greeting ---- */

static void expect_status(struct redis_link *link, const struct redisReply *reply,
	const char *command, struct slice status)
{
	if (reply && !(reply->type == REDIS_REPLY_STATUS && slice_equal(resp_text(reply), status)))
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
	if (!reply || !link_is_connected(link))
		return;
	link->state = LINK_UP;
	deadline_set(link->deadlines, &link->deadline, PING_PERIOD_MS, on_ping_due);
	link->events->on_up(link);
}

/* All three at once; the first that is refused is the one that the operator hears of. */
void link_greet(struct redis_link *link)
{
	const struct redis_url *url = link->settings->url;
	struct slice user = slice_of(url->user), password = slice_of(url->password);
	if (url->has_password && user.len)
		send_own(link, (struct slice[]){ SLICE("AUTH"), user, password }, 3,
			on_authenticated);
	else if (url->has_password)
		send_own(link, (struct slice[]){ SLICE("AUTH"), password }, 2, on_authenticated);
	if (url->database) {
		char number[16];
		snprintf(number, sizeof(number), "%u", url->database);
		send_own(link, (struct slice[]){ SLICE("SELECT"), slice_of(number) }, 2,
			on_selected);
	}
	send_own(link, &SLICE("PING"), 1, on_greeted);
}
