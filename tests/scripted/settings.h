/* The configurations that scripts run under. */
#ifndef SLUICE_TESTS_SETTINGS_H
#define SLUICE_TESTS_SETTINGS_H

#include "sluice/gateway/options.h"

#define SETTINGS_SECRET "a secret of thirty-two characters"

enum settings {
	SETTINGS_ROOMY, /* compression, and limits that scripts do not meet */
	SETTINGS_TIGHT, /* compression, and limits that they do */
	SETTINGS_OPEN,  /* no session is needed; all queues together are limited */
	SETTINGS_COUNT
};

/* Loaded once, and kept. */
const struct options *settings_get(enum settings settings);

#endif
