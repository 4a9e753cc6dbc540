/* A publication as a message of sluice.v1.
 *
 *	news, "[1]"    ->    {"type":"publication","channel":"news","data":[1]} */
#include "publication_internal.h"
#include "sluice/proto/envelope.h"

int publication_append_enveloped(struct publication_run *run, struct buffer *scratch,
	struct slice channel, enum ws_opcode opcode, struct slice payload)
{
	scratch->len = 0;
	int error = envelope_publication(scratch, channel, payload, opcode == WS_TEXT);
	return error ? error : publication_run_append(run, channel, WS_TEXT, buffer_slice(scratch));
}
