/* Makes the commands that read a session from Redis, and evaluates their replies. It does no
 * I/O. */
#ifndef SLUICE_AUTH_SESSION_RECORD_H
#define SLUICE_AUTH_SESSION_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/proto/record/session_key.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/redis/reply.h"
#include "sluice/settings/settings.h"

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

/* What a single reply says. Bits of session_reading.answers. */
enum session_answer {
	SESSION_ANSWER_GOOD = 1,
	SESSION_ANSWER_MISSING = 2,   /* Redis has no such key */
	SESSION_ANSWER_REJECTED = 4,  /* the key exists, but its value is not a log-in */
	SESSION_ANSWER_UNKNOWN = 8,   /* no reply, an error reply, or out of memory */
	SESSION_ANSWER_MALFORMED = 16 /* not a reply to this command: fail the link */
};

enum {
	/* A record of more bytes is read in pieces of about as many steps: of a turn of the loop,
	 * about a millisecond. */
	SESSION_PIECE_WORK = 65536,
	SESSION_TICKET_BYTES_MAX = 65536,
};

/* All replies to the commands of one session. Zero-initialise it first, finish it at the end. */
struct session_reading {
	unsigned answers; /* enum session_answer: those received so far */
	uint64_t digest;  /* of the record; a different one means that the session has changed */
	struct identity identity; /* the user, if the result is SESSION_GOOD */
	/* Why nobody is logged in, a literal for the client and the operator; NULL: the record does
	 * not say so, or there is none. */
	const char *problem;
	bool unfinished;      /* a record is being read, see session_reading_go_on */
	size_t room;          /* set by the owner: bytes of a record that may be kept for that */
	struct buffer record; /* private */
};

/* Takes the reply to command `i`, or NULL if there will be none. If the reply is an error that says
 * nothing about the session, returns its text: one line for the operator, borrowed from the reply.
 * Absent: no such error. If the reading is unfinished afterwards, go on before its result counts; a
 * record for which there is no room counts as unknown. */
struct slice session_reading_take(struct session_reading *reading, const struct settings *settings,
	size_t i, const struct redisReply *reply);

/* Reads one more piece of a record, by the settings that it was taken with. True: there is more. */
bool session_reading_go_on(struct session_reading *reading, const struct settings *settings);

/* The verdict, once every reply has been taken. SESSION_UNAVAILABLE before the first. */
enum session_result session_reading_result(const struct session_reading *reading);

void session_reading_finish(struct session_reading *reading);

/* Reads who is logged in from a ticket, JSON of at most SESSION_TICKET_BYTES_MAX. Beside cookies it
 * has fields of its own: the user is "userId", and nothing else is required. Without cookies, the
 * settings' paths speak of tickets. 0 and an identity that the caller must finish; -EACCES: nobody,
 * or the ticket has expired; -ENOMEM. */
MUST_CHECK int session_record_parse_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity);

/* Maps a key that has changed to the key of the session's record: a change of the key named by
 * session.must_exist concerns the record with the same session id. Any other key is returned as it
 * is. Borrowed from `changed`, or written to `room`. */
struct slice session_record_key_of(
	const struct settings *settings, struct slice changed, char room[SESSION_KEY_MAX]);

#endif
