#include "sluice/conn/open/ws_shared.h"

#include <errno.h>

#include "sluice/conn/open/open.h"
#include "sluice/conn/open/ws_message.h"

/* FIN, opcode 9, no payload. */
#define PING SLICE("\x89\x00")

/* NULL: no memory. */
static struct chunk *create_heartbeat(const struct dialect *dialect)
{
	struct buffer text = { 0 };
	if (!dialect->write_heartbeat)
		return chunk_create(PING.at, PING.len);
	int error = open_text_begin(&text);
	if (!error)
		error = dialect->write_heartbeat(&text);
	if (!error)
		return ws_message(&text, PING);
	buffer_finish(&text);
	return NULL;
}

/* NULL: no memory. */
static struct chunk *create_gap(const struct dialect *dialect)
{
	struct buffer text = { 0 };
	int error = open_text_begin(&text);
	if (!error)
		error = dialect->write_gap(&text, (struct slice){ 0 });
	if (!error)
		return ws_message(&text, SLICE(""));
	buffer_finish(&text);
	return NULL;
}

static int prepare(struct ws_shared *ws, unsigned place)
{
	const struct dialect *dialect = ws->dialects[place];
	ws->of[place].heartbeat = create_heartbeat(dialect);
	if (!ws->of[place].heartbeat)
		return -ENOMEM;
	if (!dialect->write_gap)
		return 0;
	ws->of[place].gap = create_gap(dialect);
	return ws->of[place].gap ? 0 : -ENOMEM;
}

int ws_shared_init(struct ws_shared *ws, const struct dialect *const *dialects,
	const struct ws_reader_events_pair *events, const struct settings *settings)
{
	*ws = (struct ws_shared){
		.dialects = dialects,
		.inflaters = ws_inflaters_create(),
		.deflater = ws_deflater_create(),
	};
	int error = ws->inflaters && ws->deflater ? 0 : -ENOMEM;
	for (unsigned i = 0; dialects[i] && !error; i++) {
		ws->of[i].reading.settings.events = &events->of[dialects[i]->on_message != NULL];
		error = prepare(ws, i);
	}
	ws_shared_set_settings(ws, settings);
	return error;
}

/* What a client sends to a dialect that takes messages is a command. */
static unsigned longest_message(const struct dialect *dialect, const struct settings *settings)
{
	unsigned message = settings->limits.message_bytes;
	return dialect->on_message ? MIN(message, settings->limits.command_bytes) : message;
}

void ws_shared_set_settings(struct ws_shared *ws, const struct settings *settings)
{
	for (unsigned i = 0; ws->dialects[i]; i++) {
		struct ws_reading *reading = &ws->of[i].reading;
		reading->settings.message_bytes = longest_message(ws->dialects[i], settings);
		reading->settings.message_fragments = settings->limits.fragments;
		reading->settings.inflaters = ws->inflaters;
		reading->frames_per_second = settings->limits.frames_per_second;
	}
}

void ws_shared_finish(struct ws_shared *ws)
{
	for (unsigned i = 0; ws->dialects[i]; i++) {
		if (ws->of[i].heartbeat)
			chunk_unref(ws->of[i].heartbeat);
		if (ws->of[i].gap)
			chunk_unref(ws->of[i].gap);
	}
	ws_inflaters_destroy(ws->inflaters);
	ws_deflater_destroy(ws->deflater);
}
