/* The table of dialects. */
#ifndef SLUICE_CONN_OPEN_DIALECTS_H
#define SLUICE_CONN_OPEN_DIALECTS_H

#include "sluice/conn/open/dialect.h"

/* Ends with NULL. The first is for clients that ask for none. */
extern const struct dialect *const dialects[];

/* The index of the dialect that this subprotocol selects; 0: there is none. */
unsigned dialect_of_subprotocol(struct slice name);

/* Does a subprotocol of this name select a dialect? */
bool dialect_is_spoken(struct slice name);

#ifdef SLUICE_ECHO
/* The index of the echo of conformance runs. */
unsigned dialect_of_echo(void);
#endif

#endif
