/* The forms of a run.
 *
 * A form is made when the first connection that takes it is about to be sent the run, in that
 * connection's thread; all connections of all workers then share it. It is a run of its own, with one
 * message for each message of the plain run, and has compressed frames of its own:
 *
 *	run, plain ---------> compressed for a small, a medium, a large window
 *	 `-- run, enveloped --> compressed for a small, a medium, a large window
 *
 * So the work that a form takes (is this payload JSON?) is done once per process, and not at all where
 * no connection takes it. A thread that asks while another makes the form waits for it.
 *
 * To add a form: a value of enum publication_form, a source with its maker, and a row here. */
#include "sluice/hub/publication_forms.h"

#include <pthread.h>

#include "publication_internal.h"

/* The plain form is the run as it came. */
static const publication_maker makers[PUBLICATION_FORMS] = {
	[PUBLICATION_ENVELOPED] = publication_append_enveloped,
};

/* With a reference; NULL: no memory. */
static struct publication *make(const struct publication *publication, publication_maker append)
{
	struct slice rest = slice_make(publication->chunk.bytes, publication->chunk.len);
	struct publication_run run = { 0 };
	struct buffer scratch = { 0 };
	int error = 0;
	while (rest.len && !error) {
		struct ws_frame frame;
		size_t header_len;
		struct slice whole = publication_next_frame(&rest, &frame, &header_len);
		error = append(&run, &scratch, publication_channel(publication), frame.opcode,
			slice_skip(whole, header_len));
	}
	buffer_finish(&scratch);
	struct publication *made = publication_run_take(&run);
	if (error && made) {
		publication_unref(made);
		made = NULL;
	}
	return made;
}

struct publication *publication_in_form(struct publication *publication, enum publication_form form)
{
	if (form == PUBLICATION_PLAIN)
		return publication;
	_Atomic(struct publication *) *place = &publication->forms[form - 1];
	struct publication *made = atomic_load_explicit(place, memory_order_acquire);
	if (made)
		return made;
	pthread_mutex_lock(&publication->making);
	made = atomic_load_explicit(place, memory_order_relaxed);
	if (!made) {
		made = make(publication, makers[form]);
		atomic_store_explicit(place, made, memory_order_release);
	}
	pthread_mutex_unlock(&publication->making);
	return made;
}
