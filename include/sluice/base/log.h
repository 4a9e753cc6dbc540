/* One line per event on stderr, for the operator: time, level, event, fields.
 *
 *	log_info("listening", log_text("address", name), log_number("workers", n));
 *
 * text: 2026-11-22T20:40:37.123Z info listening address=127.0.0.1:8080 workers=2
 * json: {"time":"2026-11-22T20:40:37.123Z","level":"info","event":"listening","address":…}
 *
 * May be called in any thread. Never blocks: if stderr does not accept a line at once, the line is
 * dropped, and the next line says how many were dropped. Never pass a session id, a cookie or a
 * payload. */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sluice/base/slice.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct log_field {
	const char *key;
	struct slice text; /* absent: the value is `number` */
	long long number;
};

static inline struct log_field log_slice(const char *key, struct slice text)
{
	return (struct log_field){ key, { text.at ? text.at : "", text.len }, 0 };
}

static inline struct log_field log_text(const char *key, const char *text)
{
	return log_slice(key, slice_of(text));
}

static inline struct log_field log_number(const char *key, long long number)
{
	return (struct log_field){ key, { NULL, 0 }, number };
}

/* Lines below `level` are not written. At the start, and whenever the configuration is read again.
 * Default: info, text. */
void log_setup(enum log_level level, bool json);

/* For lines that a client or a fault can cause at any rate. True for one thread, once in ten
 * seconds. `quiet_until` is 0 at first, and belongs to this line. */
bool log_may(_Atomic uint64_t *quiet_until);

/* `fields` begins with the event's name and ends with a field whose key is NULL. Use the macros. */
void log_write(enum log_level level, const struct log_field *fields);

#define LOG_LINE(level, event, ...) \
	log_write(level, \
		(const struct log_field[]){ log_text("event", event), ##__VA_ARGS__, { NULL } })
#define log_debug(event, ...) LOG_LINE(LOG_DEBUG, event, ##__VA_ARGS__)
#define log_info(event, ...)  LOG_LINE(LOG_INFO, event, ##__VA_ARGS__)
#define log_warn(event, ...)  LOG_LINE(LOG_WARN, event, ##__VA_ARGS__)
#define log_error(event, ...) LOG_LINE(LOG_ERROR, event, ##__VA_ARGS__)

#endif
