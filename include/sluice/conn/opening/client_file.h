/* Serves sluice.js, the browser client of this version. */
#ifndef SLUICE_CONN_OPENING_CLIENT_FILE_H
#define SLUICE_CONN_OPENING_CLIENT_FILE_H

#include "sluice/conn/opening/opening.h"

/* The first: does the path ask for it? If so, the second answers. */
bool client_file_is_asked(const struct conn *conn);
void client_file_begin(struct conn *conn);

#endif
