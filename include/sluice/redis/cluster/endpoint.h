/* Where a node of Redis Cluster is reached, as the nodes say it themselves. */
#ifndef SLUICE_REDIS_CLUSTER_ENDPOINT_H
#define SLUICE_REDIS_CLUSTER_ENDPOINT_H

#include <stdbool.h>

#include "sluice/base/slice.h"

enum { CLUSTER_HOST_MAX = 255 }; /* bytes of a name or an address (RFC 1035 §2.3.4) */

/* May this be a name or an address? Of 1 to CLUSTER_HOST_MAX printable ASCII characters, without a
 * blank. The resolver decides the rest. */
bool cluster_host_is_good(struct slice host);

#endif
