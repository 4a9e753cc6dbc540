#include "sluice/auth/ticket.h"

#include <errno.h>
#include <stdlib.h>

#include "sluice/base/log.h"
#include "sluice/proto/text/percent.h"

/* ---- in a request ---- */

/* '+' stays '+': a ticket may contain one, but no blank. A ticket may not contain '%', so decoding
 * one that was offered as a subprotocol, where nothing is encoded, cannot change a good one. */
static bool decode(struct slice encoded, char room[SESSION_ID_MAX], struct slice *ret_ticket)
{
	ssize_t len = percent_decode(encoded, room, SESSION_ID_MAX);
	struct slice ticket = slice_make(room, len < 0 ? 0 : (size_t)len);
	if (!session_id_is_plain(ticket))
		return false;
	*ret_ticket = ticket;
	return true;
}

int ticket_find(struct slice query, struct slice offered, char room[SESSION_ID_MAX],
	struct slice *ret_ticket, const char **ret_problem)
{
	struct slice found = offered;
	size_t n = offered.at != NULL;
	while (query.at) {
		struct slice value = slice_cut(&query, '&');
		struct slice name = slice_cut(&value, '=');
		if (!slice_equal(name, SLICE("ticket")))
			continue;
		found = value;
		n++;
	}
	if (n == 0)
		return -ENOENT;
	*ret_problem = n > 1 ? "there is more than one ticket" : "that is no ticket";
	return n == 1 && decode(found, room, ret_ticket) ? 0 : -EACCES;
}

/* ---- in Redis ---- */

struct taking {
	struct redis_link *link;
	struct metrics *metrics;
	struct list waiter; /* struct ticket_waiter, by .link: one, or none if it was cancelled */
};

/* A Redis before 6.2 does not have GETDEL. */
static enum session_result read_error(const struct redisReply *reply)
{
	if (slice_starts_with(reply_text(reply), SLICE("WRONGTYPE")))
		return SESSION_NONE;
	static _Atomic uint64_t quiet_until;
	if (log_may(&quiet_until))
		log_warn("a ticket could not be taken (GETDEL needs Redis 6.2)",
			log_slice("reason", reply_error_reason(reply)));
	return SESSION_UNAVAILABLE;
}

static enum session_result read_reply(struct taking *taking, const struct redisReply *reply)
{
	if (!reply)
		return SESSION_UNAVAILABLE;
	switch (reply->type) {
	case REDIS_REPLY_STRING:
		return SESSION_GOOD;
	case REDIS_REPLY_NIL:
		return SESSION_NONE;
	case REDIS_REPLY_ERROR:
		return read_error(reply);
	default:
		redis_link_fail(taking->link, "unexpected reply while reading a ticket");
		return SESSION_UNAVAILABLE;
	}
}

static void on_reply(void *context, const struct redisReply *reply)
{
	static const enum metric metrics[] = {
		[SESSION_GOOD] = METRIC_LOOKUPS_GOOD,
		[SESSION_NONE] = METRIC_LOOKUPS_MISSING,
		[SESSION_UNAVAILABLE] = METRIC_LOOKUPS_FAILED,
	};
	struct taking *taking = context;
	enum session_result result = read_reply(taking, reply);
	metrics_add(taking->metrics, metrics[result], 1);
	struct list *node = list_pop(&taking->waiter);
	free(taking);
	if (!node)
		return;
	struct ticket_waiter *waiter = container_of(node, struct ticket_waiter, link);
	waiter->on_result(
		waiter, result, result == SESSION_GOOD ? reply_text(reply) : (struct slice){ 0 });
}

int ticket_take(struct redis_link *link, const struct settings *settings, struct metrics *metrics,
	struct slice ticket, bool leave, struct ticket_waiter *waiter)
{
	char key[SESSION_KEY_MAX];
	ssize_t len = session_key_format(settings->session.ticket, ticket, key, sizeof(key));
	struct taking *taking = len < 0 ? NULL : malloc(sizeof(*taking));
	if (!taking)
		return -ENOMEM;
	*taking = (struct taking){ .link = link, .metrics = metrics };
	list_init(&taking->waiter);
	const struct slice words[] = { leave ? SLICE("GET") : SLICE("GETDEL"),
		slice_make(key, (size_t)len) };
	int error = redis_link_command(link, words, COUNT_OF(words), on_reply, taking);
	if (error)
		free(taking);
	else
		list_append(&taking->waiter, &waiter->link);
	return error;
}

void ticket_waiter_cancel(struct ticket_waiter *waiter)
{
	list_remove(&waiter->link);
}

/* ---- its value ---- */

int ticket_parse(const struct settings *settings, struct slice json, struct identity *ret_identity)
{
	return session_record_parse_ticket(settings, json, ret_identity);
}

int ticket_session_key(const struct identity *identity, struct slice *ret_key)
{
	struct identity_texts texts = identity_texts(identity, SLICE("session"));
	*ret_key = identity_texts_next(&texts);
	return ret_key->len || !identity_has(identity, SLICE("session")) ? 0 : -EACCES;
}
