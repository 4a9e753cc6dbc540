/* The life of a configuration.
 *
 *	table's defaults -> file -> environment -> flags -> preset -> settled
 *
 * Each source is read in turn, lowest first, and each value it gives is checked at once and put
 * where it lands, over what a lower source had put there. So a bad value is told even if another
 * source hides it: a file is either good or it is not. What can only be judged when all have spoken
 * is settled at the end: the preset's defaults for keys that nobody gave, files that a value names,
 * settings that need each other.
 *
 * Loading goes on after a problem, so that one run tells them all. No message shows a secret: values
 * of secret settings are named by their type only, and so is a text with an '@', which may be a URL
 * with a password that landed in the wrong place.
 *
 * All texts lie in blocks that hang on the settings and go with them; what a higher source has
 * replaced stays there unused, which is a few bytes. */
#include "settings_internal.h"

#include <stdarg.h>

enum { PROBLEMS_MAX = 25, MESSAGE_MAX = 1024 };

struct settings_memory {
	struct settings_memory *next;
	_Alignas(max_align_t) char bytes[];
};

void *loading_allocate(struct loading *loading, size_t size)
{
	struct settings_memory *block = calloc(1, sizeof(*block) + size);
	if (!block) {
		loading->no_memory = true;
		return NULL;
	}
	block->next = loading->settings->memory;
	loading->settings->memory = block;
	return block->bytes;
}

struct slice loading_keep(struct loading *loading, struct slice text)
{
	char *copy = loading_allocate(loading, text.len + 1);
	if (!copy)
		return (struct slice){ NULL, 0 };
	if (text.len)
		memcpy(copy, text.at, text.len);
	return slice_make(copy, text.len);
}

static int print_place(struct buffer *problems, struct place place)
{
	if (!place.name)
		return 0;
	if (!place.line)
		return buffer_printf(problems, "%s: ", place.name);
	return buffer_printf(problems, "%s:%u: ", place.name, place.line);
}

void loading_problem(struct loading *loading, struct place place, const char *format, ...)
{
	if (++loading->n_problems > PROBLEMS_MAX)
		return;
	char message[MESSAGE_MAX];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(message, sizeof(message), format, arguments);
	va_end(arguments);

	size_t begin = loading->problems->len;
	if (print_place(loading->problems, place) != 0 ||
		buffer_printf(loading->problems, "%s\n", message) != 0)
		loading->no_memory = true;
	/* a key or a file's name may hold anything; a problem is one line */
	for (size_t i = begin; i + 1 < loading->problems->len; i++) {
		if ((unsigned char)loading->problems->bytes[i] < ' ')
			loading->problems->bytes[i] = '?';
	}
}

bool loading_is_full(const struct loading *loading)
{
	return loading->n_problems > PROBLEMS_MAX;
}

static void take_all(
	struct loading *loading, const struct settings_flags *flags, char **environment)
{
	loading_take_defaults(loading);
	bool complete = !flags->config || loading_take_file(loading, flags->config);
	loading_take_environment(loading, environment);
	loading_take_flags(loading, flags);
	if (complete)
		loading_settle(loading);
}

/* Says what there was no room for. When even that fails, the caller finds nothing in `problems`. */
static void tell_the_rest(struct loading *loading)
{
	int error = 0;
	if (loading->no_memory)
		error = buffer_printf(loading->problems, "out of memory\n");
	else if (loading_is_full(loading))
		error = buffer_printf(loading->problems, "… and more\n");
	(void)error;
}

struct settings *settings_load(
	const struct settings_flags *flags, char **environment, struct buffer *problems)
{
	struct loading loading = {
		.settings = calloc(1, sizeof(struct settings)),
		.config = flags->config,
		.problems = problems,
	};
	if (loading.settings)
		take_all(&loading, flags, environment);
	else
		loading.no_memory = true;
	if (!loading.no_memory && !loading.n_problems)
		return loading.settings;
	tell_the_rest(&loading);
	settings_destroy(loading.settings);
	return NULL;
}

void settings_destroy(struct settings *settings)
{
	if (!settings)
		return;
	while (settings->memory) {
		struct settings_memory *block = settings->memory;
		settings->memory = block->next;
		free(block);
	}
	free(settings);
}
