/* The demo page of --dev and its requests: log-in, log-out, publishing. It stands in for a backend,
 * and writes to Redis what express-session with connect-redis would write. */
#ifndef SLUICE_DEV_DEV_SITE_H
#define SLUICE_DEV_DEV_SITE_H

#include <stdint.h>

#include "sluice/conn/opening/site.h"

/* One for all workers. `redis_port` must outlive it. */
struct site dev_site(const uint16_t *redis_port);

#endif
