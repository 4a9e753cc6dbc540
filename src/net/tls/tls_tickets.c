/* Session tickets.
 *
 *	name of the key 16 | nonce 12 | AES-256-GCM( time 8 | session, by mbedTLS ) | tag 16
 *
 * mbedTLS 2.28 has tickets of its own, but cannot be given keys (tls_ticket_keys.c). A ticket is
 * encrypted by the key of the hour in which it is written, and decrypted in this hour and the next;
 * the client is told when that ends, but what it makes of this does not matter.
 *
 * What mbedTLS leaves to us:
 *  - 3.6 does not ask which version of TLS a ticket was for. A session of TLS 1.3 has no master
 *    secret, so in TLS 1.2 it would be resumed with zeros. So the version must be that of the
 *    handshake.
 *  - In TLS 1.2 both versions choose the suite as for a full handshake, and then resume the session
 *    with it. The session's own suite is due (RFC 5246 §7.4.1.3), and OpenSSL's clients give up on
 *    another one. So the session's suite must be the one that mbedTLS will choose.
 *  - 3.6 keeps the time of writing by a clock that starts with the machine, and compares it with
 *    the age that the client of TLS 1.3 states. Another machine's clock started at another time. So
 *    the ticket holds the time of day, from which the age is computed.
 *
 * The nonce is random. GCM allows 2^32 of them for a key; one key is used for an hour. */
#include "sluice/net/tls/tls_tickets.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/gcm.h>
#include <mbedtls/platform_util.h>

#include "sluice/base/mbed.h"
#include "tls_random.h"

enum {
	HOUR_MS = TLS_TICKET_HOUR_MS,
	NAME = TLS_TICKET_NAME,
	NONCE = 12,
	TAG = 16,
	TIME = 8,
	SESSION_MAX = 1024, /* bytes, as mbedTLS writes it */
};

struct tls_tickets {
	struct tls_ticket_keys *keys;
	int64_t (*now_ms)(void);
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

/* ---- their life ---- */

struct tls_tickets *tls_tickets_create(
	const struct tls_ticket_secrets *secrets, int64_t (*now_ms)(void))
{
	struct tls_tickets *tickets = calloc(1, sizeof(*tickets));
	if (!tickets)
		return NULL;
	tickets->now_ms = now_ms ? now_ms : system_now_ms;
	tickets->keys = tls_ticket_keys_create(secrets);
	if (tickets->keys)
		return tickets;
	free(tickets);
	return NULL;
}

void tls_tickets_forget(struct tls_tickets *tickets)
{
	tls_ticket_keys_forget(tickets->keys);
}

void tls_tickets_destroy(struct tls_tickets *tickets)
{
	if (!tickets)
		return;
	tls_ticket_keys_destroy(tickets->keys);
	free(tickets);
}

void tls_tickets_handshake(const mbedtls_ssl_context *ssl)
{
	handshake = ssl;
}

/* ---- which session may be resumed ---- */

static bool is_offered(const unsigned char *client_hello, int suite)
{
	enum { SESSION_ID = 4 + 2 + 32 }; /* behind type, length, version and random */
	const unsigned char *list = client_hello + SESSION_ID + 1 + client_hello[SESSION_ID];
	size_t size = (size_t)(list[0] << 8 | list[1]);
	for (size_t at = 2; at + 1 < 2 + size; at += 2)
		if ((list[at] << 8 | list[at + 1]) == suite)
			return true;
	return false;
}

/* Is this suite the first of ours that the client offers? */
static bool will_be_chosen(int suite)
{
	const unsigned char *client_hello = mbed_client_hello(handshake);
	for (size_t i = 0; mbed_suites[i] && mbed_suites[i] != suite; i++)
		if (mbed_suites_are_alike(mbed_suites[i], suite) &&
			is_offered(client_hello, mbed_suites[i]))
			return false;
	return is_offered(client_hello, suite);
}

/* May the handshake of this thread resume the session? */
static bool is_usable(const mbedtls_ssl_session *session)
{
	return mbed_session_is_for(session, handshake) &&
	       (!mbed_is_tls_1_2(handshake) || will_be_chosen(mbed_session_suite(session)));
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

static int encrypt(
	const struct tls_ticket_key *key, const uint8_t *plain, size_t len, unsigned char *ticket)
{
	mbedtls_gcm_context gcm;
	unsigned char *nonce = ticket + NAME, *content = nonce + NONCE;
	memcpy(ticket, key->name, NAME);
	int result = tls_random(NULL, nonce, NONCE);
	mbedtls_gcm_init(&gcm);
	if (result == 0)
		result = mbedtls_gcm_setkey(
			&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * TLS_TICKET_KEY);
	if (result == 0)
		result = mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, len, nonce, NONCE,
			ticket, NAME, plain, content, TAG, content + len);
	mbedtls_gcm_free(&gcm);
	return result;
}

static int decrypt(
	const struct tls_ticket_key *key, const unsigned char *ticket, size_t len, uint8_t *plain)
{
	mbedtls_gcm_context gcm;
	const unsigned char *nonce = ticket + NAME, *content = nonce + NONCE;
	mbedtls_gcm_init(&gcm);
	int result = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key->key, 8 * TLS_TICKET_KEY);
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
	struct tls_ticket_key key;
	size_t len;
	int64_t now = tickets->now_ms();
	put_64(plain, now);
	int result = mbedtls_ssl_session_save(session, plain + TIME, SESSION_MAX, &len);
	if (result == 0 && (size_t)(end - start) < NAME + NONCE + TIME + len + TAG)
		result = MBEDTLS_ERR_SSL_BUFFER_TOO_SMALL;
	if (result == 0)
		result = tls_ticket_keys_to_write(tickets->keys, hour_of(now), &key);
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
	if (result == 0 && handshake && !is_usable(session))
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
	struct tls_ticket_key key;
	int64_t now = tickets->now_ms();
	if (ticket_len < NAME + NONCE + TIME + TAG ||
		ticket_len > NAME + NONCE + sizeof(plain) + TAG)
		return MBEDTLS_ERR_SSL_INVALID_MAC;
	size_t len = ticket_len - NAME - NONCE - TAG;
	int result = tls_ticket_keys_to_read(tickets->keys, hour_of(now), ticket, &key);
	if (result == 0)
		result = decrypt(&key, ticket, len, plain);
	if (result == 0)
		result = load(session, now, plain, len);
	mbedtls_platform_zeroize(&key, sizeof(key));
	mbedtls_platform_zeroize(plain, sizeof(plain));
	return result;
}
