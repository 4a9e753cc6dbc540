/* Sessions that are Redis hashes (Spring Session): each field becomes a member of the record. */
#ifndef SLUICE_PROTO_RECORD_SESSION_HASH_H
#define SLUICE_PROTO_RECORD_SESSION_HASH_H

#include <stdbool.h>

#include "sluice/base/slice.h"
#include "sluice/proto/text/json_print.h"

/* Prints a member. A value that is JSON is embedded as it is; a String as the JDK serializes it,
 * and any other UTF-8, becomes a string; everything else becomes {}. A field that cannot be a name
 * is left out. `more`: a member has been printed before; updated. 0, -EMSGSIZE or -ENOMEM, as in
 * json_print.h. */
MUST_CHECK int session_hash_field(
	struct json_printer *printer, bool *more, struct slice name, struct slice value);

#endif
