/* How a session lies in Redis: which commands read it, and what their answers mean. No I/O here. */
#ifndef SLUICE_AUTH_SESSION_RECORD_H
#define SLUICE_AUTH_SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/proto/record/session_key.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/redis/resp.h"
#include "sluice/settings/settings.h"

enum session_result {
	SESSION_GOOD,
	SESSION_NONE,        /* no such session, or it is not logged in */
	SESSION_UNAVAILABLE, /* Redis could not be asked, or did not answer as it should */
};

enum { SESSION_COMMANDS_MAX = 2, SESSION_COMMAND_WORDS_MAX = 2 };

/* To be sent in this order; each is answered by one reply. All of them only read, so that Redis tracks
 * the keys for us. The words borrow from what was handed in. */
struct session_commands {
	size_t n;
	struct {
		struct slice words[SESSION_COMMAND_WORDS_MAX];
		size_t n_words;
	} all[SESSION_COMMANDS_MAX];
	char room[SESSION_KEY_MAX];
};

/* Of the session whose record has this key. */
void session_record_commands(
	const struct settings *settings, struct slice key, struct session_commands *ret_commands);

/* What the answers have said so far. Zero-initialised before the first; to be finished. */
struct session_reading {
	enum session_result result;
	bool missing;   /* there is no such key */
	bool malformed; /* an answer that does not belong to its command: the link is to fail */
	struct slice
		problem; /* what Redis says instead of the answer taken last, borrowed from that */
	uint64_t digest; /* of all that was read: another one says that something has changed */
	struct identity identity; /* only if the result is SESSION_GOOD */
};

/* Takes the answer to command `i` (NULL: there will be none). The result is final with the last. */
void session_reading_take(struct session_reading *reading, const struct settings *settings,
	size_t i, const struct redisReply *reply);
void session_reading_finish(struct session_reading *reading);

/* A ticket is a record too, in JSON and without what only a framework wants of its own. With SESSION_GOOD
 * there is an identity that the caller must finish. */
enum session_result session_record_of_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity);

/* The key of the record that is concerned when the key `changed` has changed, if it is one that
 * session_record_commands asks for: itself, or another that has the same session id in it. Borrowed from
 * `changed` or written to `room`; absent: it is none. */
struct slice session_record_key_of(
	const struct settings *settings, struct slice changed, char room[SESSION_KEY_MAX]);

#endif
