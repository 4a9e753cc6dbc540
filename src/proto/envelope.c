/* Messages are built from literals and escaped strings. */
#include "sluice/proto/envelope.h"

#include <stdint.h>

#include "sluice/proto/text/base64.h"
#include "sluice/proto/text/json_print.h"
#include "sluice/proto/text/json_text.h"

static int append_string(struct buffer *out, struct slice text)
{
	struct json_printer printer = { .out = out, .max = SIZE_MAX };
	return json_print_string(&printer, text);
}

/* `name`: a literal with its comma and colon. An absent string is left out. */
static int append_member(struct buffer *out, const char *name, struct slice text)
{
	if (!text.at)
		return 0;
	int error = buffer_append_slice(out, slice_of(name));
	return error ? error : append_string(out, text);
}

static int append_json(struct buffer *out, const char *name, struct slice json)
{
	if (!json.at)
		return 0;
	int error = buffer_append_slice(out, slice_of(name));
	return error ? error : buffer_append_slice(out, json);
}

static int end(struct buffer *out, int error)
{
	return error ? error : buffer_append_slice(out, SLICE("}"));
}

/* In seconds, as JavaScript prints it. */
static int append_seconds(struct buffer *out, unsigned ms)
{
	int error = buffer_printf(out, ",\"heartbeat\":%u", ms / 1000);
	if (error || ms % 1000 == 0)
		return error;
	error = buffer_printf(out, ".%03u", ms % 1000);
	while (!error && out->bytes[out->len - 1] == '0')
		out->len--;
	return error;
}

int envelope_welcome(struct buffer *out, struct slice connection, struct slice user,
	struct slice channels, unsigned heartbeat_ms)
{
	int error = buffer_append_slice(out, SLICE("{\"type\":\"welcome\""));
	if (!error)
		error = append_member(out, ",\"connection\":", connection);
	if (!error && user.at)
		error = append_member(out, ",\"user\":", user);
	else if (!error)
		error = buffer_append_slice(out, SLICE(",\"user\":null"));
	if (!error)
		error = buffer_append_slice(out, SLICE(",\"channels\":["));
	if (!error)
		error = buffer_append_slice(out, channels);
	if (!error)
		error = buffer_append_slice(out, SLICE("]"));
	if (!error)
		error = append_seconds(out, heartbeat_ms);
	return end(out, error);
}

int envelope_answer(struct buffer *out, const char *type, struct slice id, struct slice channel,
	const char *reason)
{
	int error = buffer_printf(out, "{\"type\":\"%s\"", type);
	if (!error)
		error = append_json(out, ",\"id\":", id);
	if (!error)
		error = append_member(out, ",\"channel\":", channel);
	if (!error)
		error = append_member(out, ",\"reason\":", slice_of(reason));
	return end(out, error);
}

int envelope_error(struct buffer *out, struct slice id, const char *code, const char *message)
{
	int error = buffer_append_slice(out, SLICE("{\"type\":\"error\""));
	if (!error)
		error = append_json(out, ",\"id\":", id);
	if (!error)
		error = append_member(out, ",\"code\":", slice_of(code));
	if (!error)
		error = append_member(out, ",\"message\":", slice_of(message));
	return end(out, error);
}

int envelope_gap(struct buffer *out, struct slice channel)
{
	int error = buffer_append_slice(out, SLICE("{\"type\":\"gap\""));
	if (!error)
		error = append_member(out, ",\"channel\":", channel);
	return end(out, error);
}

int envelope_heartbeat(struct buffer *out)
{
	return buffer_append_slice(out, SLICE("{\"type\":\"heartbeat\"}"));
}

static int append_base64(struct buffer *out, struct slice bytes)
{
	int error = buffer_reserve(out, BASE64_ROOM(bytes.len));
	if (!error)
		out->len += base64_encode(BASE64, bytes, out->bytes + out->len);
	return error;
}

int envelope_publication(
	struct buffer *out, struct slice channel, struct slice payload, bool is_text)
{
	int error = buffer_append_slice(out, SLICE("{\"type\":\"publication\""));
	if (!error)
		error = append_member(out, ",\"channel\":", channel);
	if (!error)
		error = buffer_append_slice(
			out, is_text ? SLICE(",\"data\":") : SLICE(",\"base64\":\""));
	if (!error && !is_text) {
		error = append_base64(out, payload);
		if (!error)
			error = buffer_append_slice(out, SLICE("\""));
	} else if (!error) {
		error = json_text_is_valid(payload, ENVELOPE_DATA_DEPTH)
				? buffer_append_slice(out, payload)
				: append_string(out, payload);
	}
	return end(out, error);
}

int envelope_list(struct buffer *list, struct slice text)
{
	int error = list->len ? buffer_append_slice(list, SLICE(",")) : 0;
	return error ? error : append_string(list, text);
}
