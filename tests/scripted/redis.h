/* A small Redis on scripted wires: it answers what the gateway asks, or as the script wants it to.
 *
 * It knows AUTH, SELECT, PING, GET, CLIENT ID, CLIENT TRACKING, SUBSCRIBE and UNSUBSCRIBE, as RESP2 has
 * them. What it is sent must
 * be well-formed commands and nothing else, whatever browsers send. A channel whose name begins with
 * "public:denied" is one that its ACL denies. */
#ifndef SLUICE_TESTS_REDIS_H
#define SLUICE_TESTS_REDIS_H

#include "wire.h"

enum redis_mode {
	REDIS_ANSWERS,
	REDIS_HANGS, /* takes connections and commands, and says nothing */
	REDIS_AWAY,  /* refuses connections */
};

/* What GET gives for a key: a value, or else an error. */
struct redis_record {
	const char *key, *value, *error;
};

struct redis {
	enum redis_mode mode;
	const struct redis_record *records; /* the last has no key; what is not there is nil */
	/* what it has seen */
	unsigned connects, gets;
	bool spoke_raw;
	bool dropped; /* a link, by redis_drop, or because of what it was told raw */
};

void redis_begin(struct redis *redis, const struct redis_record *records);
void redis_end(struct redis *redis);

/* Answers what has come, and buries links that the gateway has closed. */
void redis_turn(struct redis *redis);

/* To all links that are subscribed to the channel. Gives how many. */
unsigned redis_publish(struct slice channel, struct slice payload);

/* Says something that nobody asked for on the n-th link. */
void redis_say(struct redis *redis, unsigned n, struct slice bytes);

/* Ends all links. */
void redis_drop(struct redis *redis);

/* How many links of the process are subscribed to the channel. */
unsigned redis_subscribers(struct slice channel);

#endif
