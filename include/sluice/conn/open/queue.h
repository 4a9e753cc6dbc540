/* Limits the bytes that wait to be sent to a browser. */
#ifndef SLUICE_CONN_OPEN_QUEUE_H
#define SLUICE_CONN_OPEN_QUEUE_H

#include "sluice/conn/conn.h"

/* May `more` bytes be queued? Absent: yes. Else the reason to close the connection with 1013; the
 * close has been counted, and the queue has been dropped. */
struct slice queue_limit(struct conn *conn, size_t more);

#endif
