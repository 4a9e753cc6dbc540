/* A browser at the end of a wire: it can send a handshake and frames, and reports what it has
 * received. The received bytes must be valid: one HTTP answer; then, if that was a 101, frames as a
 * server may send them (RFC 6455 §5), nothing behind a close frame, and only publications on
 * channels that its session may see, in order on each channel. With sluice.v1 every message is
 * JSON, the welcome is the first, and there are only publications on channels that were confirmed
 * to the browser. */
#ifndef SLUICE_TESTS_BROWSER_H
#define SLUICE_TESTS_BROWSER_H

#include "stage.h"

/* A user's session; its record in Redis is in browser_records. */
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

/* Is contained in every session id, and in nothing else. */
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
	unsigned device; /* the number of the user's session; 0: the one in browser_records */
	/* by browser_look */
	int status;           /* of the HTTP answer; 0: not whole yet */
	unsigned window_bits; /* of permessage-deflate; 0: not negotiated */
	size_t compressed;    /* of the publications */
	size_t received;      /* publications */
	bool v1;              /* sluice.v1 is spoken */
	size_t welcomes, heartbeats, gaps, answers;
	unsigned has; /* bits of browser_channel, as confirmed to the browser */
	size_t pings, pongs, close_frames;
	unsigned close_code;          /* 1005: the frame has none */
	unsigned last[CHANNEL_COUNT]; /* number of the last publication on it; 0: none */
	bool missed;                  /* a publication between two received ones is missing */
};

/* Creates a wire, then connects it to a worker; or both at once. */
void browser_prepare(struct browser *browser, struct stage *stage);
void browser_come(struct browser *browser, unsigned worker, const char *ip);
void browser_open(struct browser *browser, struct stage *stage, unsigned worker, const char *ip);

/* The gateway must have closed it, or the script ends. */
void browser_finish(struct browser *browser);

/* Sends a request for the endpoint, in the session of its device: `query` with its "?", `headers`
 * each with CR LF. */
void browser_ask(struct browser *browser, enum browser_session session, const char *query,
	const char *headers);

/* Sends a command of sluice.v1: "subscribe" or "unsubscribe". */
void browser_command(
	struct browser *browser, const char *type, enum browser_channel channel, unsigned id);

/* Sends a masked frame; `first` is its first byte. */
void browser_frame(struct browser *browser, uint8_t first, struct slice payload);

/* Sends a masked frame whose payload is compressed; RSV1 is for the caller to set. */
void browser_compressed_frame(struct browser *browser, uint8_t first, struct slice message);

/* Publishes the channel's name and the number of the publication on it, filled up to `len`
 * bytes. */
void browser_publish(struct stage *stage, enum browser_channel channel, size_t len);

/* Reads all received bytes from the beginning, and checks them. */
void browser_look(struct browser *browser);

/* Is it connected, and has neither side closed? Call it after browser_look. */
bool browser_is_open(const struct browser *browser);

/* ---- between browser.c and browser_look.c ---- */

/* By browser_channel; `allowed` are bits of browser_session. */
struct browser_channel_row {
	const char *name;
	unsigned allowed;
};
extern const struct browser_channel_row browser_channels[CHANNEL_COUNT];

/* The users whose signed cookies or tickets it has sent: bits of browser_session, always with
 * SESSION_NO_COOKIE. */
unsigned browser_cookies_sent(const struct browser *browser);

#endif
