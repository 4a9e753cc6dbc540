#include "sluice/conn/opening/site.h"

#include "sluice/conn/opening/refuse.h"

static const struct site *site_of(const struct conn *conn)
{
	return conn->shared->opening->site;
}

static void leave(struct conn *conn)
{
	struct opening *opening = conn->opening;
	if (opening->at_site)
		site_of(conn)->on_gone(site_of(conn)->context, opening->call);
	opening_leave(conn);
}

/* The request's deadline continues: the site has the rest of that time to answer. */
static const struct conn_phase at_site = {
	.on_end = opening_on_end,
	.on_limit = opening_on_limit,
	.leave = leave,
};

void site_answer(struct conn *conn, struct slice answer)
{
	conn->opening->at_site = false;
	opening_answer(conn, answer);
}

bool site_is_asked(const struct conn *conn)
{
	return site_of(conn) != NULL;
}

void site_begin(struct conn *conn)
{
	struct opening *opening = conn->opening;
	conn_enter(conn, &at_site);
	opening->at_site = true;
	site_of(conn)->on_request(site_of(conn)->context, conn, &opening->request, &opening->call);
}
