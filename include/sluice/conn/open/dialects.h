/* Which dialects there are. */
#ifndef SLUICE_CONN_OPEN_DIALECTS_H
#define SLUICE_CONN_OPEN_DIALECTS_H

#include "sluice/conn/open/dialect.h"

/* Up to NULL. The first is spoken with whoever asks for none. */
extern const struct dialect *const dialects[];

/* The place of the dialect that this subprotocol asks for; 0: none does. */
unsigned dialect_of_subprotocol(struct slice name);

/* Does a subprotocol of that name ask for a dialect? */
bool dialect_is_spoken(struct slice name);

#ifdef SLUICE_ECHO
/* The place of the echo of conformance runs. */
unsigned dialect_of_echo(void);
#endif

#endif
