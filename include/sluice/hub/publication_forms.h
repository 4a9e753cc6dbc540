/* The frames of a run in the form that a connection uses. */
#ifndef SLUICE_HUB_PUBLICATION_FORMS_H
#define SLUICE_HUB_PUBLICATION_FORMS_H

#include "sluice/hub/publication_compressed.h"

/* The same publications in another form. May be called in any thread; the first caller makes the
 * form while the others wait. Borrowed, valid as long as the publication. NULL: no memory. */
struct publication *publication_in_form(
	struct publication *publication, enum publication_form form);

/* The frames for a connection that uses this form and negotiated this window (8 to 15 bits), or no
 * compression (0: the last two parameters are not used). Borrowed, valid as long as the
 * publication. NULL: no memory for the form. */
static inline struct chunk *publication_frames(struct publication *publication,
	enum publication_form form, unsigned window_bits, size_t threshold,
	struct ws_deflater *deflater)
{
	if (form != PUBLICATION_PLAIN)
		publication = publication_in_form(publication, form);
	if (!publication)
		return NULL;
	if (!window_bits)
		return &publication->chunk;
	return publication_compressed(publication, window_bits, threshold, deflater);
}

#endif
