/* Times as session records contain them (ISO 8601, RFC 3339): "2026-11-22T20:09:33.192Z". */
#ifndef SLUICE_PROTO_TEXT_DATE_TIME_H
#define SLUICE_PROTO_TEXT_DATE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

/* Parses a date of the years 0000 to 9999, alone or followed by "T" or a space and a time: hours
 * and minutes, optionally seconds with a fraction, and optionally "Z" or an offset ("+02:00",
 * "+0200"). Without an offset the time is UTC. False: `text` does not have this form. */
bool date_time_parse(struct slice text, int64_t *ret_ms_since_1970);

#endif
