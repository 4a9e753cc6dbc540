/* The keys of session tickets.
 *
 *	secret (configured) --extract--> root (kept) --expand(binding, hour)--> name, key (2 hours)
 *
 * Keys are derived by HKDF (RFC 5869) from a secret, the binding and the hour, so gateways agree on
 * them without a word. Those of an hour encrypt in this hour, and decrypt in this one and the next; a
 * gateway whose clock is a little behind at the turn of the hour only makes a full handshake. The
 * first handshake of an hour overwrites the keys that have had their time.
 *
 * A root stays in memory for as long as it is configured, and whoever has it can derive the keys of
 * every hour. Without secrets there is no root: each hour's key is random, and then nobody has it any
 * more.
 *
 * The binding. A session carries neither the server's certificate nor what the session was for. If
 * a server accepted another one's tickets, it would be taken for that one, because a resumed
 * handshake shows no certificate. So the keys depend on the binding, in which the owner has digested
 * all that both must have in common, and even the names of other servers' keys are unknown. */
#include "sluice/net/tls/tls_ticket_keys.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>

#include "sluice/base/mbed.h"
#include "tls_random.h"

enum { ROOT = 32, NONE = -2 };

/* The keys of one hour, one for each root, or one that is random. */
struct hour {
	int64_t number; /* since 1970, or NONE; -1 is the one before the first */
	struct tls_ticket_key *keys;
};

struct tls_ticket_keys {
	pthread_mutex_t lock;
	uint8_t binding[TLS_TICKET_BINDING];
	size_t n_roots;
	uint8_t (*roots)[ROOT];
	struct hour hours[2]; /* of even and of odd numbers */
};

static void put_64(uint8_t bytes[8], int64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

/* ---- keys ---- */

static const mbedtls_md_info_t *sha256(void)
{
	return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

static int extract_roots(struct tls_ticket_keys *keys, const struct slice *secrets)
{
	static const unsigned char salt[] = "sluice session tickets 1";
	int result = 0;
	for (size_t i = 0; i < keys->n_roots && result == 0; i++)
		result = mbedtls_hkdf_extract(sha256(), salt, sizeof(salt) - 1,
			(const unsigned char *)secrets[i].at, secrets[i].len, keys->roots[i]);
	return result;
}

static int derive_key(const struct tls_ticket_keys *keys, size_t i, int64_t number,
	struct tls_ticket_key *ret_key)
{
	uint8_t info[TLS_TICKET_BINDING + sizeof(number)];
	uint8_t made[TLS_TICKET_NAME + TLS_TICKET_KEY];
	memcpy(info, keys->binding, TLS_TICKET_BINDING);
	put_64(info + TLS_TICKET_BINDING, number);
	int result = mbedtls_hkdf_expand(
		sha256(), keys->roots[i], ROOT, info, sizeof(info), made, sizeof(made));
	memcpy(ret_key->name, made, TLS_TICKET_NAME);
	memcpy(ret_key->key, made + TLS_TICKET_NAME, TLS_TICKET_KEY);
	mbedtls_platform_zeroize(made, sizeof(made));
	return result;
}

static int make_keys(const struct tls_ticket_keys *keys, struct hour *hour, int64_t number)
{
	int result = 0;
	hour->number = NONE;
	if (keys->n_roots == 0)
		result = tls_random(
			NULL, (unsigned char *)hour->keys, sizeof(struct tls_ticket_key));
	for (size_t i = 0; i < keys->n_roots && result == 0; i++)
		result = derive_key(keys, i, number, &hour->keys[i]);
	if (result == 0)
		hour->number = number;
	return result;
}

/* Makes the keys of this hour and the one before, unless they are there. */
static int make_all_keys(struct tls_ticket_keys *keys, int64_t number)
{
	int result = 0;
	for (int64_t one = number - 1; one <= number && result == 0; one++) {
		struct hour *hour = &keys->hours[one & 1];
		if (hour->number != one)
			result = make_keys(keys, hour, one);
	}
	return result;
}

int tls_ticket_keys_to_write(
	struct tls_ticket_keys *keys, int64_t number, struct tls_ticket_key *ret_key)
{
	pthread_mutex_lock(&keys->lock);
	int result = make_all_keys(keys, number);
	*ret_key = keys->hours[number & 1].keys[0];
	pthread_mutex_unlock(&keys->lock);
	return result;
}

static const struct tls_ticket_key *find_key(
	const struct tls_ticket_keys *keys, const uint8_t name[TLS_TICKET_NAME])
{
	for (size_t h = 0; h < COUNT_OF(keys->hours); h++)
		for (size_t i = 0; i < MAX(1, keys->n_roots); i++)
			if (memcmp(keys->hours[h].keys[i].name, name, TLS_TICKET_NAME) == 0)
				return &keys->hours[h].keys[i];
	return NULL;
}

int tls_ticket_keys_to_read(struct tls_ticket_keys *keys, int64_t number,
	const uint8_t name[TLS_TICKET_NAME], struct tls_ticket_key *ret_key)
{
	pthread_mutex_lock(&keys->lock);
	int result = make_all_keys(keys, number);
	const struct tls_ticket_key *key = result == 0 ? find_key(keys, name) : NULL;
	if (key)
		*ret_key = *key;
	pthread_mutex_unlock(&keys->lock);
	return key ? 0 : MBEDTLS_ERR_SSL_INVALID_MAC;
}

/* ---- their life ---- */

static void wipe_keys(struct tls_ticket_keys *keys)
{
	for (size_t h = 0; h < COUNT_OF(keys->hours); h++) {
		if (keys->hours[h].keys)
			mbedtls_platform_zeroize(keys->hours[h].keys,
				MAX(1, keys->n_roots) * sizeof(struct tls_ticket_key));
		keys->hours[h].number = NONE;
	}
	if (keys->roots)
		mbedtls_platform_zeroize(keys->roots, keys->n_roots * ROOT);
	keys->n_roots = 0;
}

static bool allocate(struct tls_ticket_keys *keys)
{
	size_t n = MAX(1, keys->n_roots);
	keys->roots = calloc(n, ROOT);
	for (size_t h = 0; h < COUNT_OF(keys->hours); h++) {
		keys->hours[h].number = NONE;
		keys->hours[h].keys = calloc(n, sizeof(struct tls_ticket_key));
	}
	return keys->roots && keys->hours[0].keys && keys->hours[1].keys;
}

struct tls_ticket_keys *tls_ticket_keys_create(const struct tls_ticket_secrets *secrets)
{
	struct tls_ticket_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return NULL;
	pthread_mutex_init(&keys->lock, NULL);
	keys->n_roots = secrets->n;
	memcpy(keys->binding, secrets->binding, sizeof(keys->binding));
	if (allocate(keys) && extract_roots(keys, secrets->secrets) == 0)
		return keys;
	tls_ticket_keys_destroy(keys);
	return NULL;
}

void tls_ticket_keys_forget(struct tls_ticket_keys *keys)
{
	pthread_mutex_lock(&keys->lock);
	wipe_keys(keys);
	pthread_mutex_unlock(&keys->lock);
}

void tls_ticket_keys_destroy(struct tls_ticket_keys *keys)
{
	if (!keys)
		return;
	wipe_keys(keys);
	for (size_t h = 0; h < COUNT_OF(keys->hours); h++)
		free(keys->hours[h].keys);
	free(keys->roots);
	pthread_mutex_destroy(&keys->lock);
	free(keys);
}
