/* Plain connections: each publication is sent as one message with its bytes unchanged, and nothing
 * else is ever sent. Messages from the client are checked and discarded. */
#include "sluice/conn/open/dialect.h"

const struct dialect dialect_plain = { .form = PUBLICATION_PLAIN };
