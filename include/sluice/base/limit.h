/* A limit was reached: it is counted, and the log is told, but not of every time. */
#ifndef SLUICE_BASE_LIMIT_H
#define SLUICE_BASE_LIMIT_H

#include "sluice/base/metrics.h"

/* `limit`: METRIC_LIMIT_…, in the calling thread's own block. */
void limit_hit(struct metrics *metrics, enum metric limit);

#endif
