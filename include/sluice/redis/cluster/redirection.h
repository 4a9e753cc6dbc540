/* The errors by which a node of Redis Cluster says that a command belongs elsewhere, or to nobody
 * now:
 *
 *	MOVED 3999 127.0.0.1:6381      the slot has another owner
 *	ASK 3999 127.0.0.1:6381        only this command, after ASKING: the slot is being moved
 *	TRYAGAIN …                     some of the keys have been moved, others not
 *	CLUSTERDOWN …                  nobody owns the slot, or the node is cut off from the others */
#ifndef SLUICE_REDIS_CLUSTER_REDIRECTION_H
#define SLUICE_REDIS_CLUSTER_REDIRECTION_H

#include "sluice/redis/reply.h"

enum cluster_redirection_kind {
	CLUSTER_STAYS, /* any other reply: the command has been answered */
	CLUSTER_MOVED,
	CLUSTER_ASK,
	CLUSTER_TRY_AGAIN,
	CLUSTER_DOWN,
};

struct cluster_redirection {
	enum cluster_redirection_kind kind;
	/* of MOVED and ASK; the host is a part of the reply, an IPv6 address without brackets. It
	 * is absent if the node does not know it ("?"), and "" for the host that was asked. */
	unsigned slot;
	struct slice host;
	uint16_t port;
};

/* A MOVED or an ASK that is malformed is CLUSTER_STAYS. The reply may be NULL. */
struct cluster_redirection cluster_redirection_of(const struct redisReply *reply);

#endif
