/* Sends a browser's bytes, and publishes to browsers. */
#include "browser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "deflate.h"
#include "settings.h"
#include "sluice/proto/http/cookie.h"
#include "sluice/proto/record/session_cookie.h"
#include "sluice/proto/text/percent.h"
#include "sluice/proto/ws/ws_frame.h"

#define KEY_PREFIX "sess:"
#define TICKET     "bob" BROWSER_SECRET

static const char *const sids[SESSION_COUNT] = {
	[SESSION_ADA] = "ada" BROWSER_SECRET,
	[SESSION_BOB] = "bob" BROWSER_SECRET,
	[SESSION_LOGGED_OUT] = "out" BROWSER_SECRET,
	[SESSION_EXPIRED] = "expired" BROWSER_SECRET,
	[SESSION_ODD] = "odd" BROWSER_SECRET,
	[SESSION_NOT_TEXT] = "list" BROWSER_SECRET,
	[SESSION_LOADING] = "loading" BROWSER_SECRET,
	[SESSION_FORGED] = "ada" BROWSER_SECRET,
};

const struct redis_record browser_records[] = {
	{ "sess:ada" BROWSER_SECRET, "{\"cookie\":{\"path\":\"/\"},\"authenticated\":true,"
				     "\"userId\":\"ada\",\"teams\":[\"red\",\"blue\"]}" },
	{ "sess:bob" BROWSER_SECRET,
		"{\"cookie\":{},\"authenticated\":true,\"userId\":7,\"n\":1.50}" },
	{ "sess:out" BROWSER_SECRET, "{\"cookie\":{},\"authenticated\":false}" },
	{ "sess:odd" BROWSER_SECRET, "{\"cookie\":{" },
	{ "sess:list" BROWSER_SECRET, NULL, "-WRONGTYPE Operation against a key\r\n" },
	{ "sess:loading" BROWSER_SECRET, NULL, "-LOADING Redis is loading the dataset\r\n" },
	{ "ticket:" TICKET,
		"{\"authenticated\":true,\"userId\":7,\"session\":\"sess:bob" BROWSER_SECRET
		"\"}" },
	{ NULL },
};

/* Who may see a channel: bits of browser_session. */
enum {
	ADA = 1 << SESSION_ADA,
	BOB = 1 << SESSION_BOB,
	ANYONE = ADA | BOB | 1 << SESSION_NO_COOKIE
};

const struct browser_channel_row browser_channels[CHANNEL_COUNT] = {
	[CHANNEL_NEWS] = { "news", ADA | BOB },
	[CHANNEL_ADA] = { "user:ada", ADA },
	[CHANNEL_BOB] = { "user:7", BOB },
	[CHANNEL_RED] = { "team:red", ADA },
	[CHANNEL_A] = { "public:a", ANYONE },
	[CHANNEL_B] = { "public:b", ANYONE },
	[CHANNEL_DENIED] = { "public:denied", 0 },
	[CHANNEL_STRANGE] = { "secret", 0 },
};

void browser_prepare(struct browser *browser, struct stage *stage)
{
	*browser = (struct browser){ .stage = stage, .wire = wire_create() };
}

void browser_come(struct browser *browser, unsigned worker, const char *ip)
{
	stage_accept(browser->stage, worker, browser->wire, ip);
}

void browser_open(struct browser *browser, struct stage *stage, unsigned worker, const char *ip)
{
	browser_prepare(browser, stage);
	browser_come(browser, worker, ip);
}

void browser_finish(struct browser *browser)
{
	MUST(browser->wire->closed);
	wire_destroy(browser->wire);
}

static void send_format(struct browser *browser, const char *format, ...) PRINTF_LIKE(2, 3);

static void send_format(struct browser *browser, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	va_start(arguments, format);
	int len = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	MUST(len >= 0 && (size_t)len < sizeof(text));
	wire_send(browser->wire, slice_make(text, (size_t)len));
}

const char *browser_key(enum browser_session session, unsigned device, char room[BROWSER_KEY_MAX])
{
	if (device)
		snprintf(room, BROWSER_KEY_MAX, KEY_PREFIX "%s-%u", sids[session], device);
	else
		snprintf(room, BROWSER_KEY_MAX, KEY_PREFIX "%s", sids[session]);
	return room;
}

/* Returns `cookie`, NUL-terminated. */
static const char *make_cookie(const struct browser *browser, enum browser_session session,
	bool is_signed, char cookie[SESSION_COOKIE_MAX])
{
	const char *secret = session == SESSION_FORGED ? "guessed" : SETTINGS_SECRET;
	char key[BROWSER_KEY_MAX];
	const char *sid = browser_key(session, browser->device, key) + strlen(KEY_PREFIX);
	if (!is_signed) {
		snprintf(cookie, SESSION_COOKIE_MAX, "%s", sid);
		return cookie;
	}
	allocations_spare();
	ssize_t len = session_cookie_sign(SESSION_SIGNATURE_CONNECT, slice_of(secret),
		slice_of(sid), cookie, SESSION_COOKIE_MAX - 1);
	allocations_resume();
	MUST(len > 0);
	cookie[len] = '\0';
	return cookie;
}

static bool wants_signature(const struct browser *browser)
{
	return browser->stage->settings->session.signature != SESSION_SIGNATURE_NONE;
}

void browser_ask(struct browser *browser, enum browser_session session, const char *query,
	const char *headers)
{
	char cookie[SESSION_COOKIE_MAX];
	send_format(browser,
		"GET /ws%s HTTP/1.1\r\n"
		"Host: sluice.test\r\n"
		"Upgrade: websocket\r\n"
		"Connection: keep-alive, Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
		"Sec-WebSocket-Version: 13\r\n"
		"%s",
		query, headers);
	if (session != SESSION_NO_COOKIE)
		send_format(browser, "Cookie: connect.sid=%s\r\n",
			make_cookie(browser, session, wants_signature(browser), cookie));
	send_format(browser, "\r\n");
}

void browser_frame(struct browser *browser, uint8_t first, struct slice payload)
{
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t header[WS_SERVER_HEADER_MAX];
	size_t len = ws_frame_format(header, WS_TEXT, true, payload.len);
	header[0] = first;
	header[1] |= 0x80; /* MASK */
	wire_send(browser->wire, slice_make((const char *)header, len));
	wire_send(browser->wire, slice_make((const char *)key, sizeof(key)));
	for (size_t i = 0; i < payload.len; i++) {
		char octet = (char)(payload.at[i] ^ key[i % 4]);
		wire_send(browser->wire, slice_make(&octet, 1));
	}
}

void browser_command(
	struct browser *browser, const char *type, enum browser_channel channel, unsigned id)
{
	char text[128];
	int len = snprintf(text, sizeof(text), "{\"type\":\"%s\",\"id\":%u,\"channel\":\"%s\"}",
		type, id, browser_channels[channel].name);
	browser_frame(browser, 0x81, slice_make(text, (size_t)len));
}

void browser_compressed_frame(struct browser *browser, uint8_t first, struct slice message)
{
	struct buffer payload = { 0 };
	allocations_spare();
	deflate_message(message, &payload);
	browser_frame(browser, first, buffer_slice(&payload));
	buffer_finish(&payload);
	allocations_resume();
}

void browser_publish(struct stage *stage, enum browser_channel channel, size_t len)
{
	struct buffer payload = { 0 };
	allocations_spare();
	MUST(buffer_printf(&payload, "%s %u ", browser_channels[channel].name,
		     ++stage->published[channel]) == 0);
	while (payload.len < len)
		MUST(buffer_append_slice(&payload, SLICE(".")) == 0);
	redis_publish(slice_of(browser_channels[channel].name), buffer_slice(&payload));
	buffer_finish(&payload);
	allocations_resume();
}

unsigned browser_cookies_sent(const struct browser *browser)
{
	unsigned who = 1 << SESSION_NO_COOKIE;
	char cookie[SESSION_COOKIE_MAX];
	struct slice sent = buffer_slice(&browser->wire->sent);
	char *decoded = malloc(sent.len + 1);
	size_t len = 0;
	MUST(decoded);
	for (size_t i = 0; i < sent.len; i++) {
		ssize_t one = -1;
		if (sent.at[i] == '%' && sent.len - i >= 3)
			one = percent_decode(slice_make(sent.at + i, 3), decoded + len, 1);
		if (one == 1)
			i += 2;
		else
			decoded[len] = sent.at[i];
		len++;
	}
	for (unsigned session = SESSION_ADA; session <= SESSION_BOB; session++) {
		make_cookie(browser, session, true, cookie);
		if (memmem(decoded, len, cookie, strlen(cookie)))
			who |= 1U << session;
		make_cookie(browser, session, false, cookie);
		if (browser->stage->believes_ids && memmem(decoded, len, cookie, strlen(cookie)))
			who |= 1U << session;
	}
	if (memmem(decoded, len, "ticket=" TICKET, strlen("ticket=" TICKET)) ||
		memmem(decoded, len, "ticket." TICKET, strlen("ticket." TICKET)))
		who |= 1U << SESSION_BOB;
	free(decoded);
	return who;
}
