/* Every user of the machine reads the command line in /proc, and whoever the process belongs to reads
 * its environment. So both are read once: what Sluice needs of them is copied, and the originals are
 * wiped where the kernel shows them. The names of the variables, and the URL without its user and
 * password, are left for the operator.
 *
 * SIGHUP reads the copy. It is in pages of its own, which are neither swapped out nor in a core, if
 * the limit on locked memory allows it. */
#include <stdbool.h>
#include <sys/mman.h>

#include "sluice/base/defs.h"
#include "sluice/base/secret.h"
#include "sluice/settings/settings.h"

static bool is_ours(const char *entry)
{
	return slice_starts_with(slice_of(entry), SLICE("SLUICE_"));
}

/* Copies a string to *next, which moves on. */
static char *copy(char **next, const char *string)
{
	size_t size = strlen(string) + 1;
	char *start = memcpy(*next, string, size);
	*next += size;
	return start;
}

static void wipe_value(char *entry)
{
	char *value = strchr(entry, '=');
	if (value)
		secret_wipe(value + 1, strlen(value + 1));
}

/* Up to the last "@", as redis_url_parse takes it. */
static void mask_user(const char *url)
{
	char *colon = strchr(url, ':'), *last = strrchr(url, '@');
	if (colon && last && last > colon + 2)
		memset(colon + 3, '*', (size_t)(last - colon - 3));
}

static void *allocate(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	madvise(memory, size, MADV_DONTDUMP);
	(void)!mlock(memory, size);
	return memory;
}

char **settings_hide(struct settings_flags *flags, char **environment)
{
	const char *url = flags->redis_url;
	size_t n = 0, size = sizeof(char *) + (url ? strlen(url) + 1 : 0);
	for (char **entry = environment; *entry; entry++)
		size += is_ours(*entry) ? sizeof(char *) + strlen(*entry) + 1 : 0;
	char **hidden = allocate(size);
	if (!hidden)
		return NULL;
	for (char **entry = environment; *entry; entry++)
		n += is_ours(*entry);
	char *next = (char *)(hidden + n + 1);
	n = 0;
	for (char **entry = environment; *entry; entry++) {
		if (!is_ours(*entry))
			continue;
		hidden[n++] = copy(&next, *entry);
		wipe_value(*entry);
	}
	if (url) {
		flags->redis_url = copy(&next, url);
		mask_user(url);
	}
	return hidden;
}
