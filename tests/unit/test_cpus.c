/* A folder of the test's own stands for the root, with /proc/self/cgroup and /sys/fs/cgroup in
 * it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sluice/base/defs.h"
#include "sluice/process/cpus.h"
#include "unit.h"

static char folder[] = "/tmp/test_cpus.XXXXXX";

static int enter_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
	(void)state;
	return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_file(const char *path, const char *text)
{
	char part[128];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		assert_true(mkdir(part, 0700) == 0 || errno == EEXIST);
	}
	write_text(path, text);
}

static void remove_tree(const char *path)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf %s", path);
	assert_int_equal(system(command), 0);
}

static void reads_the_smallest_quota_of_the_cgroup(void **state)
{
	(void)state;
	const struct {
		const char *groups, *files[6]; /* path below sys/fs/cgroup/, then what is in it */
		unsigned cpus;
	} rows[] = {
		{ "0::/\n", { "cpu.max", "150000 100000\n" }, 2 },
		{ "0::/\n", { "cpu.max", "200000 100000\n" }, 2 },
		{ "0::/\n", { "cpu.max", "1000 100000\n" }, 1 },
		{ "0::/\n", { "cpu.max", "max 100000\n" }, 0 },
		{ "0::/a/b\n", { "a/b/cpu.max", "max 100000\n", "a/cpu.max", "300000 100000\n" },
			3 },
		{ "0::/a/b\n",
			{ "a/b/cpu.max", "200000 100000", "a/cpu.max", "800000 100000", "cpu.max",
				"500000 100000" },
			2 },
		{ "0::/not/seen/here\n", { "cpu.max", "400000 100000\n" }, 4 },
		{ "0::/../up\n", { "cpu.max", "400000 100000\n" }, 4 },
		{ "1:name=x:/\n0::/a\n", { "unified/a/cpu.max", "100000 50000\n" }, 2 },
		{ "4:memory:/a\n3:cpu,cpuacct:/a\n",
			{ "cpu/a/cpu.cfs_quota_us", "250000\n", "cpu/a/cpu.cfs_period_us",
				"100000\n" },
			3 },
		{ "3:cpuacct,cpu:/docker/x\n",
			{ "cpu,cpuacct/cpu.cfs_quota_us", "50000\n",
				"cpu,cpuacct/cpu.cfs_period_us", "100000\n" },
			1 },
		{ "3:cpu:/a\n",
			{ "cpu/a/cpu.cfs_quota_us", "-1\n", "cpu/a/cpu.cfs_period_us", "100000\n" },
			0 },
		{ "2:cpuset:/a\n",
			{ "cpu/a/cpu.cfs_quota_us", "50000", "cpu/a/cpu.cfs_period_us", "100000" },
			0 },
		{ "0::/\n", { "cpu.max", "rubbish" }, 0 },
		{ "0::/\n", { "cpu.max", "5 0" }, 0 },
		{ "0::/\n", { "cpu.max", "99999999999999 1" }, 65536 },
		{ "rubbish\n:\n\n", { "cpu.max", "100000 100000" }, 0 },
		{ "", { NULL }, 0 },
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		make_file("root/proc/self/cgroup", rows[i].groups);
		for (size_t j = 0; j < COUNT_OF(rows[i].files) && rows[i].files[j]; j += 2) {
			char path[128];
			snprintf(path, sizeof(path), "root/sys/fs/cgroup/%s", rows[i].files[j]);
			make_file(path, rows[i].files[j + 1]);
		}
		if (cpus_by_quota("root") != rows[i].cpus)
			fail_msg("row %zu: %u", i, cpus_by_quota("root"));
		remove_tree("root");
	}
	assert_int_equal(cpus_by_quota("root"), 0);
}

static void counts_at_least_one_cpu(void **state)
{
	(void)state;
	assert_in_range(cpus_usable(), 1, sysconf(_SC_NPROCESSORS_CONF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_the_smallest_quota_of_the_cgroup),
		cmocka_unit_test(counts_at_least_one_cpu),
	};
	return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
