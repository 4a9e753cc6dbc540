/* Log-in and log-out of the demo page, as a backend with express-session and connect-redis would do
 * them: a session in Redis, and a signed cookie. */
#ifndef SLUICE_DEV_DEV_LOGIN_H
#define SLUICE_DEV_DEV_LOGIN_H

#include <stdbool.h>

#include "sluice/dev/dev_call.h"

/* A name that needs no escaping, in JSON or anywhere. */
bool dev_login_is_user(struct slice user);

/* {"user":"…"} in the request's body: SETs the session and its cookie. Ends the call. */
void dev_log_in(struct dev_call *call);

/* DELetes the session and clears the cookie. Ends the call. */
void dev_log_out(struct dev_call *call);

#endif
