/* A web site beside the endpoint: for --dev, which is on a floor above. */
#ifndef SLUICE_CONN_OPENING_SITE_H
#define SLUICE_CONN_OPENING_SITE_H

#include "sluice/conn/opening/opening.h"

struct site {
	void *context;
	/* A request, with its body, to a path that is none of ours. Answer it with site_answer, now or
	 * later; the request is valid until then, and so is `call`, where a later answer may keep what it
	 * needs. */
	void (*on_request)(
		void *context, struct conn *conn, const struct http_request *request, void **call);
	/* The connection closes before it was answered: it must not be touched any more. */
	void (*on_gone)(void *context, void *call);
};

/* For the site: sends a complete HTTP answer and ends the connection. */
void site_answer(struct conn *conn, struct slice answer);

/* Both: is there a site? Then the second hands the request to it. */
bool site_is_asked(const struct conn *conn);
void site_begin(struct conn *conn);

#endif
