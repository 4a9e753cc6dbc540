/* One reading of the configuration, with the TLS settings made from it. Older generations are kept until
 * the process ends, since a request that is under way may still look at them. */
#ifndef SLUICE_PROCESS_GENERATION_H
#define SLUICE_PROCESS_GENERATION_H

#include "sluice/net/tls_settings.h"
#include "sluice/settings/settings.h"

struct generation {
	struct generation *older;
	struct settings *settings;
	struct tls_settings *tls; /* of the listener, or NULL */
};

/* Takes `settings`. `now` is the generation in force, or NULL at the start. A change that needs a restart
 * is logged and has no effect. NULL: `settings` cannot be used, and why has been logged. */
struct generation *generation_create(struct settings *settings, struct generation *now);

/* This one and all older ones. NULL is allowed. */
void generation_destroy_all(struct generation *newest);

#endif
