/* A small Redis on scripted wires, which answers the gateway as Redis does or as the script says.
 *
 * It knows AUTH, SELECT, PING, GET, GETDEL, EXPIRE, CLIENT ID, CLIENT TRACKING, CLIENT
 * CACHING, SUBSCRIBE and UNSUBSCRIBE, in RESP2. Whatever browsers send, the gateway must send it well-formed commands and
 * nothing else. Its ACL denies channels whose names begin with "public:denied". A SUBSCRIBE to
 * "public:slow" is not answered.
 *
 * It tracks as Redis does (redis_keys.h): when a key that a link has read changes, the link to which
 * tracking is redirected is notified once. With OPTIN, only keys count that were read by the
 * command behind CLIENT CACHING YES. */
#ifndef SLUICE_TESTS_REDIS_H
#define SLUICE_TESTS_REDIS_H

#include "redis_keys.h"
#include "wire.h"

enum redis_mode {
	REDIS_ANSWERS,
	REDIS_HANGS, /* accepts connections and commands, and never answers */
	REDIS_AWAY,  /* refuses connections */
};

/* What it does not support, as with an old version, a proxy or an ACL. */
enum redis_lack {
	REDIS_LACKS_NOTHING,
	REDIS_LACKS_ID,       /* CLIENT ID gets an error */
	REDIS_LACKS_TRACKING, /* so does CLIENT TRACKING */
	REDIS_LACKS_OPTIN,    /* only with OPTIN */
	REDIS_LACKS_CACHING,  /* CLIENT CACHING gets an error */
	REDIS_LACKS_WORDS,    /* changed keys are not reported */
};

struct redis {
	enum redis_mode mode;
	enum redis_lack lack;
	struct redis_keys keys;
	/* what it has seen */
	unsigned connects, gets, expires;
	bool spoke_raw;
	bool dropped; /* a link was closed, by redis_drop or because of redis_say */
};

/* Starts with these records; the last has no key. */
void redis_begin(struct redis *redis, const struct redis_record *records);
void redis_end(struct redis *redis);

/* Answers what has arrived, and frees links that the gateway has closed. */
void redis_turn(struct redis *redis);

/* To all links that are subscribed to the channel. Returns their number. */
unsigned redis_publish(struct slice channel, struct slice payload);

/* Writes the record, or with neither a value nor an error deletes it, and reports the change. */
void redis_change(struct redis *redis, struct redis_record record);

/* Redis has no room to track the key: it reports a change although there is none. */
void redis_evict(struct redis *redis, const char *key);

/* Deletes all keys, and reports that any may have changed. */
void redis_flush(struct redis *redis);

/* Reports `keys`, in RESP, to all links that listen for changed keys. */
void redis_invalidate(struct redis *redis, struct slice keys);

/* Sends unasked bytes on the n-th link. */
void redis_say(struct redis *redis, unsigned n, struct slice bytes);

/* Closes all links; or only those that are subscribed to something, or only the others. */
void redis_drop(struct redis *redis);
void redis_drop_listeners(struct redis *redis);
void redis_drop_readers(struct redis *redis);

/* The n-th of the links that are subscribed to nothing, oldest first. */
struct wire *redis_reader(unsigned n);

/* The number of links that are subscribed to the channel. */
unsigned redis_subscribers(struct slice channel);

#endif
