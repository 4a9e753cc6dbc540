/* A request for the browser client that belongs to this gateway. */
#ifndef SLUICE_CONN_OPENING_CLIENT_FILE_H
#define SLUICE_CONN_OPENING_CLIENT_FILE_H

#include "sluice/conn/opening/opening.h"

/* Both: is it asked for, by the path? Then the second answers. */
bool client_file_is_asked(const struct conn *conn);
void client_file_begin(struct conn *conn);

#endif
