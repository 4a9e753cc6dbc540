/* The demo page of --dev, and what it asks for: log-in, log-out, publishing. It stands where a backend
 * would stand, and writes to Redis what express-session with connect-redis would write. */
#ifndef SLUICE_DEV_DEV_SITE_H
#define SLUICE_DEV_DEV_SITE_H

#include <stdint.h>

#include "sluice/conn/conn.h"

/* One for all workers; it holds nothing that changes. */
struct site dev_site(const uint16_t *redis_port);

#endif
