#include "browser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "deflate.h"
#include "settings.h"
#include "sluice/proto/cookie.h"
#include "sluice/proto/session_cookie.h"
#include "sluice/proto/ws_close.h"
#include "sluice/proto/ws_frame.h"
#include "sluice/proto/ws_handshake.h"

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
	{ NULL },
};

/* Who may see a channel: bits of browser_session. */
enum {
	ADA = 1 << SESSION_ADA,
	BOB = 1 << SESSION_BOB,
	ANYONE = ADA | BOB | 1 << SESSION_NO_COOKIE
};

static const struct {
	const char *name;
	unsigned allowed;
} channels[CHANNEL_COUNT] = {
	[CHANNEL_NEWS] = { "news", ADA | BOB },
	[CHANNEL_ADA] = { "user:ada", ADA },
	[CHANNEL_BOB] = { "user:7", BOB },
	[CHANNEL_RED] = { "team:red", ADA },
	[CHANNEL_A] = { "public:a", ANYONE },
	[CHANNEL_B] = { "public:b", ANYONE },
	[CHANNEL_DENIED] = { "public:denied", 0 },
	[CHANNEL_STRANGE] = { "secret", 0 },
};

/* Of a frame's first two octets. */
enum { FIN = 0x80, RSV1 = 0x40, RSV23 = 0x30, MASKED = 0x80 };

/* ---- what it sends ---- */

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

/* Gives `cookie`, NUL-terminated. */
static const char *sign(enum browser_session session, char cookie[SESSION_COOKIE_MAX])
{
	const char *secret = session == SESSION_FORGED ? "guessed" : SETTINGS_SECRET;
	allocations_spare();
	ssize_t len = session_cookie_sign(SESSION_SIGNATURE_CONNECT, slice_of(secret),
		slice_of(sids[session]), cookie, SESSION_COOKIE_MAX - 1);
	allocations_resume();
	MUST(len > 0);
	cookie[len] = '\0';
	return cookie;
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
		send_format(browser, "Cookie: connect.sid=%s\r\n", sign(session, cookie));
	send_format(browser, "\r\n");
}

void browser_frame(struct browser *browser, uint8_t first, struct slice payload)
{
	static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
	uint8_t header[WS_SERVER_HEADER_MAX];
	size_t len = ws_frame_format(header, WS_TEXT, true, payload.len);
	header[0] = first;
	header[1] |= MASKED;
	wire_send(browser->wire, slice_make((const char *)header, len));
	wire_send(browser->wire, slice_make((const char *)key, sizeof(key)));
	for (size_t i = 0; i < payload.len; i++) {
		char octet = (char)(payload.at[i] ^ key[i % 4]);
		wire_send(browser->wire, slice_make(&octet, 1));
	}
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
	MUST(buffer_printf(
		     &payload, "%s %u ", channels[channel].name, ++stage->published[channel]) == 0);
	while (payload.len < len)
		MUST(buffer_append_slice(&payload, SLICE(".")) == 0);
	redis_publish(slice_of(channels[channel].name), buffer_slice(&payload));
	buffer_finish(&payload);
	allocations_resume();
}

/* ---- what it receives ---- */

/* Whose signed cookies are in what it has sent: bits of browser_session. */
static unsigned cookies_sent(const struct browser *browser)
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
			one = percent_decode(slice_make(sent.at + i, 3), decoded + len);
		if (one == 1)
			i += 2;
		else
			decoded[len] = sent.at[i];
		len++;
	}
	for (unsigned session = SESSION_ADA; session <= SESSION_BOB; session++) {
		sign(session, cookie);
		if (memmem(decoded, len, cookie, strlen(cookie)))
			who |= 1U << session;
	}
	free(decoded);
	return who;
}

/* `text` is a channel's name and which publication on it this is. */
static void see_publication(struct browser *browser, unsigned who, struct slice text)
{
	struct slice name = slice_cut(&text, ' ');
	size_t i = 0;
	if (browser->stage->redis.spoke_raw)
		return;
	while (i < CHANNEL_COUNT && !slice_equal(name, slice_of(channels[i].name)))
		i++;
	MUST(i < CHANNEL_COUNT && channels[i].allowed & who && text.len);
	unsigned serial = (unsigned)strtoul(text.at, NULL, 10), *last = &browser->last[i];
	MUST(serial > *last && serial <= browser->stage->published[i]);
	browser->missed |= *last && serial != *last + 1;
	*last = serial;
}

static void see_close(struct browser *browser, struct slice payload)
{
	struct slice reason;
	MUST(ws_close_parse(payload, &browser->close_code, &reason) == 0);
	browser->close_frames++;
}

static void see_data(struct browser *browser, unsigned who, uint8_t first, struct slice payload)
{
	struct buffer message = { 0 };
	if (first & RSV1) {
		MUST(browser->window_bits);
		inflate_message(payload, browser->window_bits, &message);
		payload = buffer_slice(&message);
		browser->compressed++;
	}
	MUST((first & 0xf) == WS_BINARY || ((first & 0xf) == WS_TEXT && utf8_is_valid(payload)));
	browser->received++;
	see_publication(browser, who, payload);
	buffer_finish(&message);
}

static void see_frame(struct browser *browser, unsigned who, uint8_t first, struct slice payload)
{
	MUST(browser->close_frames == 0);
	if (!ws_opcode_is_control(first & 0xf)) {
		see_data(browser, who, first, payload);
		return;
	}
	MUST(!(first & RSV1));
	switch (first & 0xf) {
	case WS_PING:
		browser->pings++;
		break;
	case WS_PONG:
		browser->pongs++;
		break;
	default:
		MUST((first & 0xf) == WS_CLOSE);
		see_close(browser, payload);
		break;
	}
}

/* Cuts the frame at the front off. False: it is not whole. */
static bool cut_frame(struct slice *bytes, uint8_t *ret_first, struct slice *ret_payload)
{
	const uint8_t *at = (const uint8_t *)bytes->at;
	size_t header = 2, len;
	if (bytes->len < header)
		return false;
	MUST(at[0] & FIN && !(at[0] & RSV23));
	MUST(!(at[1] & MASKED));
	len = at[1];
	if (len >= 126) {
		size_t octets = len == 126 ? 2 : 8, least = len == 126 ? 126 : 65536;
		header += octets;
		if (bytes->len < header)
			return false;
		len = 0;
		for (size_t i = 2; i < header; i++)
			len = len * 256 + at[i];
		MUST(len >= least && !ws_opcode_is_control(at[0] & 0xf));
	}
	if (bytes->len - header < len)
		return false;
	*ret_first = at[0];
	*ret_payload = slice_make(bytes->at + header, len);
	*bytes = slice_skip(*bytes, header + len);
	return true;
}

/* Cuts the head of the answer off. False: it is not whole. */
static bool cut_answer(struct slice *bytes, int *ret_status, struct slice *ret_head)
{
	const char *end = bytes->len ? memmem(bytes->at, bytes->len, "\r\n\r\n", 4) : NULL;
	if (!end)
		return false;
	*ret_head = slice_make(bytes->at, (size_t)(end - bytes->at));
	MUST(slice_starts_with(*ret_head, SLICE("HTTP/1.1 ")));
	*ret_status = atoi(ret_head->at + strlen("HTTP/1.1 "));
	MUST(http_status_text(*ret_status)[0]);
	*bytes = slice_skip(*bytes, ret_head->len + 4);
	return true;
}

/* What is behind a refusal is its body, and no more. */
static void check_body(struct slice head, struct slice body)
{
	static const char name[] = "Content-Length: ";
	const char *length = memmem(head.at, head.len, name, strlen(name));
	MUST(length && body.len <= strtoul(length + strlen(name), NULL, 10));
	MUST(!memmem(head.at, head.len, "Sec-WebSocket-Accept", 20));
}

/* 0: there is no compression. */
static unsigned agreed_window(struct slice head)
{
	static const char extension[] = "\r\nSec-WebSocket-Extensions: permessage-deflate; "
					"server_no_context_takeover; client_no_context_takeover";
	static const char window[] = "; server_max_window_bits=";
	const char *at = memmem(head.at, head.len, extension, strlen(extension));
	MUST(at || !memmem(head.at, head.len, "Extensions", strlen("Extensions")));
	if (!at)
		return 0;
	struct slice rest = slice_skip(head, (size_t)(at - head.at) + strlen(extension));
	return slice_starts_with(rest, slice_of(window))
		       ? (unsigned)strtoul(rest.at + strlen(window), NULL, 10)
		       : 15;
}

static void look(struct browser *browser)
{
	struct slice bytes = buffer_slice(&browser->wire->received), head, payload;
	uint8_t first;
	if (!cut_answer(&bytes, &browser->status, &head))
		return;
	if (browser->status != 101) {
		check_body(head, bytes);
		return;
	}
	unsigned who = cookies_sent(browser);
	MUST(browser->stage->admits_anyone ||
		(who & (ADA | BOB) && browser->stage->redis.gets > 0));
	browser->window_bits = agreed_window(head);
	while (cut_frame(&bytes, &first, &payload))
		see_frame(browser, who, first, payload);
}

void browser_look(struct browser *browser)
{
	*browser = (struct browser){ .stage = browser->stage, .wire = browser->wire };
	allocations_spare();
	look(browser);
	allocations_resume();
}

bool browser_is_open(const struct browser *browser)
{
	return browser->status == 101 && !browser->close_frames && !browser->wire->ended &&
	       !browser->wire->closed;
}
