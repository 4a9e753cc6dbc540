#include "redis.h"

#include <errno.h>
#include <stdlib.h>

#include "allocations.h"

enum { WORDS_MAX = 513, CHANNEL_MAX = 300 };

struct redis_channel {
	struct list link;
	size_t name_len;
	char name[];
};

/* Redis' end of a link. */
struct redis_client {
	struct wire *wire;
	size_t read;          /* of wire->received */
	struct list channels; /* struct redis_channel, by .link */
	unsigned subscribed;  /* the number of channels */
	unsigned number;      /* CLIENT ID */
	unsigned redirect;    /* the client that gets changed keys; 0: not tracked */
	bool opt_in;          /* only keys that are read behind CLIENT CACHING are tracked */
	bool caching;         /* the next one is */
};

static struct redis_client *client_of(const struct wire *wire)
{
	return wire->is_link ? wire->peer : NULL;
}

/* NULL: it has gone. */
static struct redis_client *client_by_number(unsigned number)
{
	LIST_EACH (node, &wires) {
		struct redis_client *client = client_of(container_of(node, struct wire, link));
		if (client && client->number == number)
			return client;
	}
	return NULL;
}

/* ---- subscriptions ---- */

static struct redis_channel *find(const struct redis_client *client, struct slice name)
{
	LIST_EACH (node, &client->channels) {
		struct redis_channel *channel = container_of(node, struct redis_channel, link);
		if (slice_equal(slice_make(channel->name, channel->name_len), name))
			return channel;
	}
	return NULL;
}

static void subscribe(struct redis_client *client, struct slice name)
{
	MUST(name.len <= CHANNEL_MAX);
	if (find(client, name))
		return;
	struct redis_channel *channel = malloc(sizeof(*channel) + name.len);
	MUST(channel);
	*channel = (struct redis_channel){ .name_len = name.len };
	memcpy(channel->name, name.at, name.len);
	list_append(&client->channels, &channel->link);
	client->subscribed++;
}

static void unsubscribe(struct redis_client *client, struct redis_channel *channel)
{
	list_remove(&channel->link);
	free(channel);
	client->subscribed--;
}

/* ---- answers ---- */

static void say(struct redis_client *client, const char *text)
{
	wire_send(client->wire, slice_of(text));
}

static void say_bulk(struct redis_client *client, struct slice text)
{
	char head[32];
	snprintf(head, sizeof(head), "$%zu\r\n", text.len);
	say(client, head);
	wire_send(client->wire, text);
	say(client, "\r\n");
}

/* ---- changed keys ---- */

/* Reports changed keys to a client that is subscribed to something; `keys` is RESP. */
static void tell_listener(struct redis *redis, const struct redis_client *reader, struct slice keys)
{
	struct redis_client *listener =
		reader && reader->redirect ? client_by_number(reader->redirect) : NULL;
	if (!listener || !listener->subscribed || redis->lack == REDIS_LACKS_WORDS)
		return;
	say(listener, "*3\r\n");
	say_bulk(listener, SLICE("message"));
	say_bulk(listener, SLICE("__redis__:invalidate"));
	wire_send(listener->wire, keys);
}

static void tell_readers(struct redis *redis, struct redis_key *key)
{
	char keys[REDIS_KEY_MAX + 32];
	struct slice name = table_key_bytes(&key->name);
	int len =
		snprintf(keys, sizeof(keys), "*1\r\n$%zu\r\n%.*s\r\n", name.len, SLICE_ARGS(name));
	MUST(len > 0 && (size_t)len < sizeof(keys));
	for (unsigned reader; (reader = redis_key_pop_reader(key));)
		tell_listener(redis, client_by_number(reader), slice_make(keys, (size_t)len));
}

static void tell_all_tracked(struct redis *redis, struct slice keys)
{
	LIST_EACH (node, &wires)
		tell_listener(redis, client_of(container_of(node, struct wire, link)), keys);
}

static void say_value(struct redis *redis, struct redis_client *client, struct redis_key *key)
{
	redis->gets++;
	key->gets++;
	if (key->value)
		say_bulk(client, slice_of(key->value));
	else
		say(client, key->error ? key->error : "$-1\r\n");
}

/* The key of a command that only reads. */
static struct redis_key *read_key(
	struct redis *redis, const struct redis_client *client, struct slice name)
{
	struct redis_key *key = redis_keys_get(&redis->keys, name);
	if (client->redirect && (!client->opt_in || client->caching))
		redis_key_add_reader(key, client->number);
	return key;
}

/* A key by which the gateway finds out whether sessions can be read at all. */
static bool is_probe(struct slice name)
{
	return slice_starts_with(name, SLICE("sess:sluiceprobe"));
}

/* Probes do not count. */
static void answer_get(struct redis *redis, struct redis_client *client, struct slice name)
{
	unsigned before = redis->gets;
	say_value(redis, client, read_key(redis, client, name));
	if (is_probe(name))
		redis->gets = before;
}

static void answer_exists(struct redis *redis, struct redis_client *client, struct slice name)
{
	const struct redis_key *key = read_key(redis, client, name);
	redis->gets++;
	say(client, key->value ? ":1\r\n" : ":0\r\n");
}

static void answer_getdel(struct redis *redis, struct redis_client *client, struct slice name)
{
	struct redis_key *key = redis_keys_get(&redis->keys, name);
	say_value(redis, client, key);
	redis_key_set(key, &(struct redis_record){ 0 });
	tell_readers(redis, key);
}

static void answer_expire(struct redis *redis, struct redis_client *client, struct slice name)
{
	struct redis_key *key = redis_keys_get(&redis->keys, name);
	redis->expires++;
	say(client, key->value ? ":1\r\n" : ":0\r\n");
	if (key->value)
		tell_readers(redis, key);
}

static bool is_denied(struct slice name)
{
	return slice_starts_with(name, SLICE("public:denied"));
}

/* A SUBSCRIBE is answered up to the first such channel, and nothing follows. */
static bool is_slow(struct slice name)
{
	return slice_equal(name, SLICE("public:slow"));
}

static void say_change(struct redis_client *client, const char *kind, struct slice name)
{
	char count[32];
	say(client, "*3\r\n");
	say_bulk(client, slice_of(kind));
	say_bulk(client, name);
	snprintf(count, sizeof(count), ":%u\r\n", client->subscribed);
	say(client, count);
}

/* Unless a script sent it raw bytes, the gateway never subscribes to a channel that it has. */
static void answer_subscribe(
	const struct redis *redis, struct redis_client *client, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (is_denied(names[i])) {
			say(client, "-NOPERM No permissions to access a channel\r\n");
			return;
		}
	}
	for (size_t i = 0; i < n && !is_slow(names[i]); i++) {
		bool again = find(client, names[i]); /* it probes with our own channel */
		MUST(redis->spoke_raw || !again ||
			slice_equal(names[i], SLICE("__redis__:invalidate")));
		if (!again)
			subscribe(client, names[i]);
		say_change(client, "subscribe", names[i]);
	}
}

static void answer_unsubscribe(
	const struct redis *redis, struct redis_client *client, const struct slice *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct redis_channel *channel = find(client, names[i]);
		MUST(redis->spoke_raw || channel);
		if (channel)
			unsubscribe(client, channel);
		say_change(client, "unsubscribe", names[i]);
	}
}

static void answer_client_id(const struct redis *redis, struct redis_client *client)
{
	char number[32];
	snprintf(number, sizeof(number), ":%u\r\n", client->number);
	say(client, redis->lack == REDIS_LACKS_ID ? "-NOPERM No permissions to run 'client|id'\r\n"
						  : number);
}

static unsigned read_number(struct slice number)
{
	char digits[16];
	MUST(number.len < sizeof(digits));
	snprintf(digits, sizeof(digits), "%.*s", SLICE_ARGS(number));
	return (unsigned)strtoul(digits, NULL, 10);
}

/* CLIENT TRACKING ON [OPTIN] REDIRECT number */
static void answer_client_tracking(
	const struct redis *redis, struct redis_client *client, const struct slice *words, size_t n)
{
	bool opt_in = n == 6;
	MUST((n == 5 || opt_in) && slice_equal(words[2], SLICE("ON")) &&
		slice_equal(words[n - 2], SLICE("REDIRECT")) &&
		(!opt_in || slice_equal(words[3], SLICE("OPTIN"))));
	unsigned redirect = read_number(words[n - 1]);
	if (redis->lack == REDIS_LACKS_TRACKING) {
		say(client, "-ERR unknown subcommand 'TRACKING'\r\n");
	} else if (opt_in && redis->lack == REDIS_LACKS_OPTIN) {
		say(client, "-ERR syntax error\r\n");
	} else if (!client_by_number(redirect)) {
		say(client, "-ERR The client ID you want redirect to does not exist\r\n");
	} else {
		client->redirect = redirect;
		client->opt_in = opt_in;
		say(client, "+OK\r\n");
	}
}

static void answer_client_caching(const struct redis *redis, struct redis_client *client)
{
	client->caching = client->opt_in && redis->lack != REDIS_LACKS_CACHING;
	if (redis->lack == REDIS_LACKS_CACHING)
		say(client, "-NOPERM No permissions to run 'client|caching'\r\n");
	else if (!client->opt_in)
		say(client, "-ERR CLIENT CACHING can be called only in tracking mode\r\n");
	else
		say(client, "+OK\r\n");
}

static void answer_client(
	const struct redis *redis, struct redis_client *client, const struct slice *words, size_t n)
{
	MUST(!client->subscribed);
	if (n == 2 && slice_equal(words[1], SLICE("ID"))) {
		answer_client_id(redis, client);
	} else if (n == 3 && slice_equal(words[1], SLICE("CACHING"))) {
		MUST(slice_equal(words[2], SLICE("YES")));
		answer_client_caching(redis, client);
	} else {
		MUST(slice_equal(words[1], SLICE("TRACKING")));
		answer_client_tracking(redis, client, words, n);
	}
}

static void answer_publish(struct redis_client *client, struct slice channel, struct slice payload)
{
	char number[32];
	snprintf(number, sizeof(number), ":%u\r\n", redis_publish(channel, payload));
	say(client, number);
}

static void answer(
	struct redis *redis, struct redis_client *client, const struct slice *words, size_t n)
{
	if (slice_equal(words[0], SLICE("GET"))) {
		MUST(n == 2);
		answer_get(redis, client, words[1]);
	} else if (slice_equal(words[0], SLICE("EXISTS"))) {
		MUST(n == 2);
		answer_exists(redis, client, words[1]);
	} else if (slice_equal(words[0], SLICE("GETDEL"))) {
		MUST(n == 2);
		answer_getdel(redis, client, words[1]);
	} else if (slice_equal(words[0], SLICE("EXPIRE"))) {
		MUST(n == 3);
		answer_expire(redis, client, words[1]);
	} else if (slice_equal(words[0], SLICE("SUBSCRIBE"))) {
		answer_subscribe(redis, client, words + 1, n - 1);
	} else if (slice_equal(words[0], SLICE("UNSUBSCRIBE"))) {
		answer_unsubscribe(redis, client, words + 1, n - 1);
	} else if (slice_equal(words[0], SLICE("CLIENT"))) {
		answer_client(redis, client, words, n);
	} else if (slice_equal(words[0], SLICE("INFO"))) {
		MUST(!client->subscribed);
		say_bulk(client, SLICE("run_id:0123456789abcdef0123456789abcdef01234567\r\n"));
	} else if (slice_equal(words[0], SLICE("PUBLISH"))) {
		MUST(n == 3 && !client->subscribed);
		answer_publish(client, words[1], words[2]);
	} else if (slice_equal(words[0], SLICE("PING"))) {
		say(client, client->subscribed ? "*2\r\n$4\r\npong\r\n$0\r\n\r\n" : "+PONG\r\n");
	} else {
		MUST(slice_equal(words[0], SLICE("AUTH")) ||
			slice_equal(words[0], SLICE("SELECT")));
		say(client, "+OK\r\n");
	}
	client->caching = client->caching && slice_equal(words[0], SLICE("CLIENT"));
}

/* ---- commands ---- */

/* Cuts a number between a mark and CR LF off the front. */
static size_t cut_number(struct slice *bytes, char mark)
{
	size_t number = 0;
	MUST(bytes->len && bytes->at[0] == mark);
	struct slice rest = slice_skip(*bytes, 1);
	struct slice digits = slice_cut(&rest, '\r');
	MUST(digits.len > 0 && rest.len && rest.at[0] == '\n');
	for (size_t i = 0; i < digits.len; i++) {
		MUST(digits.at[i] >= '0' && digits.at[i] <= '9');
		number = number * 10 + (size_t)(digits.at[i] - '0');
	}
	*bytes = slice_skip(rest, 1);
	return number;
}

/* Cuts a command off the front. Returns its number of words. */
static size_t cut_command(struct slice *bytes, struct slice words[WORDS_MAX])
{
	size_t n = cut_number(bytes, '*');
	MUST(n > 0 && n <= WORDS_MAX);
	for (size_t i = 0; i < n; i++) {
		size_t len = cut_number(bytes, '$');
		MUST(bytes->len >= len + 2 && memcmp(bytes->at + len, "\r\n", 2) == 0);
		words[i] = slice_make(bytes->at, len);
		*bytes = slice_skip(*bytes, len + 2);
	}
	return n;
}

static void serve(struct redis *redis, struct redis_client *client)
{
	struct slice words[WORDS_MAX];
	struct slice bytes = slice_skip(buffer_slice(&client->wire->received), client->read);
	/* A link never sends half of a command: its queue is taken at once. */
	while (bytes.len)
		answer(redis, client, words, cut_command(&bytes, words));
	client->read = client->wire->received.len;
}

/* ---- links ---- */

static void welcome(struct redis *redis, struct wire *wire)
{
	if (redis->mode != REDIS_AWAY) {
		struct redis_client *client = calloc(1, sizeof(*client));
		MUST(client);
		client->wire = wire;
		client->number = redis->connects + 1;
		list_init(&client->channels);
		wire->peer = client;
	}
	redis->connects++;
	wire_answer(wire, redis->mode == REDIS_AWAY ? -ECONNREFUSED : 0);
}

static void bury(struct wire *wire)
{
	struct redis_client *client = client_of(wire);
	if (client) {
		LIST_EACH_SAFE (node, &client->channels)
			unsubscribe(client, container_of(node, struct redis_channel, link));
	}
	free(client);
	wire_destroy(wire);
}

void redis_begin(struct redis *redis, const struct redis_record *records)
{
	*redis = (struct redis){ 0 };
	redis_keys_begin(&redis->keys, records);
}

void redis_end(struct redis *redis)
{
	redis_turn(redis);
	LIST_EACH (node, &wires)
		MUST(!container_of(node, struct wire, link)->is_link);
	redis_keys_end(&redis->keys);
}

void redis_turn(struct redis *redis)
{
	allocations_spare();
	LIST_EACH_SAFE (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		struct redis_client *client = client_of(wire);
		if (!wire->is_link)
			continue;
		if (wire->closed)
			bury(wire);
		else if (wire->connecting)
			welcome(redis, wire);
		else if (client && !wire->peer_ended && redis->mode == REDIS_ANSWERS)
			serve(redis, client);
	}
	allocations_resume();
}

unsigned redis_publish(struct slice channel, struct slice payload)
{
	unsigned n = 0;
	LIST_EACH (node, &wires) {
		struct redis_client *client = client_of(container_of(node, struct wire, link));
		if (!client || !find(client, channel))
			continue;
		n++;
		say(client, "*3\r\n");
		say_bulk(client, SLICE("message"));
		say_bulk(client, channel);
		say_bulk(client, payload);
	}
	return n;
}

void redis_change(struct redis *redis, struct redis_record record)
{
	allocations_spare();
	struct redis_key *key = redis_keys_get(&redis->keys, slice_of(record.key));
	redis_key_set(key, &record);
	tell_readers(redis, key);
	allocations_resume();
}

void redis_evict(struct redis *redis, const char *name)
{
	allocations_spare();
	tell_readers(redis, redis_keys_get(&redis->keys, slice_of(name)));
	allocations_resume();
}

void redis_flush(struct redis *redis)
{
	allocations_spare();
	redis_keys_flush(&redis->keys);
	tell_all_tracked(redis, SLICE("*-1\r\n"));
	allocations_resume();
}

void redis_invalidate(struct redis *redis, struct slice keys)
{
	tell_all_tracked(redis, keys);
}

void redis_say(struct redis *redis, unsigned n, struct slice bytes)
{
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		if (!client_of(wire) || n-- > 0)
			continue;
		wire_send(wire, bytes);
		redis->spoke_raw = true;
		return;
	}
}

static void drop(struct redis *redis, bool readers, bool listeners)
{
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		const struct redis_client *client = client_of(wire);
		if (client && client->subscribed ? listeners : readers)
			wire->peer_ended |= wire->is_link;
	}
	redis->dropped = true;
}

void redis_drop(struct redis *redis)
{
	drop(redis, true, true);
}

void redis_drop_listeners(struct redis *redis)
{
	drop(redis, false, true);
}

void redis_drop_readers(struct redis *redis)
{
	drop(redis, true, false);
}

struct wire *redis_reader(unsigned n)
{
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		const struct redis_client *client = client_of(wire);
		if (client && !client->subscribed && n-- == 0)
			return wire;
	}
	return NULL;
}

unsigned redis_subscribers(struct slice channel)
{
	unsigned n = 0;
	LIST_EACH (node, &wires) {
		struct wire *wire = container_of(node, struct wire, link);
		n += client_of(wire) && !wire->closed && find(client_of(wire), channel);
	}
	return n;
}
