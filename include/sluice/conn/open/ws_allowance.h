/* Limits what a browser may send over a WebSocket in a second. */
#ifndef SLUICE_CONN_OPEN_WS_ALLOWANCE_H
#define SLUICE_CONN_OPEN_WS_ALLOWANCE_H

#include "sluice/conn/conn.h"
#include "sluice/conn/open/ws_shared.h"

/* To be called before bytes are fed to the reader: renews the allowance of frames and commands when
 * a new second has begun. */
void ws_allow_frames(struct conn *conn);

/* Counts a command. False: limits.commands_per_second is exceeded. */
bool ws_allow_command(struct conn *conn);

/* The reader has failed with this close code. Counts it if a limit was the cause. Returns the
 * reason for the close frame; absent: none. */
struct slice ws_reader_limit(struct conn *conn, unsigned code);

#endif
