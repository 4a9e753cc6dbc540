/* sluice.v1: envelope_read, and the messages that are written. The input behind the first byte,
 * which is ignored, is a command and the payload of a publication. */
#include "fuzz.h"

#include <errno.h>

#include "sluice/proto/envelope.h"
#include "sluice/proto/envelope_read.h"
#include "sluice/proto/text/json_text.h"
#include "sluice/proto/text/utf8.h"

static void check_id(struct slice text, struct slice id)
{
	if (!id.at)
		return;
	MUST(id.at > text.at && id.at + id.len < text.at + text.len);
	MUST(json_text_is_valid(id, 0) && id.len <= ENVELOPE_ID_MAX + 2);
	MUST(id.at[0] == '"' || id.at[0] == '-' || (id.at[0] >= '0' && id.at[0] <= '9'));
}

static void check_json(struct buffer *text)
{
	MUST(json_text_is_valid(buffer_slice(text), ENVELOPE_DATA_DEPTH + 1));
	text->len = 0;
}

static void check_answers(const struct envelope_command *command)
{
	struct buffer text = { 0 };
	if (utf8_is_valid(command->channel)) {
		MUST(envelope_answer(&text, "subscribed", command->id, command->channel, NULL) ==
			0);
		check_json(&text);
	}
	MUST(envelope_error(&text, command->id, "bad_request", "no") == 0);
	check_json(&text);
	buffer_finish(&text);
}

/* Written again, it is read as the same command. */
static void check_written_anew(const struct envelope_command *command)
{
	static const char *const types[] = { "subscribe", "unsubscribe", "ping" };
	struct envelope_command again;
	struct buffer text = { 0 };
	const char *problem;
	if (!utf8_is_valid(command->channel))
		return;
	fuzz_printf(&text, "{\"type\":\"%s\",\"channel\":", types[command->type]);
	struct buffer name = { 0 };
	MUST(envelope_list(&name, command->channel) == 0);
	fuzz_append(&text, buffer_slice(&name));
	if (command->id.at) {
		fuzz_printf(&text, ",\"id\":");
		fuzz_append(&text, command->id);
	}
	fuzz_printf(&text, "}");
	MUST(envelope_read(buffer_slice(&text), &again, &problem) == 0 && !problem);
	MUST(again.type == command->type && slice_equal(again.id, command->id));
	if (command->channel.len <= CHANNEL_NAME_MAX)
		MUST(slice_equal(again.channel, command->channel));
	buffer_finish(&name);
	buffer_finish(&text);
}

static void check_command(struct slice text)
{
	struct envelope_command command;
	const char *problem;
	struct slice copy = fuzz_copy(text);
	int error = envelope_read(copy, &command, &problem);
	MUST((error == 0 && !problem) || (error == -EINVAL && problem));
	check_id(copy, command.id);
	if (!error) {
		MUST(json_text_is_valid(copy, ENVELOPE_DEPTH_MAX));
		check_written_anew(&command);
	}
	if (!error || command.id.at)
		check_answers(&command);
	fuzz_free(copy);
}

static void check_publication(struct slice payload)
{
	struct buffer text = { 0 };
	struct slice copy = fuzz_copy(payload);
	bool is_text = utf8_is_valid(copy);
	MUST(envelope_publication(&text, SLICE("n"), copy, is_text) == 0);
	if (is_text && json_text_is_valid(copy, ENVELOPE_DATA_DEPTH))
		MUST(memmem(text.bytes, text.len, copy.at, copy.len));
	check_json(&text);
	buffer_finish(&text);
	fuzz_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = fuzz_rest(data, size);
	check_command(rest);
	check_publication(rest);
	return 0;
}
