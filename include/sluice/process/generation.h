/* One version of the configuration, with the TLS settings made from it. Older generations are kept
 * until the process ends, because a pending request may still use them. */
#ifndef SLUICE_PROCESS_GENERATION_H
#define SLUICE_PROCESS_GENERATION_H

#include <stdbool.h>

#include "sluice/net/tls/tls_settings.h"
#include "sluice/settings/settings.h"

struct generation {
	struct generation *older;
	struct settings *settings;
	struct tls_settings *tls;       /* of the listener, or NULL */
	struct tls_settings *redis_tls; /* of the links to Redis, or NULL */
	bool is_same_redis; /* as in the first generation, so that its account is of use */
};

/* Takes `settings`. `now` is the generation in force, or NULL at the start. A change that needs a
 * restart is logged and has no effect. NULL: `settings` cannot be used, and the reason has been
 * logged. */
struct generation *generation_create(struct settings *settings, struct generation *now);

/* Wipes the secrets of all older generations, which nobody uses any more, and their private keys as
 * soon as the last handshake with them is over. */
void generation_forget_older(struct generation *newest);

/* Destroys this generation and all older ones. NULL is allowed. */
void generation_destroy_all(struct generation *newest);

#endif
