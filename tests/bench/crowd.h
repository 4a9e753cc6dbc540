/* Many WebSocket clients in one thread, at minimal cost: they count frames and check their
 * order. */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "latency.h"
#include "secure.h"

/* The longest beginning of a frame that is looked at: a control frame, unmasked. */
#define CARRY_MAX 127

enum conn_state {
	CONN_NEW,
	CONN_CONNECTING,
	CONN_SECURING, /* the TLS handshake */
	CONN_SHAKING,  /* the opening handshake */
	CONN_OPEN,
	CONN_GONE
};

struct conn {
	int fd;
	enum conn_state state;
	struct ssl_st *ssl; /* NULL: plain */
	uint64_t expected;  /* the number of the next publication */
	uint64_t skip;      /* bytes of the current payload that are still to come */
	uint8_t carried;    /* bytes of an incomplete frame, for the next read */
	uint8_t carry[CARRY_MAX];
};

struct crowd {
	/* set before crowd_init: */
	uint16_t port;
	const char *path;           /* "{n}" is the connection's number */
	const char *const *cookies; /* one for each connection, or NULL */
	const char *extra_header;   /* "" or with its "\r\n" */
	uint32_t count;
	bool is_secure;    /* over TLS */
	bool only_secures; /* each connection ends after its TLS handshake, and counts as open */
	struct secure secure;

	/* read by anybody: */
	uint32_t begun, open, refused, lost;
	uint64_t deliveries, misordered, bytes;
	struct latency latency;

	int epoll;
	uint64_t stride;
	struct conn *conns;
	int64_t *published_at; /* a ring, by the publication's number */
	uint8_t *buffer;
};

int crowd_init(struct crowd *crowd);

/* Begins handshakes, so that `at_once` are under way; not all of them in one turn. */
void crowd_begin(struct crowd *crowd, uint32_t at_once);

/* All have been answered, one way or the other. */
bool crowd_is_settled(const struct crowd *crowd);

/* The publications go to one connection each, so that all had one before any gets a second: to which? */
void crowd_expect_spread(struct crowd *crowd);
uint32_t crowd_receiver(const struct crowd *crowd, uint64_t number);

/* A publication is about to be sent. */
void crowd_published(struct crowd *crowd, uint64_t number);

/* Waits for something to read, until `deadline` at the longest, and reads it. */
void crowd_turn(struct crowd *crowd, int64_t deadline);

/* The text with "{n}" replaced; false when it is too long. */
bool crowd_expand(const char *text, uint32_t n, char *out, size_t size);

void crowd_finish(struct crowd *crowd);

#endif
