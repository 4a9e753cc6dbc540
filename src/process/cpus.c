/* In a container a process may use fewer CPUs than the machine has. Two things limit them.
 *
 * The affinity mask (taskset, cpusets) names the CPUs that a thread may run on. A cgroup's quota is
 * the CPU time that all threads together get in a period: 150 ms of every 100 ms is one and a half
 * CPUs. With more threads than that, the quota is used up early and all threads stop for the rest
 * of the period, which a browser sees as a stall. So the quota counts, rounded up.
 *
 *	/proc/self/cgroup           what to read
 *	0::/a/b                     version 2: /sys/fs/cgroup/a/b/cpu.max ("150000 100000")
 *	3:cpu,cpuacct:/a/b          version 1: /sys/fs/cgroup/cpu/a/b/cpu.cfs_quota_us
 *
 * Every group up to the root may have a quota, and the smallest one applies. In a container the
 * path may be that of the host, which is not visible inside. Then the container's own group is the
 * visible root, and the search ends there. */
#include "sluice/process/cpus.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdbool.h>

#include "sluice/base/file.h"
#include "sluice/base/slice.h"

enum { FILE_MAX = 65536, CPUS_MAX = 1 << 16 };

/* Reads two numbers from a file. A number that is missing, or is "max", becomes -1. */
static void read_numbers(const char *path, long long *ret_first, long long *ret_second)
{
	struct buffer text;
	*ret_first = *ret_second = -1;
	if (file_read(path, FILE_MAX, &text) != 0)
		return;
	if (buffer_append(&text, "", 1) == 0)
		sscanf(text.bytes, "%lld %lld", ret_first, ret_second);
	buffer_finish(&text);
}

/* The quota of one group; 0: none. */
static unsigned group_cpus(const char *folder)
{
	char path[PATH_MAX + 32];
	long long quota, period, nothing;
	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	read_numbers(path, &quota, &period);
	if (quota <= 0) {
		snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
		read_numbers(path, &quota, &nothing);
		snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
		read_numbers(path, &period, &nothing);
	}
	if (quota <= 0 || period <= 0)
		return 0;
	long long cpus = quota / period + (quota % period != 0);
	return (unsigned)MIN(cpus, CPUS_MAX);
}

static unsigned smaller(unsigned a, unsigned b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* The smallest quota from the group up to the root of the hierarchy that is mounted at `mount`. */
static unsigned hierarchy_cpus(const char *mount, struct slice group)
{
	char folder[PATH_MAX];
	size_t mount_len = strlen(mount);
	int len = snprintf(folder, sizeof(folder), "%s%.*s", mount, SLICE_ARGS(group));
	if (len < 0 || (size_t)len >= sizeof(folder))
		return group_cpus(mount);
	unsigned cpus = 0;
	for (;;) {
		cpus = smaller(cpus, group_cpus(folder));
		char *last = strrchr(folder, '/');
		if (!last || (size_t)(last - folder) < mount_len)
			return cpus;
		*last = 0;
	}
}

static bool has_controller(struct slice controllers, struct slice name)
{
	while (controllers.at) {
		if (slice_equal(slice_cut(&controllers, ','), name))
			return true;
	}
	return false;
}

/* One line of /proc/self/cgroup, "ID:CONTROLLERS:PATH". */
static unsigned line_cpus(const char *root, struct slice line)
{
	static const char *const mounts[] = { "", "/unified", "/cpu", "/cpu,cpuacct" };
	slice_cut(&line, ':');
	struct slice controllers = slice_cut(&line, ':');
	if (!line.at || (controllers.len && !has_controller(controllers, SLICE("cpu"))))
		return 0;
	unsigned cpus = 0;
	size_t first = controllers.len ? 2 : 0;
	for (size_t i = first; i < first + 2; i++) {
		char mount[PATH_MAX];
		snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup%s", root, mounts[i]);
		cpus = smaller(cpus, hierarchy_cpus(mount, line));
	}
	return cpus;
}

unsigned cpus_by_quota(const char *root)
{
	char path[PATH_MAX];
	struct buffer text;
	snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
	if (file_read(path, FILE_MAX, &text) != 0)
		return 0;
	unsigned cpus = 0;
	for (struct slice rest = buffer_slice(&text); rest.at;)
		cpus = smaller(cpus, line_cpus(root, slice_cut(&rest, '\n')));
	buffer_finish(&text);
	return cpus;
}

/* Only the kernel knows the mask's size: it refuses a mask that is too small. */
static unsigned cpus_by_affinity(void)
{
	for (size_t n = 1024; n <= CPUS_MAX; n *= 2) {
		cpu_set_t *set = CPU_ALLOC(n);
		if (!set)
			return 1;
		size_t size = CPU_ALLOC_SIZE(n);
		int error = sched_getaffinity(0, size, set) == 0 ? 0 : errno;
		int count = error ? 0 : CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (error != EINVAL)
			return (unsigned)MAX(1, count);
	}
	return 1;
}

unsigned cpus_usable(void)
{
	return smaller(cpus_by_affinity(), cpus_by_quota(""));
}
