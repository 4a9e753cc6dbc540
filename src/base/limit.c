/* A client may reach a limit a million times a second, which must not flood the log. So each limit
 * is logged once in ten seconds, by the first worker that reaches it. /metrics counts every
 * time. */
#include "sluice/base/limit.h"

#include "sluice/base/defs.h"
#include "sluice/base/log.h"

static const struct {
	enum metric metric;
	const char *name;
} limits[] = {
	{ METRIC_LIMIT_HEADER_BYTES, "header_bytes" },
	{ METRIC_LIMIT_HANDSHAKE_SECONDS, "handshake_seconds" },
	{ METRIC_LIMIT_HALF_OPEN_PER_IP, "half_open_per_ip" },
	{ METRIC_LIMIT_CONNECTIONS, "connections" },
	{ METRIC_LIMIT_CONNECTIONS_PER_IP, "connections_per_ip" },
	{ METRIC_LIMIT_CONNECTIONS_PER_USER, "connections_per_user" },
	{ METRIC_LIMIT_UPGRADES_PER_SECOND, "upgrades_per_second" },
	{ METRIC_LIMIT_TLS_HANDSHAKES_PER_SECOND, "tls_handshakes_per_second" },
	{ METRIC_LIMIT_MESSAGE_BYTES, "message_bytes" },
	{ METRIC_LIMIT_FRAGMENTS, "fragments" },
	{ METRIC_LIMIT_FRAMES_PER_SECOND, "frames_per_second" },
	{ METRIC_LIMIT_QUEUE_BYTES, "queue_bytes" },
	{ METRIC_LIMIT_BUFFERED_BYTES, "buffered_bytes" },
	{ METRIC_LIMIT_INCOMING_BYTES, "incoming_bytes" },
	{ METRIC_LIMIT_MESSAGE_SECONDS, "message_seconds" },
	{ METRIC_LIMIT_COMMAND_BYTES, "command_bytes" },
	{ METRIC_LIMIT_COMMANDS_PER_SECOND, "commands_per_second" },
	{ METRIC_LIMIT_CHANNELS, "channels" },
	{ METRIC_LIMIT_PROCESS_CHANNELS, "process_channels" },
	{ METRIC_LIMIT_PUBLICATION_BYTES, "publication_bytes" },
	{ METRIC_LIMIT_DESCRIPTORS, "descriptors" },
};

static _Atomic uint64_t quiet_until[COUNT_OF(limits)];

void limit_hit(struct metrics *metrics, enum metric limit)
{
	metrics_add(metrics, limit, 1);
	for (size_t i = 0; i < COUNT_OF(limits); i++)
		if (limits[i].metric == limit && log_may(&quiet_until[i]))
			log_warn("limit reached", log_text("limit", limits[i].name));
}
