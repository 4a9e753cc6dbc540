/* `sluice --dev`: a private redis-server on a free port, and a ready-made configuration. */
#ifndef SLUICE_DEV_DEV_H
#define SLUICE_DEV_DEV_H

#include "sluice/dev/dev_redis.h"
#include "sluice/settings/settings.h"

struct dev {
	struct dev_redis redis;
	/* private */
	char folder[128], config[160], url[64];
};

/* Writes a configuration and starts a private Redis, unless `flags` names one, and sets `flags` to
 * them. They last as long as `dev`. 0; else stderr says why. */
int dev_start(struct dev *dev, struct settings_flags *flags);

/* Stops the Redis that dev_start has started, and removes its folder. */
void dev_stop(struct dev *dev);

/* Prints where the page is and what to try. `listen` is the address that was chosen. */
void dev_tell(const struct dev *dev, const char *listen);

#endif
