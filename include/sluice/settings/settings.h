/* The configuration: from file, environment and flags to one struct, by one table of settings.
 *
 * A setting's value: flag, else environment, else file, else the preset's default, else the
 * default. Every key of the file has an environment variable: "limits.queue_bytes" is
 * SLUICE_LIMITS_QUEUE_BYTES; lists and objects are JSON text there. Immutable once loaded; read by
 * every thread. */
#ifndef SLUICE_SETTINGS_SETTINGS_H
#define SLUICE_SETTINGS_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "sluice/base/buffer.h"
#include "sluice/base/log.h"
#include "sluice/base/slice.h"
#include "sluice/proto/channel_rules.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/record/session_key.h"
#include "sluice/redis/redis_url.h"

enum {
	SETTINGS_BATCH_MS_MAX = 10000,
	SETTINGS_BATCHES_MAX = 8, /* different times, of rules and delivery.batch_milliseconds */
};

/* Whose sessions these are: sets the defaults of the keys of "session". */
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

/* How a session lies in Redis. */
enum session_lookup {
	SESSION_LOOKUP_STRING,
	SESSION_LOOKUP_HASH,   /* each field is a member of the record */
	SESSION_LOOKUP_EXISTS, /* that the key exists is enough */
};

/* How its record is written. */
enum session_codec {
	SESSION_CODEC_JSON,
	SESSION_CODEC_MSGPACK,
	SESSION_CODEC_PHP,
	SESSION_CODEC_LARAVEL, /* the same or JSON, serialized once more as a text */
	SESSION_CODEC_NONE,    /* it is not read: that the key exists is enough */
};

/* How a browser without a session is told. */
enum session_reject {
	SESSION_REJECT_HTTP,  /* 401 */
	SESSION_REJECT_CLOSE, /* 101, and a close frame with 4401: pages can see that */
};

struct settings {
	const char *listen; /* as address.h reads it */
	const char *path;
	unsigned workers;                      /* 0: one for each CPU that the process may use */
	const char *tls_certificate, *tls_key; /* both "" or both files */
	const char *admin_listen;              /* "": no admin port */
	struct redis_url redis;
	const struct slice *origins;
	size_t n_origins;
	struct {
		enum session_preset preset;
		struct slice cookie; /* absent: sessions come by tickets only */
		enum session_cookie_encoding cookie_encoding;
		bool cookie_prefixes; /* __Host-NAME and __Secure-NAME are looked for first */
		enum session_signature signature;
		/* Templates of Redis keys: of the record, of a second key that must exist, of
		 * tickets; the last two may be absent: none. */
		struct slice key, must_exist, ticket;
		enum session_lookup lookup;
		enum session_codec codec;
		/* Paths in the record, as session_value.h has them; absent: none. */
		struct slice authenticated, present, user, expires;
		bool cookie_object; /* the preset wants a member "cookie" */
		const struct slice *secrets;
		size_t n_secrets;
		bool required;
		enum session_reject reject;
		bool touch;        /* an open connection keeps its session alive */
		unsigned ttl_ms;   /* with touch: what the record's time to live is set to */
		unsigned sweep_ms; /* each live session is read again after so long; 0: never */
	} session;
	const struct channel_rule *rules;
	size_t n_rules;
	unsigned heartbeat_interval_ms, heartbeat_timeout_ms; /* interval 0: none */
	struct {
		unsigned connections, connections_per_ip, connections_per_user, upgrades_per_second;
		unsigned frames_per_second, half_open_per_ip;
		unsigned message_bytes, fragments, queue_bytes, buffered_bytes;
		unsigned channels, publication_bytes, header_bytes, handshake_ms;
		unsigned command_bytes, commands_per_second; /* of sluice.v1; neither may be 0 */
	} limits;                                            /* the first six: 0 is no limit */
	struct {
		bool enabled;
		unsigned threshold;
	} compression;
	unsigned delivery_batch_ms; /* unless a rule says otherwise */
	unsigned drain_ms;
	enum log_level log_level;
	bool log_json;
	/* private: what all the texts above lie in */
	struct settings_memory *memory;
};

/* What the command line says; filled by settings_read_flags. */
struct settings_flags {
	const char *config;                                   /* file or NULL */
	const char *listen, *redis_url, *workers, *log_level; /* as given, or NULL */
	const char *probe;                                    /* URL */
	bool dev, check, print_config, version, help;
};

/* Reads argv. 0; -EINVAL, and a line for the user is in `problems`; or -ENOMEM. */
int settings_read_flags(
	int argc, char **argv, struct settings_flags *ret_flags, struct buffer *problems);

/* The text of --help. */
extern const char settings_usage[];

/* Loads everything. NULL: `problems` holds one line for each thing that is wrong, naming where
 * (file:line, environment variable or flag), the key, and what it takes:
 *
 *	sluice.json:12: limits.queue_bytes: must be a whole number from 1024 to 1073741824, not "1M"
 *
 * `environment` is main's envp. */
struct settings *settings_load(
	const struct settings_flags *flags, char **environment, struct buffer *problems);
void settings_destroy(struct settings *settings);

/* The effective configuration as JSON, with secrets and passwords as "***". 0 or -ENOMEM. */
int settings_print(const struct settings *settings, struct buffer *out);

#endif
