/* Browsers may use all descriptors except those that are open at the start and a reserve. The
 * reserve is for reconnecting to Redis (with name look-ups and several addresses), for requests on
 * the admin port (ADMIN_CONNS_MAX), and for reading the configuration again. Without it,
 * reconnecting to Redis would be the first thing to fail when descriptors run short.
 *
 * If the limit is so low that this would leave nothing for browsers, they get half of the free
 * descriptors. */
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

/* Without /proc, an estimate. */
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
