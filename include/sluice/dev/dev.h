/* `sluice --dev`: a private redis-server on a free port, and a configuration that needs no thought. */
#ifndef SLUICE_DEV_DEV_H
#define SLUICE_DEV_DEV_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sluice/settings/settings.h"

struct dev {
	uint16_t redis_port; /* of the private server */
	/* private */
	pid_t redis; /* 0: none was started */
	char folder[128], config[160], log[160], url[64];
};

/* Starts the private Redis, unless flags->redis_url names another, and makes `flags` point to what the
 * development mode needs: its URL, and a configuration of its own unless there is one. 0; else why is
 * on stderr. */
int dev_start(struct dev *dev, struct settings_flags *flags);

/* Ends what dev_start has started, and removes its folder. */
void dev_stop(struct dev *dev);

/* Tells the user where the page is and what to try. `listen` is the address that was chosen. */
void dev_tell(const struct dev *dev, const char *listen);

#endif
