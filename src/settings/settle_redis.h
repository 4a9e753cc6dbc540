/* What the settings of redis require of each other, and who we are there. */
#ifndef SLUICE_SETTINGS_SETTLE_REDIS_H
#define SLUICE_SETTINGS_SETTLE_REDIS_H

#include "draft.h"

void settle_redis(struct draft *draft);

#endif
