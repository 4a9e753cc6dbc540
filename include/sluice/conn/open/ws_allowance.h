/* How much a browser may send over a WebSocket in a second. */
#ifndef SLUICE_CONN_OPEN_WS_ALLOWANCE_H
#define SLUICE_CONN_OPEN_WS_ALLOWANCE_H

#include "sluice/conn/conn.h"
#include "sluice/conn/open/ws_shared.h"

/* Before bytes are fed to the reader: renews its frames, and the commands, when another second has begun. */
void ws_allow_frames(struct conn *conn);

/* One more command has come. False: limits.commands_per_second are exceeded. */
bool ws_allow_command(struct conn *conn);

/* The reader has failed with this close code. If that was a limit it is counted. Gives the reason for the
 * close frame, absent for none. */
struct slice ws_reader_limit(struct conn *conn, unsigned code);

#endif
