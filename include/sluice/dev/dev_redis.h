/* The private redis-server of --dev. It stores nothing on disk, and the kernel kills it when we are
 * killed. */
#ifndef SLUICE_DEV_DEV_REDIS_H
#define SLUICE_DEV_DEV_REDIS_H

#include <stdint.h>
#include <sys/types.h>

struct dev_redis {
	uint16_t port;
	/* private */
	pid_t pid; /* 0: none was started */
	char log[160];
};

/* Starts it on a free port of 127.0.0.1, in `folder`, and waits until it answers. 0; else stderr
 * says why. */
int dev_redis_start(struct dev_redis *redis, const char *folder);

/* Stops it and removes its log. Does nothing if none was started. */
void dev_redis_stop(struct dev_redis *redis);

#endif
