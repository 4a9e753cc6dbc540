/* Publishes numbered payloads: with PUBLISH on Redis, or with POST for servers that want HTTP. */
#ifndef BENCH_PUBLISHER_H
#define BENCH_PUBLISHER_H

#include <stddef.h>
#include <stdint.h>

/* A payload begins with its number, a hexadecimal digit a character. */
#define NUMBER_DIGITS 8

struct publisher {
	int fd;
	int is_http;
	char *payload; /* what all payloads share, with room for the number in front */
	size_t size;
	char *out; /* what publisher_flush will send */
	size_t out_used, out_size;
	uint64_t published;
	uint64_t replies;
	uint64_t receivers; /* the sum of Redis' replies: the number of links that got each */
	uint64_t reply;     /* the reply that is being read */
};

int publisher_open(struct publisher *publisher, uint16_t port, int is_http, size_t size);

/* Adds a publication to the queue. `channel` is the path for HTTP. */
int publisher_add(struct publisher *publisher, const char *channel);

int publisher_flush(struct publisher *publisher);

/* Reads replies until there is one for each publication. */
int publisher_settle(struct publisher *publisher);

void publisher_close(struct publisher *publisher);

#endif
