/* Browsers may have all descriptors but those that are open when it starts, and a reserve: for links to
 * Redis that are lost and made again (with name look-ups, and one address tried after the other), for
 * whoever asks the admin port, for files that are read when the configuration is. Without it the first
 * thing that fails when descriptors are short would be the way back to Redis.
 *
 * Where the limit is so low that this would leave browsers nothing, they get half of what is free. */
#include "sluice/process/descriptors.h"

#include <dirent.h>
#include <limits.h>
#include <sys/resource.h>

#include "sluice/base/defs.h"

enum { RESERVE = 32, RESERVE_A_WORKER = 8, OPEN_A_WORKER = 8 };

void descriptors_raise_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Where there is no /proc, about as many as there are. */
static unsigned count_open(unsigned workers)
{
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return RESERVE + OPEN_A_WORKER * workers;
	unsigned n = 0;
	while (readdir(folder))
		n++;
	closedir(folder);
	return n;
}

unsigned descriptors_for_browsers(unsigned workers)
{
	struct rlimit limit = { 0 };
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > INT_MAX)
		return INT_MAX;
	unsigned all = (unsigned)limit.rlim_cur, open = count_open(workers);
	unsigned left = all > open ? all - open : 0;
	return left - MIN(left / 2, RESERVE + RESERVE_A_WORKER * workers);
}
