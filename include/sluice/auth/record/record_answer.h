/* What the bytes of a session's record say. Used by session_record.h, except for tickets. */
#ifndef SLUICE_AUTH_RECORD_RECORD_ANSWER_H
#define SLUICE_AUTH_RECORD_RECORD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/auth/record/record_fields.h"
#include "sluice/base/buffer.h"
#include "sluice/proto/record/session_value.h"
#include "sluice/settings/settings.h"

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
	bool unfinished; /* a record is being read, see session_reading_go_on */
	size_t room;     /* set by the owner: bytes of a record that may be kept for that */
	/* private */
	struct record_fields fields; /* of a hash, so far */
	struct buffer record;
};

/* Reads a record, or begins to. The answer; 0: the reading is unfinished, and the answer follows
 * with session_reading_go_on. */
enum session_answer record_answer_string(
	struct session_reading *reading, const struct settings *settings, struct slice record);

/* The same for a hash, all of whose fields are in reading->fields. */
enum session_answer record_answer_hash(
	struct session_reading *reading, const struct settings *settings);

/* Reads one more piece of a record, by the settings that it was taken with. True: there is more. */
bool session_reading_go_on(struct session_reading *reading, const struct settings *settings);

/* Reads who is logged in from a ticket, JSON of at most SESSION_TICKET_BYTES_MAX. Beside cookies it
 * has fields of its own: the user is "userId", and nothing else is required. Without cookies, the
 * settings' paths speak of tickets. 0 and an identity that the caller must finish; -EACCES: nobody,
 * or the ticket has expired; -ENOMEM. */
MUST_CHECK int session_record_parse_ticket(
	const struct settings *settings, struct slice json, struct identity *ret_identity);

#endif
