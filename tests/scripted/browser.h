/* A browser at the end of a wire: it can ask to be let in, send frames, and says afterwards what it has
 * received. Whatever it was sent must make sense to it: one HTTP answer, then, if that was a 101, frames
 * as a server may send them (RFC 6455 §5), nothing behind a close frame, and publications only of
 * channels that its session may see, each channel's in order. With sluice.v1 every message is JSON, the
 * welcome the first one, and publications only of channels of which it was told that it has them. */
#ifndef SLUICE_TESTS_BROWSER_H
#define SLUICE_TESTS_BROWSER_H

#include "stage.h"

/* Somebody's session; what Redis has under its key is in browser_records. */
enum browser_session {
	SESSION_ADA,
	SESSION_BOB,
	SESSION_LOGGED_OUT,
	SESSION_EXPIRED,
	SESSION_ODD,
	SESSION_NOT_TEXT,
	SESSION_LOADING,
	SESSION_FORGED,
	SESSION_NO_COOKIE,
	SESSION_COUNT
};

extern const struct redis_record browser_records[];

/* Is in every session id, and nothing else. */
#define BROWSER_SECRET "-session-id"

/* The Redis key of a session's record, of the user's n-th device. */
enum { BROWSER_KEY_MAX = 64 };
const char *browser_key(enum browser_session session, unsigned device, char room[BROWSER_KEY_MAX]);

enum browser_channel {
	CHANNEL_NEWS,
	CHANNEL_ADA,
	CHANNEL_BOB,
	CHANNEL_RED,
	CHANNEL_A,
	CHANNEL_B,
	CHANNEL_DENIED,
	CHANNEL_STRANGE,
	CHANNEL_COUNT
};

struct browser {
	struct stage *stage;
	struct wire *wire;
	unsigned device; /* which of the user's sessions it has; 0: the one in browser_records */
	/* by browser_look */
	int status;           /* of the HTTP answer; 0: not whole yet */
	unsigned window_bits; /* of what it is sent compressed; 0: that was not agreed upon */
	size_t compressed;    /* of the publications */
	size_t received;      /* publications */
	bool v1;              /* sluice.v1 is spoken */
	size_t welcomes, heartbeats, gaps, answers;
	unsigned has; /* bits of browser_channel: it was told so */
	size_t pings, pongs, close_frames;
	unsigned close_code;          /* 1005: the frame has none */
	unsigned last[CHANNEL_COUNT]; /* which publication on it was the last; 0: none came */
	bool missed;                  /* between two that came there was another */
};

/* Has a wire, then comes to a worker; or both at once. */
void browser_prepare(struct browser *browser, struct stage *stage);
void browser_come(struct browser *browser, unsigned worker, const char *ip);
void browser_open(struct browser *browser, struct stage *stage, unsigned worker, const char *ip);

/* The gateway must have closed it, or the script ends. */
void browser_finish(struct browser *browser);

/* Sends a request for the endpoint, in the session of its device: `query` with its "?", `headers` each with CR LF. */
void browser_ask(struct browser *browser, enum browser_session session, const char *query,
	const char *headers);

/* Sends a command of sluice.v1: "subscribe" or "unsubscribe". */
void browser_command(
	struct browser *browser, const char *type, enum browser_channel channel, unsigned id);

/* Sends a masked frame; `first` is its first octet. */
void browser_frame(struct browser *browser, uint8_t first, struct slice payload);

/* Sends a masked frame whose payload is compressed; RSV1 is for the caller to set. */
void browser_compressed_frame(struct browser *browser, uint8_t first, struct slice message);

/* Publishes the channel's name and which publication on it this is, filled up to `len` bytes. */
void browser_publish(struct stage *stage, enum browser_channel channel, size_t len);

/* Reads all that was received from the beginning, and checks it. */
void browser_look(struct browser *browser);

/* Has it been let in, and neither side has closed? After browser_look. */
bool browser_is_open(const struct browser *browser);

/* ---- between browser.c and browser_look.c ---- */

/* By browser_channel; `allowed` are bits of browser_session. */
struct browser_channel_row {
	const char *name;
	unsigned allowed;
};
extern const struct browser_channel_row browser_channels[CHANNEL_COUNT];

/* Whose signed cookies or tickets are in what it has sent: bits of browser_session, SESSION_NO_COOKIE
 * always. */
unsigned browser_cookies_sent(const struct browser *browser);

#endif
