/* A close frame's payload, both ways: an accepted one is allowed by RFC 6455 §7.4 and can be
 * written again; a written one can be read, whatever the reason. The first byte is ignored. */
#include "fuzz.h"
#include "sluice/proto/ws/ws_close.h"
#include "utf8_reference.h"

enum { PAYLOAD_MAX = 125 };

static unsigned code_of(struct slice payload)
{
	return (unsigned)(uint8_t)payload.at[0] * 256 + (uint8_t)payload.at[1];
}

static bool is_text(struct slice reason)
{
	return utf8_reference(reason) == UTF8_VALID;
}

static void check_read(struct slice payload)
{
	unsigned code;
	struct slice reason;
	char again[PAYLOAD_MAX];
	int failure = ws_close_parse(payload, &code, &reason);
	if (failure == 0 && payload.len) {
		MUST(code == code_of(payload) && is_text(reason));
		MUST((code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) ||
			(code >= 3000 && code <= 4999));
		MUST(slice_equal(reason, slice_skip(payload, 2)));
		MUST(slice_equal(payload, slice_make(again, ws_close_format(again, code, reason))));
	} else if (failure == 0) {
		MUST(code == 1005 && reason.len == 0);
	} else if (failure == 1007) {
		MUST(!is_text(slice_skip(payload, 2)));
	} else {
		MUST(failure == 1002);
		MUST(payload.len == 1 || !ws_close_code_is_valid(code_of(payload)));
	}
}

/* The reason may be of any length. */
static void check_written(unsigned code, struct slice reason)
{
	char payload[PAYLOAD_MAX];
	size_t len = ws_close_format(payload, code, reason);
	unsigned code_again;
	struct slice reason_again;
	if (!ws_close_code_is_valid(code)) {
		MUST(len == 0);
		return;
	}
	MUST(len >= 2 && len <= sizeof(payload));
	MUST(slice_starts_with(reason, slice_make(payload + 2, len - 2)));
	if (reason.len <= WS_CLOSE_REASON_MAX)
		MUST(len == 2 + reason.len);
	if (!is_text(reason))
		return;
	MUST(len + 3 >= 2 + MIN(reason.len, (size_t)WS_CLOSE_REASON_MAX));
	MUST(ws_close_parse(slice_make(payload, len), &code_again, &reason_again) == 0);
	MUST(code_again == code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice bytes = fuzz_copy(fuzz_rest(data, size));
	check_read(slice_make(bytes.at, MIN(bytes.len, (size_t)PAYLOAD_MAX)));
	if (bytes.len >= 2)
		check_written(code_of(bytes), slice_skip(bytes, 2));
	fuzz_free(bytes);
	return 0;
}
