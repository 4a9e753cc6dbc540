#include "sluice/auth/record/record_fields.h"

#include <errno.h>

#include "sluice/proto/record/record_pick.h"
#include "sluice/proto/record/session_hash.h"

static bool counts(const struct settings *settings, struct slice name)
{
	bool wanted = record_path_begins(settings->session.authenticated, name) ||
		      record_path_begins(settings->session.present, name) ||
		      record_path_begins(settings->session.user, name) ||
		      record_path_begins(settings->session.expires, name);
	for (size_t i = 0; i < settings->session.n_fields && !wanted; i++)
		wanted = record_path_begins(settings->session.fields[i], name);
	return wanted;
}

void record_fields_take(struct record_fields *fields, const struct settings *settings,
	struct buffer *record, struct slice text)
{
	bool is_name = fields->n++ % 2 == 0;
	fields->bytes += text.len;
	if (!fields->error && fields->bytes > settings->limits.record_bytes) {
		fields->error = -EMSGSIZE;
		buffer_finish(record);
	}
	if (fields->error)
		return;
	if (is_name)
		fields->counts = counts(settings, text);
	if (fields->counts)
		fields->error = session_hash_add_text(record, text);
}

int record_fields_end(const struct record_fields *fields)
{
	if (!fields->error && fields->n % 2)
		return -EINVAL;
	return fields->error;
}
