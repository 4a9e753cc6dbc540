/* The frames of a run in the form that a connection uses. */
#ifndef SLUICE_HUB_PUBLICATION_FORMS_H
#define SLUICE_HUB_PUBLICATION_FORMS_H

#include "sluice/hub/publication_compressed.h"

/* As publication_in_form, for another form than the plain one that is probably not made yet. */
struct publication *publication_make_form(
	struct publication *publication, enum publication_form form);

/* The same publications in another form. May be called in any thread; the first caller makes the
 * form while the others wait. Borrowed, valid as long as the publication. NULL: no memory. */
static inline struct publication *publication_in_form(
	struct publication *publication, enum publication_form form)
{
	if (form == PUBLICATION_PLAIN)
		return publication;
	struct publication *made =
		atomic_load_explicit(&publication->forms[form - 1], memory_order_acquire);
	return made ? made : publication_make_form(publication, form);
}

/* The frames for a connection that uses this form and negotiated this window (8 to 15 bits), or no
 * compression (0: the last two parameters are not used). Borrowed, valid as long as the
 * publication. NULL: no memory for the form. */
static inline struct chunk *publication_frames(struct publication *publication,
	enum publication_form form, unsigned window_bits, size_t threshold,
	struct ws_deflater *deflater)
{
	publication = publication_in_form(publication, form);
	if (!publication)
		return NULL;
	if (!window_bits)
		return &publication->chunk;
	return publication_compressed(publication, window_bits, threshold, deflater);
}

#endif
