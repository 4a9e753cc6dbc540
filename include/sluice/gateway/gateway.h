/* The process: workers, signals, the admin port, drain and reload. */
#ifndef SLUICE_GATEWAY_GATEWAY_H
#define SLUICE_GATEWAY_GATEWAY_H

#include "sluice/gateway/conn.h"
#include "sluice/gateway/options.h"

enum { EXIT_BAD_CONFIGURATION = 1, EXIT_CANNOT_START = 2 };

struct gateway_settings {
	struct options *options; /* taken */
	/* Reads the configuration again for SIGHUP. NULL: it is bad, and why has been logged. */
	struct options *(*reload)(void *context);
	void *context;
	const struct site *site; /* or NULL */
	/* The listeners are open; `listen` is where (with the port that was chosen). May be NULL. */
	void (*on_listening)(void *context, const char *listen);
};

/* Serves until a drain has ended. Gives the process' exit status. */
int gateway_run(const struct gateway_settings *settings);

#endif
