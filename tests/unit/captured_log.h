/* The log as a test reads it: stderr is a pipe for as long as the test runs. */
#ifndef SLUICE_TESTS_CAPTURED_LOG_H
#define SLUICE_TESTS_CAPTURED_LOG_H

#include <fcntl.h>
#include <unistd.h>

#include "sluice/base/log.h"
#include "unit.h"

static int saved_stderr, reading_end;

/* stderr becomes a pipe, whose other end the test reads. */
static inline int capture(void **state)
{
	(void)state;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	saved_stderr = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	reading_end = ends[0];
	fcntl(reading_end, F_SETFL, O_NONBLOCK);
	return 0;
}

static inline int release(void **state)
{
	(void)state;
	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	close(reading_end);
	log_setup(LOG_INFO, false);
	return 0;
}

/* What was logged since the last call. */
static inline const char *read_log(void)
{
	static char text[1 << 17];
	ssize_t len = read(reading_end, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	return text;
}

#endif
