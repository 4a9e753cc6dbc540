/* The compressed forms of a run.
 *
 * A publication is compressed once for each form that somebody needs, however many receive it:
 * without context takeover (RFC 7692 §7.1.1.1) the compressed bytes depend on nothing but the
 * payload and the window, so one form serves all connections of all workers. They are made when the
 * first of these connections is about to be sent the run, as the home of a channel does not know who
 * listens and how.
 *
 * What is compressed for a small window is good for any larger one, too. So the eight windows share
 * three forms, each made for the smallest of its windows: who opens a connection for every window
 * must not have everything compressed eight times.
 *
 * Two workers may want the same form at the same time. The second waits for the first: it would be
 * busy for as long with compressing, and this way one processor is spared.
 *
 * A form that gains nothing is the plain one, by reference to itself: found out once, too.
 *
 * The run's frames are read back from its bytes, which are ours and therefore right. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "publication_internal.h"
#include "sluice/base/buffer.h"

/* What is needed while one form is made. */
struct form {
	struct buffer frames;
	unsigned window_bits;
	size_t threshold;
	struct ws_deflater *deflater;
	bool gained; /* at least one payload was compressed */
};

static const uint8_t form_window_bits[PUBLICATION_FORMS] = { WS_WINDOW_BITS_MIN, 12,
	WS_WINDOW_BITS_MAX };

/* The largest that a browser with this window can read. */
static unsigned form_for(unsigned window_bits)
{
	unsigned number = PUBLICATION_FORMS - 1;
	while (number && form_window_bits[number] > window_bits)
		number--;
	return number;
}

/* Appends the payload as a compressed frame. -E2BIG: that would not be smaller; or -ENOMEM. */
static int append_compressed(struct form *form, enum ws_opcode opcode, struct slice payload)
{
	/* The header is as long as that of the plain frame at most, and is put in front when the
	 * length is known. */
	int error = buffer_reserve(&form->frames, WS_SERVER_HEADER_MAX + payload.len);
	if (error)
		return error;
	char *frame = form->frames.bytes + form->frames.len;
	size_t len =
		payload.len; /* no more room than now: what does not get smaller does not fit */
	error = ws_deflate(
		form->deflater, form->window_bits, payload, frame + WS_SERVER_HEADER_MAX, &len);
	if (error)
		return error;
	size_t header_len = ws_frame_format_compressed((uint8_t *)frame, opcode, true, len);
	memmove(frame + header_len, frame + WS_SERVER_HEADER_MAX, len);
	form->frames.len += header_len + len;
	form->gained = true;
	return 0;
}

static int append_frame(
	struct form *form, struct slice whole, const struct ws_frame *frame, size_t header_len)
{
	struct slice payload = slice_make(whole.at + header_len, whole.len - header_len);
	int error = -E2BIG;
	if (payload.len && payload.len >= form->threshold)
		error = append_compressed(form, frame->opcode, payload);
	return error == -E2BIG ? buffer_append_slice(&form->frames, whole) : error;
}

/* The chunk of a form, with a reference; NULL: no memory. */
static struct chunk *make(struct publication *publication, struct form *form)
{
	struct slice rest = slice_make(publication->chunk.bytes, publication->chunk.len);
	int error = 0;
	while (rest.len && !error) {
		struct ws_frame frame;
		size_t header_len;
		struct slice whole = publication_next_frame(&rest, &frame, &header_len);
		error = append_frame(form, whole, &frame, header_len);
	}
	if (error)
		return NULL;
	if (!form->gained)
		return &publication->chunk;
	return chunk_create(form->frames.bytes, form->frames.len);
}

struct chunk *publication_compressed(struct publication *publication, unsigned window_bits,
	size_t threshold, struct ws_deflater *deflater)
{
	unsigned number = form_for(window_bits);
	_Atomic(struct chunk *) *place = &publication->compressed[number];
	struct chunk *chunk = atomic_load_explicit(place, memory_order_acquire);
	if (chunk)
		return chunk;
	struct form form = { .window_bits = form_window_bits[number],
		.threshold = threshold,
		.deflater = deflater };
	pthread_mutex_lock(&publication->making);
	chunk = atomic_load_explicit(place, memory_order_relaxed);
	if (!chunk) {
		chunk = make(publication, &form);
		atomic_store_explicit(place, chunk, memory_order_release);
	}
	pthread_mutex_unlock(&publication->making);
	buffer_finish(&form.frames);
	return chunk ? chunk : &publication->chunk;
}
