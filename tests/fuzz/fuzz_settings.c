/* The configuration file, which is in memory. If the first byte is even, the file is all there is.
 * If it is odd, secrets and URL come from the environment, so that the file is often good; then
 * what --print-config prints must be the same configuration. */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "sluice/proto/text/json_text.h"
#include "sluice/settings/settings.h"

enum { DEPTH_MAX = 16 };

static char *no_environment[] = { NULL };
static char secrets[] = "SLUICE_SESSION_SECRETS=[\"a secret of thirty-two characters\"]";
static char url[] = "SLUICE_REDIS_URL=redis://127.0.0.1";
static char *environment_of_secrets[] = { secrets, url, NULL };

static struct settings *load(struct slice text, char **environment, struct buffer *problems)
{
	char path[32];
	int file = memfd_create("sluice.json", MFD_CLOEXEC);
	MUST(file >= 0 && write(file, text.at, text.len) == (ssize_t)text.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	struct settings_flags flags = { .config = path };
	struct settings *settings = settings_load(&flags, environment, problems);
	close(file);
	return settings;
}

/* The lines are for a terminal: whatever is in the file, they contain no control character. */
static void check_problems(struct slice problems)
{
	MUST(problems.len > 1 && problems.at[problems.len - 1] == '\n');
	for (size_t i = 0; i < problems.len; i++) {
		MUST((unsigned char)problems.at[i] >= ' ' || problems.at[i] == '\n');
		MUST(i == 0 || problems.at[i] != '\n' || problems.at[i - 1] != '\n');
	}
}

static struct buffer print(const struct settings *settings)
{
	struct buffer printed = { 0 };
	MUST(settings_print(settings, &printed) == 0);
	MUST(json_text_is_valid(buffer_slice(&printed), DEPTH_MAX));
	return printed;
}

static void check_printed(struct slice printed)
{
	struct buffer problems = { 0 };
	struct settings *settings = load(printed, environment_of_secrets, &problems);
	MUST(settings && problems.len == 0);
	struct buffer again = print(settings);
	MUST(slice_equal(buffer_slice(&again), printed));
	buffer_finish(&again);
	settings_destroy(settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool has_secrets = size && data[0] % 2;
	struct buffer problems = { 0 };
	struct settings *settings = load(fuzz_rest(data, size),
		has_secrets ? environment_of_secrets : no_environment, &problems);
	if (settings) {
		struct buffer printed = print(settings);
		MUST(problems.len == 0);
		if (has_secrets)
			check_printed(buffer_slice(&printed));
		buffer_finish(&printed);
	} else {
		check_problems(buffer_slice(&problems));
	}
	settings_destroy(settings);
	buffer_finish(&problems);
	return 0;
}
