/* The slot of a key or of a sharded channel in Redis Cluster ("Redis cluster specification", "Key
 * distribution model"): CRC16 (XMODEM) of the name, or of its hash tag, modulo 16384. */
#ifndef SLUICE_REDIS_CLUSTER_SLOT_H
#define SLUICE_REDIS_CLUSTER_SLOT_H

#include "sluice/base/slice.h"

enum { CLUSTER_SLOTS = 16384 };

unsigned cluster_slot(struct slice name);

#endif
