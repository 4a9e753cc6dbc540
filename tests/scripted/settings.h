/* The configurations that scripts run under. */
#ifndef SLUICE_TESTS_SETTINGS_H
#define SLUICE_TESTS_SETTINGS_H

#include "sluice/settings/settings.h"

#define SETTINGS_SECRET "a secret of thirty-two characters"

enum scripted_settings {
	SETTINGS_ROOMY, /* compression, and limits that scripts do not reach */
	SETTINGS_TIGHT, /* compression, and limits that scripts reach */
	SETTINGS_OPEN, /* no session is needed; all queues together are limited, and all that is incoming */
	/* For sessions that change: teams bring their channels, there are no pings, the sweep takes
	 * 10 s. */
	SETTINGS_WATCHED,
	SETTINGS_TOUCHED,  /* the same with pings, and an open page keeps its session alive */
	SETTINGS_STRICT,   /* the same, without channels for teams; refuses by 101 and a close */
	SETTINGS_UNSIGNED, /* as watched, with cookies that anybody can make up */
	SETTINGS_ENDING,   /* as watched, with an end in the record, tickets, and no sweep */
	SETTINGS_ENDING_TICKETS, /* the same for tickets alone */
	SETTINGS_COUNT
};

/* Loaded once, and kept. */
const struct settings *settings_get(enum scripted_settings settings);

#endif
