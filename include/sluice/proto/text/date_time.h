/* A time as records write it (ISO 8601, RFC 3339): "2026-11-22T20:09:33.192Z". */
#ifndef SLUICE_PROTO_TEXT_DATE_TIME_H
#define SLUICE_PROTO_TEXT_DATE_TIME_H

#include <stdbool.h>
#include <stdint.h>

#include "sluice/base/slice.h"

/* A date, alone or followed by "T" or a blank, hours, minutes and, as one likes, seconds, a fraction
 * of them, and "Z" or an offset such as "+02:00" or "+0200"; without one it is UTC. False: it is not
 * one, of the years 0000 to 9999. */
bool date_time_parse(struct slice text, int64_t *ret_ms_since_1970);

#endif
