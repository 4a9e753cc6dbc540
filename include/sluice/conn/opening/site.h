/* A web site beside the endpoint, for --dev, which is on a floor above. */
#ifndef SLUICE_CONN_OPENING_SITE_H
#define SLUICE_CONN_OPENING_SITE_H

#include "sluice/conn/opening/opening.h"

struct site {
	void *context;
	/* A request, with its body, to a path that the gateway does not serve. Answer it with
	 * site_answer, now or later. Until then the request is valid, and so is `call`, in which
	 * the site may keep what a later answer needs. */
	void (*on_request)(
		void *context, struct conn *conn, const struct http_request *request, void **call);
	/* The connection has ended before the request was answered: `conn` must not be used any
	 * more. */
	void (*on_gone)(void *context, void *call);
};

/* Called by the site: sends a complete HTTP answer and ends the connection. */
void site_answer(struct conn *conn, struct slice answer);

/* The first: is there a site? If so, the second hands the request to it. */
bool site_is_asked(const struct conn *conn);
void site_begin(struct conn *conn);

#endif
