/* A line is built in a buffer on the stack and written with one write(2), so that the lines of
 * threads, and of processes that share stderr, do not mix.
 *
 * A pipe that nobody reads must not block a loop. stderr is often shared with other programs, so it
 * cannot be made non-blocking; but poll(2) says whether a pipe has room for PIPE_BUF bytes, and a
 * line is never longer. The mutex keeps another thread from using up that room in between. */
#include "sluice/base/log.h"

#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "sluice/base/defs.h"

static const char *const level_names[] = { "debug", "info", "warn", "error" };

static struct {
	pthread_mutex_t mutex; /* for writing and for `dropped` */
	atomic_int level;
	atomic_bool json;
	long long dropped;
} logger = { .mutex = PTHREAD_MUTEX_INITIALIZER, .level = LOG_INFO };

struct line {
	char text[PIPE_BUF];
	size_t len;
};

/* Leaves room for the end of the line. */
static const size_t LINE_MAX_LEN = PIPE_BUF - 2;

void log_setup(enum log_level level, bool json)
{
	logger.level = (int)level;
	logger.json = json;
}

static void put(struct line *line, struct slice text)
{
	size_t len = MIN(text.len, LINE_MAX_LEN - line->len);
	memcpy(line->text + line->len, text.at, len);
	line->len += len;
}

PRINTF_LIKE(2, 3) static void put_format(struct line *line, const char *format, ...)
{
	char text[64];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	put(line, slice_of(text));
}

/* In double quotes; escapes whatever could end the line or forge another. */
static void put_quoted(struct line *line, struct slice text)
{
	put(line, SLICE("\""));
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c == '"' || c == '\\')
			put_format(line, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			put_format(line, "\\u%04x", c);
		else
			put(line, slice_make(text.at + i, 1));
	}
	put(line, SLICE("\""));
}

static bool is_plain(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];
		if (c <= ' ' || c >= 0x7f || c == '"' || c == '\\' || c == '=')
			return false;
	}
	return text.len > 0;
}

static void put_time(struct line *line)
{
	struct timespec now;
	struct tm utc;
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &utc);
	char text[32];
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	put_format(line, "%s.%03ldZ", text, now.tv_nsec / 1000000);
}

static void put_json(struct line *line, const struct log_field *field)
{
	put(line, SLICE(","));
	put_quoted(line, slice_of(field->key));
	put(line, SLICE(":"));
	if (field->text.at)
		put_quoted(line, field->text);
	else
		put_format(line, "%lld", field->number);
}

static void put_text(struct line *line, const struct log_field *field)
{
	put_format(line, " %s=", field->key);
	if (!field->text.at)
		put_format(line, "%lld", field->number);
	else if (is_plain(field->text))
		put(line, field->text);
	else
		put_quoted(line, field->text);
}

static void lay_out(struct line *line, enum log_level level, const struct log_field *fields)
{
	bool json = logger.json;
	if (json) {
		put(line, SLICE("{\"time\":\""));
		put_time(line);
		put_format(line, "\",\"level\":\"%s\"", level_names[level]);
	} else {
		put_time(line);
		put_format(line, " %s ", level_names[level]);
		put(line, fields->text);
		fields++;
	}
	for (; fields->key; fields++)
		(json ? put_json : put_text)(line, fields);
	if (json)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
}

static bool write_line(enum log_level level, const struct log_field *fields)
{
	struct pollfd stderr_poll = { .fd = STDERR_FILENO, .events = POLLOUT };
	if (poll(&stderr_poll, 1, 0) != 1 || !(stderr_poll.revents & POLLOUT))
		return false;
	struct line line = { .len = 0 };
	lay_out(&line, level, fields);
	return write(STDERR_FILENO, line.text, line.len) == (ssize_t)line.len;
}

/* ---- lines that can be caused at any rate ---- */

static const uint64_t QUIET_NS = UINT64_C(10000000000);

static uint64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

bool log_may(_Atomic uint64_t *quiet_until)
{
	uint64_t now = monotonic_ns(),
		 before = atomic_load_explicit(quiet_until, memory_order_relaxed);
	return now >= before &&
	       atomic_compare_exchange_strong(quiet_until, &before, now + QUIET_NS);
}

/* ---- writing ---- */

void log_write(enum log_level level, const struct log_field *fields)
{
	if ((int)level < logger.level)
		return;
	pthread_mutex_lock(&logger.mutex);
	if (logger.dropped &&
		write_line(LOG_WARN,
			(const struct log_field[]){ log_text("event", "log lines dropped"),
				log_number("lines", logger.dropped), { NULL } }))
		logger.dropped = 0;
	if (!write_line(level, fields))
		logger.dropped++;
	pthread_mutex_unlock(&logger.mutex);
}
