/* Session tickets.
 *
 *	secret (configured) --extract--> root (kept) --expand(binding, hour)--> name, key (2 hours)
 *
 *	ticket:  name 16 | nonce 12 | AES-256-GCM( written at 8 | session, by mbedTLS ) | tag 16
 *
 * mbedTLS 2.28 has tickets of its own, but cannot be given keys. Ours are derived by HKDF (RFC
 * 5869) from a secret, the hour and the binding, so gateways agree on them without a word. A ticket
 * is encrypted by the key of the hour in which it is written, and decrypted by those of this hour
 * and the one before; the client is told when that ends. So a key cannot be used after two hours,
 * whatever clients say, and a gateway whose clock is a little behind at the turn of the hour only
 * makes a full handshake.
 *
 * A root stays in memory for as long as it is configured, and whoever has it can derive the keys of
 * every hour. Without secrets there is no root: each hour's key is random, and gone two hours later.
 *
 * The binding. A session carries neither the server's certificate nor what the session was for. If
 * a server accepted another one's tickets, it would be taken for that one, because a resumed
 * handshake shows no certificate. So the keys depend on the binding, in which the owner has digested
 * all that both must have in common, and even the names of other servers' keys are unknown.
 *
 * What mbedTLS leaves to us:
 *  - 3.6 does not ask which version of TLS a ticket was for. A session of TLS 1.3 has no master
 *    secret, so in TLS 1.2 it would be resumed with zeros. So the version must be that of the
 *    handshake.
 *  - 3.6 keeps the time of writing by a clock that starts with the machine, and compares it with
 *    the age that the client of TLS 1.3 states. Another machine's clock started at another time. So
 *    the ticket holds the time of day, from which the age is computed.
 *
 * The nonce is random. GCM allows 2^32 of them for a key; one key is used for an hour. */
#include "sluice/net/tls/tls_tickets.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/gcm.h>
#include <mbedtls/hkdf.h>
#include <mbedtls/platform_util.h>

#include "sluice/base/mbed.h"
#include "tls_random.h"

enum {
	HOUR_MS = 3600 * 1000,
	NAME = 16,
	NONCE = 12,
	TAG = 16,
	TIME = 8,
	ROOT = 32,
	KEY = 32,
	SESSION_MAX = 1024, /* bytes, as mbedTLS writes it */
};

struct key {
	uint8_t name[NAME];
	uint8_t key[KEY];
};

/* The keys of one hour, one for each root, or one that is random. */
struct hour {
	int64_t number; /* since 1970; -1: none yet */
	struct key *keys;
};

struct tls_tickets {
	pthread_mutex_t lock;
	int64_t (*now_ms)(void);
	uint8_t binding[TLS_TICKETS_BINDING];
	size_t n_roots;
	uint8_t (*roots)[ROOT];
	struct hour hours[2]; /* of even and of odd numbers */
};

static _Thread_local const mbedtls_ssl_context *handshake;

static int64_t system_now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void put_64(uint8_t bytes[8], int64_t number)
{
	for (unsigned i = 0; i < 8; i++)
		bytes[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static int64_t get_64(const uint8_t bytes[8])
{
	uint64_t number = 0;
	for (unsigned i = 0; i < 8; i++)
		number = number << 8 | bytes[i];
	return (int64_t)number;
}

/* ---- keys ---- */

static const mbedtls_md_info_t *sha256(void)
{
	return mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
}

static int extract_roots(struct tls_tickets *tickets, const struct slice *secrets)
{
	static const unsigned char salt[] = "sluice session tickets 1";
	int result = 0;
	for (size_t i = 0; i < tickets->n_roots && result == 0; i++)
		result = mbedtls_hkdf_extract(sha256(), salt, sizeof(salt) - 1,
			(const unsigned char *)secrets[i].at, secrets[i].len, tickets->roots[i]);
	return result;
}

static int derive_key(
	const struct tls_tickets *tickets, size_t i, int64_t number, struct key *ret_key)
{
	uint8_t info[TLS_TICKETS_BINDING + sizeof(number)];
	uint8_t made[NAME + KEY];
	memcpy(info, tickets->binding, TLS_TICKETS_BINDING);
	put_64(info + TLS_TICKETS_BINDING, number);
	int result = mbedtls_hkdf_expand(
		sha256(), tickets->roots[i], ROOT, info, sizeof(info), made, sizeof(made));
	memcpy(ret_key->name, made, NAME);
	memcpy(ret_key->key, made + NAME, KEY);
	mbedtls_platform_zeroize(made, sizeof(made));
	return result;
}

static int make_keys(const struct tls_tickets *tickets, struct hour *hour, int64_t number)
{
	int result = 0;
	hour->number = -1;
	if (tickets->n_roots == 0)
		result = tls_random(NULL, (unsigned char *)hour->keys, sizeof(struct key));
	for (size_t i = 0; i < tickets->n_roots && result == 0; i++)
		result = derive_key(tickets, i, number, &hour->keys[i]);
	if (result == 0)
		hour->number = number;
	return result;
}

/* Makes the keys of this hour and the one before, unless they are there. */
static int make_all_keys(struct tls_tickets *tickets, int64_t number)
{
	int result = 0;
	for (int64_t one = number - 1; one <= number && result == 0; one++) {
		struct hour *hour = &tickets->hours[one & 1];
		if (hour->number != one)
			result = make_keys(tickets, hour, one);
	}
	return result;
}

/* A copy of the key that encrypts now. */
static int key_to_write(struct tls_tickets *tickets, int64_t number, struct key *ret_key)
{
	pthread_mutex_lock(&tickets->lock);
	int result = make_all_keys(tickets, number);
	*ret_key = tickets->hours[number & 1].keys[0];
	pthread_mutex_unlock(&tickets->lock);
	return result;
}

static const struct key *find_key(const struct tls_tickets *tickets, const uint8_t name[NAME])
{
	for (size_t h = 0; h < COUNT_OF(tickets->hours); h++)
		for (size_t i = 0; i < MAX(1, tickets->n_roots); i++)
			if (memcmp(tickets->hours[h].keys[i].name, name, NAME) == 0)
				return &tickets->hours[h].keys[i];
	return NULL;
}

/* A copy of the key with this name. */
static int key_to_read(
	struct tls_tickets *tickets, int64_t number, const uint8_t name[NAME], struct key *ret_key)
{
	pthread_mutex_lock(&tickets->lock);
	int result = make_all_keys(tickets, number);
	const struct key *key = result == 0 ? find_key(tickets, name) : NULL;
	if (key)
		*ret_key = *key;
	pthread_mutex_unlock(&tickets->lock);
	return key ? 0 : MBEDTLS_ERR_SSL_INVALID_MAC;
}

/* ---- their life ---- */

static void wipe_keys(struct tls_tickets *tickets)
{
	for (size_t h = 0; h < COUNT_OF(tickets->hours); h++) {
		if (tickets->hours[h].keys)
			mbedtls_platform_zeroize(tickets->hours[h].keys,
				MAX(1, tickets->n_roots) * sizeof(struct key));
		tickets->hours[h].number = -1;
	}
	if (tickets->roots)
		mbedtls_platform_zeroize(tickets->roots, tickets->n_roots * ROOT);
	tickets->n_roots = 0;
}

static bool allocate(struct tls_tickets *tickets)
{
	size_t n = MAX(1, tickets->n_roots);
	tickets->roots = calloc(n, ROOT);
	for (size_t h = 0; h < COUNT_OF(tickets->hours); h++) {
		tickets->hours[h].number = -1;
		tickets->hours[h].keys = calloc(n, sizeof(struct key));
	}
	return tickets->roots && tickets->hours[0].keys && tickets->hours[1].keys;
}

struct tls_tickets *tls_tickets_create(const struct tls_tickets_setup *setup)
{
	struct tls_tickets *tickets = calloc(1, sizeof(*tickets));
	if (!tickets)
		return NULL;
	pthread_mutex_init(&tickets->lock, NULL);
	tickets->now_ms = setup->now_ms ? setup->now_ms : system_now_ms;
	tickets->n_roots = setup->n_secrets;
	memcpy(tickets->binding, setup->binding, sizeof(tickets->binding));
	if (allocate(tickets) && extract_roots(tickets, setup->secrets) == 0)
		return tickets;
	tls_tickets_destroy(tickets);
	return NULL;
}

void tls_tickets_forget(struct tls_tickets *tickets)
{
	pthread_mutex_lock(&tickets->lock);
	wipe_keys(tickets);
	pthread_mutex_unlock(&tickets->lock);
}

void tls_tickets_destroy(struct tls_tickets *tickets)
{
	if (!tickets)
		return;
	wipe_keys(tickets);
	for (size_t h = 0; h < COUNT_OF(tickets->hours); h++)
		free(tickets->hours[h].keys);
	free(tickets->roots);
	pthread_mutex_destroy(&tickets->lock);
	free(tickets);
}

/* ---- tickets ---- */

static int64_t hour_of(int64_t ms)
{
	return MAX(ms, 0) / HOUR_MS;
}

/* Seconds until the keys of this hour are forgotten. */
static uint32_t lifetime_of(int64_t ms)
{
	return (uint32_t)(((hour_of(ms) + 2) * HOUR_MS - MAX(ms, 0)) / 1000);
}

static int encrypt(const struct key *key, const uint8_t *plain, size_t len, unsigned char *ticket)
{
	mbedtls_gcm_context gcm;
	unsigned char *nonce = ticket + NAME, *content = nonce + NONCE;
	memcpy(ticket, key->name, NAME);
	int result = tls_random(NULL, nonce, NONCE);
	mbedtls_gcm_init(&gcm);
	if (result == 0)
		result = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * KEY);
	if (result == 0)
		result = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, NONCE,
			ticket, NAME, plain, content, TAG, content + len);
	mbedtls_gcm_free(&gcm);
	return result;
}

static int decrypt(const struct key *key, const unsigned char *ticket, size_t len, uint8_t *plain)
{
	mbedtls_gcm_context gcm;
	const unsigned char *nonce = ticket + NAME, *content = nonce + NONCE;
	mbedtls_gcm_init(&gcm);
	int result = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * KEY);
	if (result == 0)
		result = mbedtls_gcm_auth_decrypt(
			&gcm, len, nonce, NONCE, ticket, NAME, content + len, TAG, content, plain);
	mbedtls_gcm_free(&gcm);
	return result;
}

int tls_tickets_write(void *context, const mbedtls_ssl_session *session, unsigned char *start,
	const unsigned char *end, size_t *ret_len, uint32_t *ret_lifetime)
{
	struct tls_tickets *tickets = context;
	uint8_t plain[TIME + SESSION_MAX];
	struct key key;
	size_t len;
	int64_t now = tickets->now_ms();
	put_64(plain, now);
	int result = mbedtls_ssl_session_save(session, plain + TIME, SESSION_MAX, &len);
	if (result == 0 && (size_t)(end - start) < NAME + NONCE + TIME + len + TAG)
		result = MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	if (result == 0)
		result = key_to_write(tickets, hour_of(now), &key);
	if (result == 0)
		result = encrypt(&key, plain, TIME + len, start);
	if (result == 0) {
		*ret_len = NAME + NONCE + TIME + len + TAG;
		*ret_lifetime = lifetime_of(now);
	}
	mbedtls_platform_zeroize(&key, sizeof(key));
	mbedtls_platform_zeroize(plain, sizeof(plain));
	return result;
}

/* The content of a ticket that is authentic. */
static int load(mbedtls_ssl_session *session, int64_t now, const uint8_t *plain, size_t len)
{
	int result = mbedtls_ssl_session_load(session, plain + TIME, len - TIME);
	if (result == 0 && handshake && !mbed_session_is_for(session, handshake))
		result = MBEDTLS_ERR_SSL_BAD_INPUT_DATA;
	if (result == 0)
		mbed_session_set_age(session, MAX(0, now - get_64(plain)));
	return result;
}

int tls_tickets_read(
	void *context, mbedtls_ssl_session *session, unsigned char *ticket, size_t ticket_len)
{
	struct tls_tickets *tickets = context;
	uint8_t plain[TIME + SESSION_MAX];
	struct key key;
	int64_t now = tickets->now_ms();
	if (ticket_len < NAME + NONCE + TIME + TAG ||
		ticket_len > NAME + NONCE + sizeof(plain) + TAG)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	size_t len = ticket_len - NAME - NONCE - TAG;
	int result = key_to_read(tickets, hour_of(now), ticket, &key);
	if (result == 0)
		result = decrypt(&key, ticket, len, plain);
	if (result == 0)
		result = load(session, now, plain, len);
	mbedtls_platform_zeroize(&key, sizeof(key));
	mbedtls_platform_zeroize(plain, sizeof(plain));
	return result;
}

void tls_tickets_handshake(const mbedtls_ssl_context *ssl)
{
	handshake = ssl;
}
