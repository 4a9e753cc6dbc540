/* The dialect sluice.v1: see v1.c. */
#ifndef SLUICE_CONN_OPEN_V1_H
#define SLUICE_CONN_OPEN_V1_H

#include "sluice/conn/open/dialect.h"

extern const struct dialect dialect_v1;

#endif
