/* Counters, gauges and histograms of one worker, and their text form (Prometheus). A worker adds to
 * its own block without locks; /metrics shows the sum of the blocks. No label ever holds a channel,
 * a user or an address. */
#ifndef SLUICE_BASE_METRICS_H
#define SLUICE_BASE_METRICS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/buffer.h"

/* One row for each series, those of a family together: name, family, label, type, help. */
#define METRICS(X) \
	X(CONNECTIONS, "sluice_connections", "", "gauge", "Open WebSocket connections") \
	X(CONNECTIONS_TOTAL, "sluice_connections_total", "", "counter", \
		"WebSocket connections opened") \
	X(REFUSED_400, "sluice_upgrades_refused_total", "status=\"400\"", "counter", \
		"Requests refused, by HTTP status") \
	X(REFUSED_401, "sluice_upgrades_refused_total", "status=\"401\"", "counter", "") \
	X(REFUSED_403, "sluice_upgrades_refused_total", "status=\"403\"", "counter", "") \
	X(REFUSED_404, "sluice_upgrades_refused_total", "status=\"404\"", "counter", "") \
	X(REFUSED_405, "sluice_upgrades_refused_total", "status=\"405\"", "counter", "") \
	X(REFUSED_408, "sluice_upgrades_refused_total", "status=\"408\"", "counter", "") \
	X(REFUSED_426, "sluice_upgrades_refused_total", "status=\"426\"", "counter", "") \
	X(REFUSED_429, "sluice_upgrades_refused_total", "status=\"429\"", "counter", "") \
	X(REFUSED_431, "sluice_upgrades_refused_total", "status=\"431\"", "counter", "") \
	X(REFUSED_500, "sluice_upgrades_refused_total", "status=\"500\"", "counter", "") \
	X(REFUSED_503, "sluice_upgrades_refused_total", "status=\"503\"", "counter", "") \
	X(CLOSES_1000, "sluice_closes_total", "code=\"1000\"", "counter", \
		"Connections closed, by close code; 1006 means without a closing handshake") \
	X(CLOSES_1001, "sluice_closes_total", "code=\"1001\"", "counter", "") \
	X(CLOSES_1002, "sluice_closes_total", "code=\"1002\"", "counter", "") \
	X(CLOSES_1003, "sluice_closes_total", "code=\"1003\"", "counter", "") \
	X(CLOSES_1005, "sluice_closes_total", "code=\"1005\"", "counter", "") \
	X(CLOSES_1006, "sluice_closes_total", "code=\"1006\"", "counter", "") \
	X(CLOSES_1007, "sluice_closes_total", "code=\"1007\"", "counter", "") \
	X(CLOSES_1008, "sluice_closes_total", "code=\"1008\"", "counter", "") \
	X(CLOSES_1009, "sluice_closes_total", "code=\"1009\"", "counter", "") \
	X(CLOSES_1011, "sluice_closes_total", "code=\"1011\"", "counter", "") \
	X(CLOSES_1012, "sluice_closes_total", "code=\"1012\"", "counter", "") \
	X(CLOSES_1013, "sluice_closes_total", "code=\"1013\"", "counter", "") \
	X(CLOSES_4401, "sluice_closes_total", "code=\"4401\"", "counter", "") \
	X(CLOSES_4403, "sluice_closes_total", "code=\"4403\"", "counter", "") \
	X(CLOSES_OTHER, "sluice_closes_total", "code=\"other\"", "counter", "") \
	X(LIMIT_HEADER_BYTES, "sluice_limit_hits_total", "limit=\"header_bytes\"", "counter", \
		"Times a limit was reached, by the setting's name in limits") \
	X(LIMIT_HANDSHAKE_SECONDS, "sluice_limit_hits_total", "limit=\"handshake_seconds\"", \
		"counter", "") \
	X(LIMIT_HALF_OPEN_PER_IP, "sluice_limit_hits_total", "limit=\"half_open_per_ip\"", \
		"counter", "") \
	X(LIMIT_CONNECTIONS, "sluice_limit_hits_total", "limit=\"connections\"", "counter", "") \
	X(LIMIT_CONNECTIONS_PER_IP, "sluice_limit_hits_total", "limit=\"connections_per_ip\"", \
		"counter", "") \
	X(LIMIT_CONNECTIONS_PER_USER, "sluice_limit_hits_total", "limit=\"connections_per_user\"", \
		"counter", "") \
	X(LIMIT_UPGRADES_PER_SECOND, "sluice_limit_hits_total", "limit=\"upgrades_per_second\"", \
		"counter", "") \
	X(LIMIT_TLS_HANDSHAKES_PER_SECOND, "sluice_limit_hits_total", \
		"limit=\"tls_handshakes_per_second\"", "counter", "") \
	X(LIMIT_MESSAGE_BYTES, "sluice_limit_hits_total", "limit=\"message_bytes\"", "counter", \
		"") \
	X(LIMIT_FRAGMENTS, "sluice_limit_hits_total", "limit=\"fragments\"", "counter", "") \
	X(LIMIT_FRAMES_PER_SECOND, "sluice_limit_hits_total", "limit=\"frames_per_second\"", \
		"counter", "") \
	X(LIMIT_QUEUE_BYTES, "sluice_limit_hits_total", "limit=\"queue_bytes\"", "counter", "") \
	X(LIMIT_BUFFERED_BYTES, "sluice_limit_hits_total", "limit=\"buffered_bytes\"", "counter", \
		"") \
	X(LIMIT_INCOMING_BYTES, "sluice_limit_hits_total", "limit=\"incoming_bytes\"", "counter", \
		"") \
	X(LIMIT_MESSAGE_SECONDS, "sluice_limit_hits_total", "limit=\"message_seconds\"", \
		"counter", "") \
	X(LIMIT_COMMAND_BYTES, "sluice_limit_hits_total", "limit=\"command_bytes\"", "counter", \
		"") \
	X(LIMIT_COMMANDS_PER_SECOND, "sluice_limit_hits_total", "limit=\"commands_per_second\"", \
		"counter", "") \
	X(LIMIT_CHANNELS, "sluice_limit_hits_total", "limit=\"channels\"", "counter", "") \
	X(LIMIT_PROCESS_CHANNELS, "sluice_limit_hits_total", "limit=\"process_channels\"", \
		"counter", "") \
	X(LIMIT_PUBLICATION_BYTES, "sluice_limit_hits_total", "limit=\"publication_bytes\"", \
		"counter", "") \
	X(LIMIT_DESCRIPTORS, "sluice_limit_hits_total", "limit=\"descriptors\"", "counter", "") \
	X(TLS_HANDSHAKES_FULL, "sluice_tls_handshakes_total", "kind=\"full\"", "counter", \
		"TLS handshakes of clients that have ended") \
	X(TLS_HANDSHAKES_RESUMED, "sluice_tls_handshakes_total", "kind=\"resumed\"", "counter", \
		"") \
	X(TLS_HANDSHAKES_FAILED, "sluice_tls_handshakes_total", "kind=\"failed\"", "counter", "") \
	X(ACCEPT_PAUSES_TOTAL, "sluice_accept_pauses_total", "", "counter", \
		"Times accepting connections paused for lack of file descriptors") \
	X(CHANNELS, "sluice_channels", "", "gauge", \
		"Channels that this process is subscribed to in Redis") \
	X(CHANNELS_REFUSED, "sluice_channels_refused", "", "gauge", \
		"Channels that clients want and Redis denies to this process") \
	X(SUBSCRIPTIONS, "sluice_subscriptions", "", "gauge", \
		"Subscriptions of connections to channels") \
	X(PUBLICATIONS_TOTAL, "sluice_publications_total", "", "counter", \
		"Publications received from Redis") \
	X(PUBLICATIONS_DROPPED_TOTAL, "sluice_publications_dropped_total", "", "counter", \
		"Publications dropped: longer than limits.publication_bytes, or a worker " \
		"was too far behind") \
	X(DELIVERIES_TOTAL, "sluice_deliveries_total", "", "counter", \
		"Publications queued to connections") \
	X(DELIVERED_BYTES_TOTAL, "sluice_delivered_bytes_total", "", "counter", \
		"Bytes of frames queued to connections") \
	X(COMPRESSIONS_TOTAL, "sluice_compressions_total", "", "counter", \
		"Payloads compressed: each at most three times, for any number of receivers") \
	X(QUEUED_BYTES, "sluice_queued_bytes", "", "gauge", "Bytes waiting to be sent") \
	X(SLOW_CONSUMERS_TOTAL, "sluice_slow_consumers_total", "", "counter", \
		"Connections closed because their queue was full") \
	X(HEARTBEAT_TERMINATIONS_TOTAL, "sluice_heartbeat_terminations_total", "", "counter", \
		"Connections terminated because a ping was not answered") \
	X(LOOKUPS_GOOD, "sluice_session_lookups_total", "result=\"good\"", "counter", \
		"Session lookups in Redis, by result") \
	X(LOOKUPS_REFUSED, "sluice_session_lookups_total", "result=\"refused\"", "counter", "") \
	X(LOOKUPS_MISSING, "sluice_session_lookups_total", "result=\"missing\"", "counter", "") \
	X(LOOKUPS_FAILED, "sluice_session_lookups_total", "result=\"failed\"", "counter", "") \
	X(LOOKUPS_SHARED, "sluice_session_lookups_total", "result=\"shared\"", "counter", "") \
	X(SESSIONS, "sluice_sessions", "", "gauge", \
		"Sessions with an open connection, counted once for each worker that has one") \
	X(SESSIONS_REVOKED_TOTAL, "sluice_sessions_revoked_total", "", "counter", \
		"Sessions that ended, or changed to another user, while a connection was open") \
	X(SESSION_REREADS_TOTAL, "sluice_session_rereads_total", "", "counter", \
		"Times the session of an open connection was read again") \
	X(FEED_RESTARTS_STARVING, "sluice_feed_restarts_total", "reason=\"starving\"", "counter", \
		"Times a link for subscriptions was made anew although it was up") \
	X(FEED_RESTARTS_LAG, "sluice_feed_restarts_total", "reason=\"lag\"", "counter", "") \
	X(FEED_RESTARTS_STALLED, "sluice_feed_restarts_total", "reason=\"stalled\"", "counter", \
		"") \
	X(FEED_RESTARTS_TWO_SERVERS, "sluice_feed_restarts_total", "reason=\"two_servers\"", \
		"counter", "") \
	X(BEATS_DROPPED_TOTAL, "sluice_beats_dropped_total", "", "counter", \
		"Messages on the channel of the beats that were no beat of a gateway with the " \
		"same " \
		"secrets") \
	X(RECONNECTS_COMMAND, "sluice_redis_reconnects_total", "link=\"command\"", "counter", \
		"Times a link to Redis was lost") \
	X(RECONNECTS_SUBSCRIBE, "sluice_redis_reconnects_total", "link=\"subscribe\"", "counter", \
		"")

#define METRIC_ENUM(name, ...) METRIC_##name,
enum metric { METRICS(METRIC_ENUM) METRIC_COUNT };
#undef METRIC_ENUM

/* All histograms have the same bounds: from 50 µs, doubling, to 1.6 s; then +Inf. */
#define HISTOGRAMS(X) \
	X(REDIS_ROUND_TRIP, "sluice_redis_round_trip_seconds", "Time from a PING to its reply") \
	X(LOOP_TURN, "sluice_loop_turn_seconds", "Busy time of one turn of a worker's event loop")

#define HISTOGRAM_ENUM(name, ...) HISTOGRAM_##name,
enum histogram { HISTOGRAMS(HISTOGRAM_ENUM) HISTOGRAM_COUNT };
#undef HISTOGRAM_ENUM

enum { HISTOGRAM_BUCKETS = 17 }; /* the last is +Inf */

/* All zero is valid. Written by one thread, read by any. */
struct metrics {
	_Atomic int64_t values[METRIC_COUNT];
	struct {
		_Atomic uint64_t buckets[HISTOGRAM_BUCKETS], sum_ns;
	} histograms[HISTOGRAM_COUNT];
};

/* Only in the block's own thread: a load and a store, no locked instruction. */
static inline void metrics_add(struct metrics *metrics, enum metric metric, int64_t n)
{
	_Atomic int64_t *value = &metrics->values[metric];
	atomic_store_explicit(
		value, atomic_load_explicit(value, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void metrics_set(struct metrics *metrics, enum metric metric, int64_t n)
{
	atomic_store_explicit(&metrics->values[metric], n, memory_order_relaxed);
}

void metrics_observe(struct metrics *metrics, enum histogram histogram, uint64_t ns);

/* Appends all families; each value is the sum over the `n` blocks. 0 or -ENOMEM. */
MUST_CHECK int metrics_print(struct metrics *const *blocks, size_t n, struct buffer *out);

#endif
