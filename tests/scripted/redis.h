/* A small Redis on scripted wires: it answers what the gateway asks, or as the script wants it to.
 *
 * It knows AUTH, SELECT, PING, GET, GETDEL, EXPIRE, CLIENT ID, CLIENT TRACKING, SUBSCRIBE and UNSUBSCRIBE,
 * as RESP2 has them. What it is sent must be well-formed commands and nothing else, whatever browsers send. A
 * channel whose name begins with "public:denied" is one that its ACL denies.
 *
 * It tracks as Redis does by default (redis_keys.h): when what a link has read changes, the link to which
 * that one's words are redirected is told, once. */
#ifndef SLUICE_TESTS_REDIS_H
#define SLUICE_TESTS_REDIS_H

#include "redis_keys.h"
#include "wire.h"

enum redis_mode {
	REDIS_ANSWERS,
	REDIS_HANGS, /* takes connections and commands, and says nothing */
	REDIS_AWAY,  /* refuses connections */
};

/* What it does not do, as an old one, a proxy or an ACL may not. */
enum redis_lack {
	REDIS_LACKS_NOTHING,
	REDIS_LACKS_ID,       /* CLIENT ID gets an error */
	REDIS_LACKS_TRACKING, /* so does CLIENT TRACKING */
	REDIS_LACKS_WORDS,    /* what it should tell of changed keys is lost */
};

struct redis {
	enum redis_mode mode;
	enum redis_lack lack;
	struct redis_keys keys;
	/* what it has seen */
	unsigned connects, gets, expires;
	bool spoke_raw;
	bool dropped; /* a link, by redis_drop, or because of what it was told raw */
};

/* With these records; the last has no key. */
void redis_begin(struct redis *redis, const struct redis_record *records);
void redis_end(struct redis *redis);

/* Answers what has come, and buries links that the gateway has closed. */
void redis_turn(struct redis *redis);

/* To all links that are subscribed to the channel. Gives how many. */
unsigned redis_publish(struct slice channel, struct slice payload);

/* Somebody has written the record, or with neither a value nor an error deleted it: who has read it is
 * told. */
void redis_change(struct redis *redis, struct redis_record record);

/* There is no room to remember who has read the key: they are told, and nothing has changed. */
void redis_evict(struct redis *redis, const char *key);

/* Nothing is left: who is tracked is told that any key may have changed. */
void redis_flush(struct redis *redis);

/* Says to all who listen for changed keys that `keys`, in RESP, have. */
void redis_invalidate(struct redis *redis, struct slice keys);

/* Says something that nobody asked for on the n-th link. */
void redis_say(struct redis *redis, unsigned n, struct slice bytes);

/* Ends all links; or only those that are subscribed to something, or only the others. */
void redis_drop(struct redis *redis);
void redis_drop_listeners(struct redis *redis);
void redis_drop_readers(struct redis *redis);

/* The n-th link of those that are subscribed to nothing, in the order in which they came. */
struct wire *redis_reader(unsigned n);

/* How many links of the process are subscribed to the channel. */
unsigned redis_subscribers(struct slice channel);

#endif
