/* The run as sluice.v1 has it.
 *
 *	news, "[1]"    ->    {"type":"publication","channel":"news","data":[1]}
 *
 * It is made when the first connection that speaks sluice.v1 is about to be sent the run, by the thread
 * which that happens in, and then shared by all of all workers. It is a run of its own, with one message
 * for each of the other's, and its compressed forms hang on it in turn:
 *
 *	run of plain frames ---> small, middling, large window
 *	 `-- run of envelopes --> small, middling, large window
 *
 * So whether a payload is JSON is looked at once a process, and not at all where only plain connections
 * listen. Who comes second waits for the first, as with the compressed forms. */
#include <errno.h>

#include "publication_internal.h"
#include "sluice/proto/envelope.h"

static int append_enveloped(struct publication_run *run, struct buffer *text, struct slice channel,
	enum ws_opcode opcode, struct slice payload)
{
	text->len = 0;
	int error = envelope_publication(text, channel, payload, opcode == WS_TEXT);
	return error ? error : publication_run_append(run, channel, WS_TEXT, buffer_slice(text));
}

/* With a reference; NULL: no memory. */
static struct publication *make(struct publication *publication)
{
	struct slice rest = slice_make(publication->chunk.bytes, publication->chunk.len);
	struct publication_run run = { 0 };
	struct buffer text = { 0 };
	int error = 0;
	while (rest.len && !error) {
		struct ws_frame frame;
		size_t header_len;
		struct slice whole = publication_next_frame(&rest, &frame, &header_len);
		error = append_enveloped(&run, &text, publication_channel(publication),
			frame.opcode, slice_skip(whole, header_len));
	}
	buffer_finish(&text);
	struct publication *enveloped = publication_run_take(&run);
	if (error && enveloped) {
		publication_unref(enveloped);
		enveloped = NULL;
	}
	return enveloped;
}

struct publication *publication_enveloped(struct publication *publication)
{
	_Atomic(struct publication *) *place = &publication->enveloped;
	struct publication *enveloped = atomic_load_explicit(place, memory_order_acquire);
	if (enveloped)
		return enveloped;
	pthread_mutex_lock(&publication->making);
	enveloped = atomic_load_explicit(place, memory_order_relaxed);
	if (!enveloped) {
		enveloped = make(publication);
		atomic_store_explicit(place, enveloped, memory_order_release);
	}
	pthread_mutex_unlock(&publication->making);
	return enveloped;
}
