/* The process: workers, signals, the admin port, drain and reload. */
#ifndef SLUICE_PROCESS_GATEWAY_H
#define SLUICE_PROCESS_GATEWAY_H

#include "sluice/conn/opening/site.h"
#include "sluice/settings/settings.h"

enum { EXIT_BAD_CONFIGURATION = 1, EXIT_CANNOT_START = 2 };

struct gateway_setup {
	struct settings *settings; /* taken */
	/* Reads the configuration again, after SIGHUP. NULL: it has problems, which have been
	 * logged. */
	struct settings *(*reload)(void *context);
	void *context;
	const struct site *site; /* or NULL */
	/* The listeners are open, on the address `listen` (with the port that was chosen). May be
	 * NULL. */
	void (*on_listening)(void *context, const char *listen);
};

/* Serves until a drain has ended. Returns the process' exit status. */
int gateway_run(const struct gateway_setup *setup);

#endif
