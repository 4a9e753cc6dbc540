/* The kernel has some 400 calls. These are the ones that the sandbox allows in part, and those that
 * an intruder would try. The log has the number of every other, which ausyscall(8) knows. */
#include "sluice/process/sandbox/names.h"

#include <stddef.h>
#include <sys/syscall.h>

#include "sluice/base/defs.h"

/* clang-format off */
#define NAMED(call) { SYS_##call, #call }

static const struct {
	int number;
	const char *name;
} names[] = {
	NAMED(openat), NAMED(socket), NAMED(ioctl), NAMED(fcntl), NAMED(mmap),
	NAMED(mprotect), NAMED(clone), NAMED(prctl), NAMED(prlimit64),
	NAMED(unlinkat), NAMED(tgkill), NAMED(execve), NAMED(execveat),
	NAMED(kill), NAMED(tkill), NAMED(ptrace), NAMED(process_vm_readv),
	NAMED(process_vm_writev), NAMED(memfd_create), NAMED(pwrite64), NAMED(ftruncate),
	NAMED(fchmod), NAMED(fchmodat), NAMED(fchown), NAMED(fchownat),
	NAMED(mkdirat), NAMED(renameat), NAMED(renameat2), NAMED(linkat),
	NAMED(symlinkat), NAMED(chdir), NAMED(chroot), NAMED(mount),
	NAMED(umount2), NAMED(unshare), NAMED(setns), NAMED(setuid),
	NAMED(setgid), NAMED(setresuid), NAMED(setresgid), NAMED(setgroups),
	NAMED(capset), NAMED(setrlimit), NAMED(listen), NAMED(socketpair),
	NAMED(bpf), NAMED(perf_event_open), NAMED(userfaultfd), NAMED(keyctl),
	NAMED(pidfd_open), NAMED(pidfd_getfd),
#ifdef __x86_64__
	NAMED(open), NAMED(creat), NAMED(unlink), NAMED(fork),
	NAMED(vfork), NAMED(rename), NAMED(mkdir), NAMED(chmod),
	NAMED(chown), NAMED(link), NAMED(symlink),
#endif
};
/* clang-format on */

const char *call_name(int number)
{
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (names[i].number == number)
			return names[i].name;
	return "";
}
