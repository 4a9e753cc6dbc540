/* What the reply to INFO server says about the server. */
#ifndef SLUICE_REDIS_INFO_SERVER_INFO_H
#define SLUICE_REDIS_INFO_SERVER_INFO_H

#include <stdint.h>

#include "sluice/base/slice.h"

struct redis_server_info {
	uint64_t run_id;  /* the first 64 bits of the run id; 0: not there */
	uint64_t time_ms; /* the server's time of day; 0: not there (before Redis 6.2) */
};

struct redis_server_info redis_server_info_read(struct slice text);

#endif
