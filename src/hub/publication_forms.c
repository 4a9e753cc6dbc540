/* The forms of a run.
 *
 * A form is made just before the run is sent to the first connection that uses the form, in that
 * connection's thread; all connections of all workers then share it. It is a run of its own, with
 * one message for each message of the plain run, and has its own compressed frames:
 *
 *	run, plain ---------> compressed for a small, a medium, a large window
 *	 `-- run, enveloped --> compressed for a small, a medium, a large window
 *
 * So the work for a form (is this payload JSON?) is done once per process, or not at all if no
 * connection uses the form. If a thread needs a form that another thread is making, it waits.
 *
 * To add a form: a value of enum publication_form, a source with its maker, and a row here. */
#include "sluice/hub/publication_forms.h"

#include <pthread.h>

#include "publication_internal.h"

/* The plain form is the run itself. */
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

struct publication *publication_make_form(
	struct publication *publication, enum publication_form form)
{
	_Atomic(struct publication *) *place = &publication->forms[form - 1];
	pthread_mutex_lock(&publication->making);
	struct publication *made = atomic_load_explicit(place, memory_order_relaxed);
	if (!made) {
		made = make(publication, makers[form]);
		atomic_store_explicit(place, made, memory_order_release);
	}
	pthread_mutex_unlock(&publication->making);
	return made;
}
