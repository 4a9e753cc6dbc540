/* Plain connections: each publication is one message, its bytes untouched, and nothing else is ever
 * sent. What the client sends is checked and thrown away. */
#include "sluice/conn/open/dialect.h"

const struct dialect dialect_plain = { .form = PUBLICATION_PLAIN };
