/* The dialect of a page that was written for any WebSocket: see plain.c. */
#ifndef SLUICE_CONN_OPEN_PLAIN_H
#define SLUICE_CONN_OPEN_PLAIN_H

#include "sluice/conn/open/dialect.h"

extern const struct dialect dialect_plain;

#endif
