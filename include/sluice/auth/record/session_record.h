/* Makes the commands that read a session from Redis, and evaluates their replies. It does no
 * I/O. */
#ifndef SLUICE_AUTH_RECORD_SESSION_RECORD_H
#define SLUICE_AUTH_RECORD_SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/auth/record/record_answer.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/redis/reply.h"

enum session_result {
	SESSION_GOOD,
	SESSION_NONE,        /* there is no such session, or nobody is logged in to it */
	SESSION_UNAVAILABLE, /* Redis could not be asked, or its reply is not conclusive */
};

enum { SESSION_COMMANDS_MAX = 2, SESSION_COMMAND_WORDS_MAX = 2 };

/* The commands that read one session, to be sent in this order; each gets one reply. They only
 * read, so Redis tracks their keys for us. The words borrow from the arguments and from `room`. */
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

/* Takes a string of the reply to the first command, if that is an array (redis_link_take_elements),
 * before the reply itself. */
void session_reading_take_element(
	struct session_reading *reading, const struct settings *settings, struct slice text);

/* Takes the reply to command `i`, or NULL if there will be none. If the reply is an error that says
 * nothing about the session, returns its text: one line for the operator, borrowed from the reply.
 * Absent: no such error. If the reading is unfinished afterwards, go on before its result counts; a
 * record for which there is no room counts as unknown. */
struct slice session_reading_take(struct session_reading *reading, const struct settings *settings,
	size_t i, const struct redisReply *reply);

/* The verdict, once every reply has been taken. SESSION_UNAVAILABLE before the first. */
enum session_result session_reading_result(const struct session_reading *reading);

void session_reading_finish(struct session_reading *reading);

/* Maps a key that has changed to the key of the session's record: a change of the key named by
 * session.must_exist concerns the record with the same session id. Any other key is returned as it
 * is. Borrowed from `changed`, or written to `room`. */
struct slice session_record_key_of(
	const struct settings *settings, struct slice changed, char room[SESSION_KEY_MAX]);

#endif
