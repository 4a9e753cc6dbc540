/* Rules of Landlock: each names a folder, and what may be done below it. What no rule names can
 * neither be opened nor executed, whoever the process runs as. A file may be renewed while the
 * process runs; ways.c says which folders that takes. The root is never among them: a file in it
 * has a rule of its own, and cannot be replaced without a restart.
 *
 * /etc is readable as a whole, because resolv.conf and hosts are replaced by renaming, too, and
 * their place cannot be named otherwise.
 *
 * Landlock came with Linux 5.13, and rights were added since. Only those that the kernel knows can
 * be taken away, so its version is asked first. The rules for the network and for signals are left
 * out: Redis may move to another port, and seccomp refuses signals to others. Connecting to a Unix
 * socket needs no right up to version 7, and is not taken away: Redis, the resolver and the service
 * manager may have one. */
#include "sluice/process/sandbox/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sluice/process/sandbox/ways.h"

/* Debian 12's headers do not know these yet. */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ULL << 15)
#endif

static const uint64_t READING = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR;

/* What libc reads for the resolver and its modules, for memory and time; whatever is missing here
 * is skipped. */
static const char *const system_files[] = {
	"/etc",
	"/lib",
	"/lib64",
	"/usr/lib",
	"/usr/lib64",
	"/usr/local/lib",
	"/usr/share/zoneinfo",
	"/usr/share/ca-certificates",
	"/usr/local/share/ca-certificates",
	"/run/systemd/resolve",
	"/run/systemd/machines",
	"/run/resolvconf",
	"/run/NetworkManager",
	"/run/nscd",
	"/var/lib/sss",
	"/proc/self",
	"/proc/stat",
	"/proc/meminfo",
	"/proc/sys",
	"/sys/devices/system/cpu",
	"/sys/fs/cgroup",
	"/sys/kernel/mm/transparent_hugepage",
	"/dev/null",
	"/dev/urandom",
};

/* Files of the system that may be links to anywhere. */
static const char *const system_links[] = { "/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf",
	"/etc/localtime" };

struct ruleset {
	int fd;
	uint64_t handled; /* the rights that need a rule */
};

static uint64_t rights_of(long version)
{
	uint64_t rights = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	if (version >= 2)
		rights |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (version >= 5)
		rights |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	return rights;
}

static bool is_root(const struct stat *info)
{
	struct stat root;
	return stat("/", &root) == 0 && root.st_dev == info->st_dev && root.st_ino == info->st_ino;
}

/* False: there is no such file, or it is the root. */
static bool allow(const struct ruleset *rules, const char *path, uint64_t rights)
{
	struct stat info;
	int fd = open(path, O_PATH | O_CLOEXEC);
	bool good = fd >= 0 && fstat(fd, &info) == 0 && !is_root(&info);
	if (good && !S_ISDIR(info.st_mode))
		rights &= LANDLOCK_ACCESS_FS_READ_FILE;
	const struct landlock_path_beneath_attr rule = { .allowed_access = rights,
		.parent_fd = fd };
	good = good &&
	       syscall(SYS_landlock_add_rule, rules->fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	if (fd >= 0)
		close(fd);
	return good;
}

static void allow_folder(void *context, const char *folder)
{
	allow(context, folder, READING);
}

/* The file itself too: its folder may be the root. */
static void allow_way(struct ruleset *rules, const char *path)
{
	ways_each(path, allow_folder, rules);
	allow(rules, path, READING);
}

static void allow_removing(struct ruleset *rules, const struct listening *socket)
{
	char folder[sizeof(socket->address.local.sun_path) + 1];
	if (!socket->has_file)
		return;
	snprintf(folder, sizeof(folder), "%s", socket->address.local.sun_path);
	ways_cut_last(folder);
	allow(rules, folder, LANDLOCK_ACCESS_FS_REMOVE_FILE);
}

static void allow_all(struct ruleset *rules, const struct settings_file *files,
	const struct listening *const sockets[2])
{
	for (size_t i = 0; i < COUNT_OF(system_files); i++)
		allow(rules, system_files[i], READING);
	for (size_t i = 0; i < COUNT_OF(system_links); i++)
		allow_way(rules, system_links[i]);
	for (; files; files = files->next)
		allow_way(rules, files->path);
	for (int i = 0; i < 2; i++)
		allow_removing(rules, sockets[i]);
}

int files_enter(const struct settings_file *files, const struct listening *const sockets[2])
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	if (version < 0)
		return -errno;
	struct ruleset rules = { .handled = rights_of(version) };
	const struct landlock_ruleset_attr attributes = { .handled_access_fs = rules.handled };
	rules.fd = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);
	if (rules.fd < 0)
		return -errno;
	allow_all(&rules, files, sockets);
	int error = syscall(SYS_landlock_restrict_self, rules.fd, 0) < 0 ? -errno : 0;
	close(rules.fd);
	return error ? error : (int)version;
}
