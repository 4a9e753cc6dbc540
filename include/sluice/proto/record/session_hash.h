/* Sessions that are Redis hashes (Spring Session): one field of the hash as one member of a record. */
#ifndef SLUICE_PROTO_RECORD_SESSION_HASH_H
#define SLUICE_PROTO_RECORD_SESSION_HASH_H

#include <stdbool.h>

#include "sluice/base/slice.h"
#include "sluice/proto/text/json_print.h"

/* Writes a member. A value that is JSON is embedded as it is; that of a String as the JDK serializes it
 * is its text, and so is any other text; what else there is is {}. A name that none can be is left out.
 * `more`: is it not the first? Sets it. 0; -EMSGSIZE or -ENOMEM, as json_print. */
MUST_CHECK int session_hash_field(
	struct json_printer *printer, bool *more, struct slice name, struct slice value);

#endif
