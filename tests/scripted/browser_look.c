/* browser_look: reads and checks the bytes that a browser has received. */
#include <stdlib.h>
#include <string.h>

#include "allocations.h"
#include "browser.h"
#include "deflate.h"
#include "sluice/proto/http/http_answer.h"
#include "sluice/proto/text/json_text.h"
#include "sluice/proto/text/utf8.h"
#include "sluice/proto/ws/ws_close.h"
#include "sluice/proto/ws/ws_frame.h"
#include "sluice/proto/ws/ws_handshake.h"

/* Of a frame's first two bytes. */
enum { FIN = 0x80, RSV1 = 0x40, RSV23 = 0x30, MASKED = 0x80 };

/* `text` is a channel's name and the number of a publication on it. */
static void see_publication(struct browser *browser, unsigned who, struct slice text)
{
	struct slice name = slice_cut(&text, ' ');
	size_t i = 0;
	if (browser->stage->redis.spoke_raw)
		return;
	while (i < CHANNEL_COUNT && !slice_equal(name, slice_of(browser_channels[i].name)))
		i++;
	MUST(i < CHANNEL_COUNT && browser_channels[i].allowed & who && text.len);
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

/* ---- sluice.v1 ---- */

/* The text between `before` and `after`; absent: not found. */
static struct slice between(struct slice text, const char *before, const char *after)
{
	const char *at = memmem(text.at, text.len, before, strlen(before));
	if (!at)
		return (struct slice){ 0 };
	struct slice rest = slice_skip(text, (size_t)(at - text.at) + strlen(before));
	const char *end = memmem(rest.at, rest.len, after, strlen(after));
	MUST(end);
	return slice_make(rest.at, (size_t)(end - rest.at));
}

/* The browser has been subscribed to the channel, or unsubscribed. */
static void see_change(struct browser *browser, unsigned who, struct slice name, bool has)
{
	for (unsigned i = 0; i < CHANNEL_COUNT; i++) {
		if (!slice_equal(name, slice_of(browser_channels[i].name)))
			continue;
		MUST(!has || browser_channels[i].allowed & who);
		browser->has &= ~(1U << i);
		browser->has |= (unsigned)has << i;
		browser->last[i] = 0; /* the next publication may have any number */
	}
}

static void see_welcome(struct browser *browser, unsigned who, struct slice text)
{
	struct slice names = between(text, "\"channels\":[", "]");
	MUST(browser->welcomes++ == 0 && names.at);
	while (names.len) {
		struct slice name = slice_cut(&names, ',');
		MUST(name.len > 2);
		see_change(browser, who, slice_make(name.at + 1, name.len - 2), true);
	}
}

static void see_enveloped(struct browser *browser, unsigned who, struct slice text)
{
	struct slice name = between(text, "\"channel\":\"", "\""),
		     data = between(text, "\"data\":\"", "\"}");
	if (browser->stage->redis.spoke_raw)
		return;
	MUST(name.len && data.len && slice_starts_with(data, name));
	for (unsigned i = 0; i < CHANNEL_COUNT; i++)
		MUST(!slice_equal(name, slice_of(browser_channels[i].name)) ||
			browser->has >> i & 1);
	browser->received++;
	see_publication(browser, who, data);
}

static void see_message(struct browser *browser, unsigned who, struct slice text)
{
	struct slice type = between(text, "{\"type\":\"", "\""),
		     name = between(text, "\"channel\":\"", "\"");
	MUST(type.at && json_text_is_valid(text, 256));
	MUST(slice_equal(type, SLICE("welcome")) == !browser->welcomes);
	if (slice_equal(type, SLICE("welcome")))
		see_welcome(browser, who, text);
	else if (slice_equal(type, SLICE("publication")))
		see_enveloped(browser, who, text);
	else if (slice_equal(type, SLICE("heartbeat")))
		browser->heartbeats++;
	else if (slice_equal(type, SLICE("gap")))
		browser->gaps++;
	else
		browser->answers++;
	if (slice_equal(type, SLICE("subscribed")) && !browser->stage->redis.spoke_raw)
		see_change(browser, who, name, true);
	if (slice_equal(type, SLICE("unsubscribed")))
		see_change(browser, who, name, false);
}

/* ---- frames ---- */

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
	if (browser->v1) {
		MUST((first & 0xf) == WS_TEXT);
		see_message(browser, who, payload);
	} else {
		browser->received++;
		see_publication(browser, who, payload);
	}
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

/* Takes a frame off the front. False: it is not whole. */
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

/* Takes the head of the answer off the front. False: it is not whole. */
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

/* A refusal is followed by its body and nothing else. */
static void check_body(struct slice head, struct slice body)
{
	static const char name[] = "Content-Length: ";
	const char *length = memmem(head.at, head.len, name, strlen(name));
	bool complete = length ? body.len <= strtoul(length + strlen(name), NULL, 10)
			       : slice_starts_with(head, SLICE("HTTP/1.1 204 ")) && !body.len;
	MUST(complete);
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

/* A 101 that is followed by a close frame and nothing else. */
static void check_rejected(const struct browser *browser)
{
	MUST(!browser->received && !browser->welcomes && !browser->pings && !browser->pongs);
	MUST(!browser->close_frames || browser->close_code == WS_CLOSE_SESSION_ENDED);
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
	unsigned who = browser_cookies_sent(browser);
	bool may_stay = browser->stage->admits_anyone ||
			(who & ~(1U << SESSION_NO_COOKIE) && browser->stage->redis.gets > 0);
	MUST(may_stay || browser->stage->rejects_by_close);
	browser->window_bits = agreed_window(head);
	browser->v1 = memmem(head.at, head.len, "\r\nSec-WebSocket-Protocol: sluice.v1", 35);
	while (cut_frame(&bytes, &first, &payload))
		see_frame(browser, who, first, payload);
	if (!may_stay)
		check_rejected(browser);
}

void browser_look(struct browser *browser)
{
	*browser = (struct browser){
		.stage = browser->stage, .wire = browser->wire, .device = browser->device
	};
	allocations_spare();
	look(browser);
	allocations_resume();
}

bool browser_is_open(const struct browser *browser)
{
	return browser->status == 101 && !browser->close_frames && !browser->wire->ended &&
	       !browser->wire->closed;
}
