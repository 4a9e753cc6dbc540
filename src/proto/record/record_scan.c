#include "sluice/proto/record/record_scan.h"

#include "sluice/proto/text/utf8.h"

static bool is_text(struct slice bytes)
{
	return utf8_is_valid(bytes) && !(bytes.len && memchr(bytes.at, '\0', bytes.len));
}

int record_scan_text(struct record_scan *scan, struct slice bytes, bool counts)
{
	struct slice none = { NULL, 0 };
	if (!counts)
		return record_pick_scalar(scan->pick, RECORD_TEXT, none);
	if (!is_text(bytes))
		return record_pick_scalar(scan->pick, RECORD_OBJECT, none);
	return record_pick_scalar(scan->pick, RECORD_TEXT, bytes);
}
