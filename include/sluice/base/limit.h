/* Reports that a limit was reached: in the metrics each time, in the log once in a while. */
#ifndef SLUICE_BASE_LIMIT_H
#define SLUICE_BASE_LIMIT_H

#include "sluice/base/metrics.h"

/* `limit`: METRIC_LIMIT_…; `metrics`: the calling thread's own block. */
void limit_hit(struct metrics *metrics, enum metric limit);

#endif
