#include "sluice/gateway/session_record.h"

#include <errno.h>

#include "sluice/base/hash.h"
#include "sluice/base/log.h"

void session_record_commands(
	const struct options *options, struct slice key, struct session_commands *ret_commands)
{
	(void)options;
	ret_commands->n = 1;
	ret_commands->all[0].words[0] = SLICE("GET");
	ret_commands->all[0].words[1] = key;
	ret_commands->all[0].n_words = 2;
}

static enum session_result read_value(
	const struct options *options, struct slice json, struct identity *identity)
{
	const struct session_value_settings settings = {
		.cookie_object = options->session.cookie_object,
		.authenticated = options->session.authenticated,
		.user = options->session.user,
	};
	if (options->session.codec != SESSION_CODEC_JSON ||
		options->session.lookup != SESSION_LOOKUP_STRING ||
		options->session.must_exist.len || options->session.present.len ||
		options->session.expires.len)
		return SESSION_NONE;
	int error = identity_parse(identity, &settings, json);
	/* Nothing has to hold: the key exists, be its value JSON or not. */
	if (error == -EACCES && !settings.authenticated.len) {
		*identity = (struct identity){ 0 };
		error = 0;
	}
	return error == -ENOMEM ? SESSION_UNAVAILABLE : error ? SESSION_NONE : SESSION_GOOD;
}

/* WRONGTYPE is no session, as it is none for connect-redis. Any other error (LOADING, NOPERM, …) says
 * nothing about the session, and the operator has to know. */
static enum session_result read_error(struct slice text)
{
	if (slice_starts_with(text, SLICE("WRONGTYPE")))
		return SESSION_NONE;
	log_warn("session look-up failed", log_slice("reason", text));
	return SESSION_UNAVAILABLE;
}

void session_reading_take(struct session_reading *reading, const struct options *options, size_t i,
	const struct redisReply *reply)
{
	(void)i;
	reading->result = SESSION_UNAVAILABLE;
	if (!reply)
		return;
	switch (reply->type) {
	case REDIS_REPLY_STRING:
		reading->digest = hash_bytes(resp_text(reply));
		reading->result = read_value(options, resp_text(reply), &reading->identity);
		break;
	case REDIS_REPLY_NIL:
		reading->missing = true;
		reading->result = SESSION_NONE;
		break;
	case REDIS_REPLY_ERROR:
		reading->result = read_error(resp_text(reply));
		break;
	default:
		reading->malformed = true;
	}
}

void session_reading_finish(struct session_reading *reading)
{
	if (reading->result == SESSION_GOOD)
		identity_finish(&reading->identity);
	*reading = (struct session_reading){ .result = SESSION_UNAVAILABLE };
}

struct slice session_record_key_of(
	const struct options *options, struct slice changed, char room[SESSION_KEY_MAX])
{
	(void)options;
	(void)room;
	return changed;
}
