/* TLS settings of a server or a client, on mbedTLS.
 *
 *	settings (one, all threads)          session (one for each connection, its thread)
 *	  ssl_config, certificates, key  <---  ssl_context; record buffers: tls_buffers.c
 *
 * Settings are only read once they are made, except for the keys of session tickets, which are
 * replaced under a mutex. This is enough to share them: our source of random bytes is the kernel
 * and has no state; private RSA operations lock the key themselves (so mbedTLS must be built with
 * threads); those on elliptic curves work on a copy of the key (2.28) or keep nothing in it (3.6).
 *
 * A client must not choose what a handshake costs the server: on mbedTLS 2.28, key exchange over
 * secp521r1 takes six times the CPU of X25519, DHE eleven times. Nor whether it is secret later:
 * static RSA is not. So the server accepts only the cheapest groups and suites.
 *
 * A session ticket (tls_tickets.c) lets a client resume its session on any worker, without
 * certificate and signature, and in TLS 1.2 without key exchange. TLS 1.2 does not renew a ticket, so
 * its session ends with the ticket, after two hours at most.
 *
 * The private key is needed until a handshake is over. Settings that were replaced live on, because
 * sessions refer to their config, but their key is counted: the last handshake that could use it, or
 * the last client that has not sent its ClientHello yet, wipes it.
 *
 * Nothing that matters is left to mbedTLS' defaults, as they differ between versions
 * (base/mbed.h). */
#include "sluice/net/tls/tls_settings.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/error.h>

#include "sluice/base/mbed.h"
#include "tls_random.h"
#include "tls_settings_internal.h"

static void describe(char error[TLS_ERROR_MAX], const char *file, int code)
{
	char reason[TLS_ERROR_MAX / 2];
	mbedtls_strerror(code, reason, sizeof(reason));
	snprintf(error, TLS_ERROR_MAX, "%s: %s", file, reason);
}

static bool is_readable(const char *file, char error[TLS_ERROR_MAX])
{
	if (access(file, R_OK) == 0)
		return true;
	snprintf(error, TLS_ERROR_MAX, "%s: %s", file, strerror(errno));
	return false;
}

/* mbedTLS returns how many certificates of the file it could not read. */
static bool load_certificates(
	mbedtls_x509_crt *certificates, const char *file, bool all, char error[TLS_ERROR_MAX])
{
	if (!is_readable(file, error))
		return false;
	int result = mbedtls_x509_crt_parse_file(certificates, file);
	if (result == 0 || (result > 0 && !all && certificates->version > 0))
		return true;
	if (result < 0)
		describe(error, file, result);
	else
		snprintf(error, TLS_ERROR_MAX, "%s: %d of its certificates cannot be read", file,
			result);
	return false;
}

static bool load_key(struct tls_settings *settings, const char *certificate_file, const char *file,
	char error[TLS_ERROR_MAX])
{
	if (!is_readable(file, error))
		return false;
	int result = mbed_parse_key_file(&settings->key, file, tls_random);
	if (result < 0) {
		describe(error, file, result);
		return false;
	}
	if (mbed_keys_match(&settings->certificates.pk, &settings->key, tls_random))
		return true;
	snprintf(error, TLS_ERROR_MAX, "%s: is not the key of the certificate in %s", file,
		certificate_file);
	return false;
}

static int configure(mbedtls_ssl_config *config, int endpoint)
{
	int result = mbedtls_ssl_config_defaults(
		config, endpoint, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
	mbedtls_ssl_conf_rng(config, tls_random, NULL);
	mbed_require_tls_1_2(config);
	mbed_disable_renegotiation(config);
	return result;
}

static struct tls_settings *settings_create(int endpoint, char error[TLS_ERROR_MAX])
{
	struct tls_settings *settings = calloc(1, sizeof(*settings));
	if (!settings) {
		snprintf(error, TLS_ERROR_MAX, "out of memory");
		return NULL;
	}
	mbedtls_ssl_config_init(&settings->config);
	mbedtls_x509_crt_init(&settings->certificates);
	mbedtls_x509_crt_init(&settings->authorities);
	mbedtls_pk_init(&settings->key);
	atomic_init(&settings->key_refs, 1);
	int result = mbed_init();
	if (result == 0)
		result = configure(&settings->config, endpoint);
	if (result == 0)
		return settings;
	describe(error, "TLS", result);
	tls_settings_destroy(settings);
	return NULL;
}

/* What two servers must have in common, so that one resumes the sessions of the other: what they are
 * for, the certificate that a client has seen, and the order of the suites, because a resumed session
 * keeps its suite, and a server that would choose another one now must make a full handshake. */
static int bind_tickets(const struct tls_settings *settings, const char *purpose,
	uint8_t binding[TLS_TICKET_BINDING])
{
	const mbedtls_md_info_t *sha256 = mbedtls_md_info_from_type(MBEDTLS_MD_SHA256);
	const mbedtls_x509_buf *certificate = &settings->certificates.raw;
	mbedtls_md_context_t digest;
	mbedtls_md_init(&digest);
	int result = mbedtls_md_setup(&digest, sha256, 0);
	if (result == 0)
		result = mbedtls_md_starts(&digest);
	if (result == 0)
		result = mbedtls_md_update(
			&digest, (const unsigned char *)purpose, strlen(purpose) + 1);
	if (result == 0)
		result = mbedtls_md_update(
			&digest, (const unsigned char *)mbed_suites, sizeof(mbed_suites));
	if (result == 0)
		result = mbedtls_md_update(&digest, certificate->p, certificate->len);
	if (result == 0)
		result = mbedtls_md_finish(&digest, binding);
	mbedtls_md_free(&digest);
	return result;
}

static int resume_sessions(struct tls_settings *settings, const struct tls_server *server)
{
	struct tls_ticket_secrets secrets = {
		.secrets = server->ticket_secrets,
		.n = server->n_ticket_secrets,
	};
	int result = bind_tickets(settings, server->purpose, secrets.binding);
	if (result != 0)
		return result;
	settings->tickets = tls_tickets_create(&secrets, server->now_ms);
	if (!settings->tickets)
		return MBEDTLS_ERR_SSL_ALLOC_FAILED;
	mbed_require_key_exchange(&settings->config);
	mbedtls_ssl_conf_session_tickets_cb(
		&settings->config, tls_tickets_write, tls_tickets_read, settings->tickets);
	return 0;
}

static bool load_identity(struct tls_settings *settings, const char *certificate_file,
	const char *key_file, char error[TLS_ERROR_MAX])
{
	if (!load_certificates(&settings->certificates, certificate_file, true, error) ||
		!load_key(settings, certificate_file, key_file, error))
		return false;
	int result = mbedtls_ssl_conf_own_cert(
		&settings->config, &settings->certificates, &settings->key);
	if (result != 0)
		describe(error, certificate_file, result);
	return result == 0;
}

struct tls_settings *tls_server_create(const struct tls_server *server, char error[TLS_ERROR_MAX])
{
	/* not h2: WebSockets over HTTP/2 (RFC 8441) are not supported */
	static const char *protocols[] = { "http/1.1", NULL };
	struct tls_settings *settings = settings_create(MBEDTLS_SSL_IS_SERVER, error);
	if (!settings)
		return NULL;
	mbed_restrict_suites(&settings->config);
	mbed_restrict_groups(&settings->config);
	if (!load_identity(settings, server->certificate_file, server->key_file, error)) {
		tls_settings_destroy(settings);
		return NULL;
	}
	int result = mbedtls_ssl_conf_alpn_protocols(&settings->config, protocols);
	if (result == 0)
		result = resume_sessions(settings, server);
	if (result == 0)
		return settings;
	describe(error, server->certificate_file, result);
	tls_settings_destroy(settings);
	return NULL;
}

void tls_server_forget_secrets(struct tls_settings *settings)
{
	tls_tickets_forget(settings->tickets);
}

void tls_settings_ref(struct tls_settings *settings)
{
	atomic_fetch_add_explicit(&settings->key_refs, 1, memory_order_relaxed);
}

/* Release and acquire: the others' use of the key happens before it is wiped. */
void tls_settings_unref(struct tls_settings *settings)
{
	if (atomic_fetch_sub_explicit(&settings->key_refs, 1, memory_order_acq_rel) == 1)
		mbedtls_pk_free(&settings->key);
}

void tls_server_forget_key(struct tls_settings *settings)
{
	if (!settings->key_forgotten)
		tls_settings_unref(settings);
	settings->key_forgotten = true;
}

/* Where systems keep the list of trusted authorities. */
static const char *system_list(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Fedora */
		"/etc/ssl/ca-bundle.pem",             /* SUSE */
		"/etc/ssl/cert.pem",
	};
	const char *named = getenv("SSL_CERT_FILE");
	if (named && *named)
		return named;
	for (size_t i = 0; i < COUNT_OF(files); i++)
		if (access(files[i], R_OK) == 0)
			return files[i];
	return files[0];
}

/* mbedTLS may not know every kind of certificate in a system's list. */
static bool load_authorities(
	struct tls_settings *settings, const struct tls_client *client, char error[TLS_ERROR_MAX])
{
	bool given = *client->ca_file != '\0';
	return client->verify == TLS_VERIFY_NONE ||
	       load_certificates(&settings->authorities, given ? client->ca_file : system_list(),
		       given, error);
}

struct tls_settings *tls_client_create(const struct tls_client *client, char error[TLS_ERROR_MAX])
{
	struct tls_settings *settings = settings_create(MBEDTLS_SSL_IS_CLIENT, error);
	if (!settings)
		return NULL;
	settings->verify = client->verify;
	if (!load_authorities(settings, client, error) ||
		(*client->certificate_file && !load_identity(settings, client->certificate_file,
						      client->key_file, error))) {
		tls_settings_destroy(settings);
		return NULL;
	}
	mbedtls_ssl_conf_authmode(&settings->config, client->verify == TLS_VERIFY_NONE
							     ? MBEDTLS_SSL_VERIFY_NONE
							     : MBEDTLS_SSL_VERIFY_REQUIRED);
	mbedtls_ssl_conf_ca_chain(&settings->config, &settings->authorities, NULL);
	mbedtls_ssl_conf_session_tickets(&settings->config, MBEDTLS_SSL_SESSION_TICKETS_DISABLED);
	return settings;
}

void tls_settings_destroy(struct tls_settings *settings)
{
	if (!settings)
		return;
	mbedtls_ssl_config_free(&settings->config);
	mbedtls_x509_crt_free(&settings->certificates);
	mbedtls_x509_crt_free(&settings->authorities);
	mbedtls_pk_free(&settings->key);
	tls_tickets_destroy(settings->tickets);
	free(settings);
}
