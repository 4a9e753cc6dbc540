/* The configuration: read from a file, the environment and flags into one struct, by one table of
 * settings.
 *
 * A flag overrides the environment, which overrides the file, which overrides the preset's default,
 * which overrides the default. Every key of the file has an environment variable:
 * "limits.queue_bytes" is SLUICE_LIMITS_QUEUE_BYTES, where lists and objects are JSON. Once loaded,
 * the struct does not change, and every thread may read it. */
#ifndef SLUICE_SETTINGS_SETTINGS_H
#define SLUICE_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sluice/base/arena.h"
#include "sluice/base/buffer.h"
#include "sluice/base/log.h"
#include "sluice/base/slice.h"
#include "sluice/net/tls/tls_settings.h"
#include "sluice/proto/channel_rules.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/redis/login/account.h"
#include "sluice/redis/redis_url.h"

enum {
	SETTINGS_BATCH_MS_MAX = 10000,
	/* Different {fields} of rules; session.authenticated and its like and a ticket's session
	 * are paths, too. */
	SETTINGS_FIELDS_MAX = RECORD_PATHS_MAX - 8,
	SETTINGS_HALF_OPEN_UNDER_TLS = 1024, /* limits.half_open_per_ip, unless it is given */
	SETTINGS_BATCHES_MAX = 8, /* different delays of rules and delivery.batch_milliseconds */
};

/* The framework whose sessions are read. It sets the defaults of the keys of "session". */
enum session_preset {
	SESSION_PRESET_EXPRESS,
	SESSION_PRESET_PASSPORT,
	SESSION_PRESET_FASTIFY,
	SESSION_PRESET_KOA,
	SESSION_PRESET_KOA_GENERIC,
	SESSION_PRESET_BETTER_AUTH,
	SESSION_PRESET_DJANGO_JSON,
	SESSION_PRESET_FLASK,
	SESSION_PRESET_STARSESSIONS,
	SESSION_PRESET_RAILS_JSON,
	SESSION_PRESET_SPRING,
	SESSION_PRESET_PHP,
	SESSION_PRESET_LARAVEL,
	SESSION_PRESET_TICKET,
};

/* How a session record is stored in Redis. */
enum session_lookup {
	SESSION_LOOKUP_STRING,
	SESSION_LOOKUP_HASH,   /* each field is a member of the record */
	SESSION_LOOKUP_EXISTS, /* the record is not read; the key must exist */
};

/* How the record is serialized. */
enum session_codec {
	SESSION_CODEC_JSON,
	SESSION_CODEC_MSGPACK,
	SESSION_CODEC_PHP,
	SESSION_CODEC_LARAVEL, /* PHP or JSON, serialized once more as a PHP string */
	SESSION_CODEC_NONE,    /* the record is not read; the key must exist */
};

/* How a client without a session is refused. */
enum session_reject {
	SESSION_REJECT_HTTP,  /* 401 */
	SESSION_REJECT_CLOSE, /* 101, then a close frame with 4401, which a page can see */
};

/* What follows for a connection whose dialect has no message for a gap. */
enum delivery_on_gap {
	DELIVERY_ON_GAP_CONTINUE,
	DELIVERY_ON_GAP_CLOSE,
};

/* What the process is restricted to once it serves: process/sandbox.h. */
enum sandbox_mode {
	SANDBOX_AUTO, /* as far as the kernel can */
	SANDBOX_REQUIRED,
	SANDBOX_OFF,
};

/* A file that was read for the settings, or is read with them, such as a certificate. */
struct settings_file {
	const char *path;
	const struct settings_file *next;
};

struct settings {
	const char *listen; /* as address_parse takes it */
	const char *path;
	unsigned workers;                      /* 0: one for each CPU that the process may use */
	const char *tls_certificate, *tls_key; /* both "", or both files */
	const struct slice *tls_ticket_secrets;
	size_t n_tls_ticket_secrets;
	const char *admin_listen; /* "": no admin port */
	struct {
		struct redis_url url;
		const char *username, *sentinel_username; /* in place of the URL's; or "" */
		struct slice password, sentinel_password; /* may name a file; or absent */
		struct redis_login login, sentinel_login; /* what follows from all of these */
		/* For TLS; "" where there is none. */
		const char *ca, *certificate, *key;
		enum tls_verify verify;
	} redis;
	unsigned redis_lag_ms; /* a feed that is later is made anew, and not ready */
	bool redis_probe;
	struct slice replay_secret; /* absent: the first of session.secrets */
	const struct slice *origins;
	size_t n_origins;
	struct {
		enum session_preset preset;
		struct slice cookie; /* absent: sessions come by ticket only */
		enum session_cookie_encoding cookie_encoding;
		bool cookie_prefixes; /* look for __Host-NAME and __Secure-NAME first */
		enum session_duplicates duplicates;
		enum session_signature signature;
		/* Templates of the Redis keys of the record, of a second key that must exist, and
		 * of tickets. The last two may be absent. */
		struct slice key, must_exist, ticket;
		enum session_lookup lookup;
		enum session_codec codec;
		/* Paths in the record, as in session_value.h; each may be absent. */
		struct slice authenticated, present, user, expires;
		/* The paths that channel rules name, each once. */
		const struct slice *fields;
		size_t n_fields;
		const struct slice *secrets;
		size_t n_secrets;
		const struct digest_key *keys; /* of the secrets, prepared; NULL: none are needed */
		bool required;
		enum session_reject reject;
		bool touch;        /* an open connection extends its session's time to live */
		unsigned ttl_ms;   /* what touch sets the time to live to */
		unsigned sweep_ms; /* longest time between two reads of a session; 0: never */
		unsigned
			unverified_ms; /* for so long a session counts that cannot be read; 0: for ever */
	} session;
	const struct channel_rule *rules;
	size_t n_rules;
	unsigned heartbeat_interval_ms, heartbeat_timeout_ms; /* interval 0: off */
	struct {
		unsigned connections, connections_per_ip, connections_per_user, upgrades_per_second;
		unsigned frames_per_second, half_open_per_ip;
		unsigned tls_handshakes_per_second;
		unsigned message_bytes, fragments, queue_bytes, buffered_bytes;
		unsigned incoming_bytes, message_ms;
		unsigned channels, publication_bytes, header_bytes, handshake_ms;
		unsigned command_bytes, commands_per_second; /* of sluice.v1; neither may be 0 */
		unsigned record_bytes, record_depth;         /* of a session */
		unsigned process_channels;
	} limits; /* the first six: 0 is no limit */
	struct {
		bool enabled;
		unsigned threshold;
	} compression;
	unsigned delivery_batch_ms; /* unless a channel rule has its own */
	enum delivery_on_gap delivery_on_gap;
	unsigned drain_ms;
	enum log_level log_level;
	bool log_json;
	enum sandbox_mode sandbox;
	const struct settings_file *files; /* all of them, in any order */
	struct arena memory;               /* private: of all strings and lists above */
};

/* The command line, as settings_read_flags has read it. Strings are borrowed from argv. */
struct settings_flags {
	const char *config;                                   /* a file, or NULL */
	const char *listen, *redis_url, *workers, *log_level; /* as given, or NULL */
	const char *probe;                                    /* a URL, or NULL */
	bool dev, check, print_config, print_settings, version, help;
};

/* Reads argv. 0; -EINVAL: `problems` has a line for the user; or -ENOMEM. */
int settings_read_flags(
	int argc, char **argv, struct settings_flags *ret_flags, struct buffer *problems);

/* Copies what may hold secrets from the command line and the environment to private memory, which is
 * never freed, and wipes it there. Returns the copied variables, for settings_load; NULL: no memory,
 * and nothing has changed. */
char **settings_hide(struct settings_flags *flags, char **environment);

/* What --help prints. */
extern const char settings_usage[];

/* Loads a configuration. NULL: `problems` has one line for each problem, with its place (file and
 * line, environment variable or flag), the key, and what the key takes:
 *
 *	sluice.json:12: limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "1M"
 *
 * or is empty if there was no memory for that. `environment` is main's envp. */
struct settings *settings_load(
	const struct settings_flags *flags, char **environment, struct buffer *problems);

/* Wipes the secrets of settings that have been replaced, when nobody uses them any more: from then
 * on no cookie has a good signature. */
void settings_forget(struct settings *settings);

/* Wipes everything and frees it. NULL is allowed. */
void settings_destroy(struct settings *settings);

/* The configuration in force as JSON, with secrets and passwords as "***". 0 or -ENOMEM. */
int settings_print(const struct settings *settings, struct buffer *out);

/* The table of settings in Markdown: for each setting its key, what it takes, its default, its
 * environment variable and what it does. 0 or -ENOMEM. */
int settings_print_table(struct buffer *out);

#endif
