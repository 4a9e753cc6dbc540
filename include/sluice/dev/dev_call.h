/* A request of the demo page that needs Redis: it is answered when the session or a reply has
 * arrived. Each call ends with an answer, or without one if the browser has gone meanwhile. */
#ifndef SLUICE_DEV_DEV_CALL_H
#define SLUICE_DEV_DEV_CALL_H

#include "sluice/auth/sessions.h"
#include "sluice/base/buffer.h"
#include "sluice/conn/opening/site.h"
#include "sluice/proto/record/session_cookie.h"

struct dev_call {
	struct conn *conn; /* NULL: the browser has gone */
	struct session_waiter waiter;
	void (*with_session)(struct dev_call *call, const struct identity *identity);
	/* Of the request; each may be absent. Valid while `conn` is. */
	struct slice sid, channel, body;
	char cookie[SESSION_COOKIE_MAX], name[CHANNEL_NAME_MAX * 3];
	struct buffer answer; /* once the command has succeeded */
};

/* Answers with the page's security headers. `headers`: more of them, each with its CR LF. */
void dev_answer(
	struct conn *conn, int status, const char *type, struct slice headers, struct slice body);
void dev_refuse(struct conn *conn, int status, const char *why);

/* NULL: out of memory. */
struct dev_call *dev_call_begin(struct conn *conn, const struct http_request *request);

/* Answers, if the browser is still there, and ends the call. */
void dev_call_answer(struct dev_call *call, int status, const char *type, struct slice headers,
	struct slice body);
void dev_call_refuse(struct dev_call *call, int status, const char *why);

/* Looks the session up, now or later, and goes on with its identity; NULL: nobody is logged in. The
 * callee ends the call or begins a command. */
void dev_call_find_session(struct dev_call *call,
	void (*with_session)(struct dev_call *call, const struct identity *identity));

/* Sends a command to Redis and ends the call: answers 204 with `headers` once the command has
 * succeeded. The words are borrowed. */
void dev_call_command(
	struct dev_call *call, const struct slice *words, size_t n, struct slice headers);

/* The session's key in Redis: its length, or a negative errno. */
ssize_t dev_call_session_key(const struct dev_call *call, char *key, size_t size);

#endif
