#include "given_secret.h"

#include <errno.h>

#include "sluice/base/file.h"
#include "sluice/base/secret.h"

void secret_refuse(const struct secret *secret, const char *problem)
{
	problems_add(&secret->draft->problems, secret->place, "%s: %s", secret->name, problem);
}

static struct slice read_secret(const struct secret *secret, const char *path)
{
	struct buffer bytes;
	struct slice text = { NULL, 0 };
	struct problems *problems = &secret->draft->problems;
	draft_note_file(secret->draft, path);
	int error = file_read(path, SETTING_STRING_MAX, &bytes);
	if (error)
		problems_add(problems, secret->place, "%s: cannot read %s: %s", secret->name, path,
			error == -EFBIG ? "it is larger than 4096 bytes" : strerror(-error));
	else if (slice_without_line_end(buffer_slice(&bytes)).len == 0)
		problems_add(problems, secret->place, "%s: %s is empty", secret->name, path);
	else
		text = draft_copy(secret->draft, slice_without_line_end(buffer_slice(&bytes)));
	secret_finish(&bytes);
	return text;
}

/* NULL: the string is a secret as it stands. */
static const char *secret_problem(struct slice string)
{
	if (slice_starts_with(string, SLICE("file:")))
		return "must have an absolute path after \"file:\", such as "
		       "\"file:/run/secrets/session\"";
	if (string.len == 0)
		return "must not be empty";
	if (slice_equal(string, SLICE(SETTLE_MASK)))
		return "must be the secret itself, not the \"***\" that --print-config shows";
	return NULL;
}

const char *secret_path(struct slice string)
{
	return slice_starts_with(string, SLICE("file:/")) ? string.at + sizeof("file:") - 1 : NULL;
}

struct slice secret_take(const struct secret *secret, struct slice string)
{
	if (secret_path(string))
		return read_secret(secret, secret_path(string));
	const char *problem = secret_problem(string);
	if (problem)
		secret_refuse(secret, problem);
	return string;
}
