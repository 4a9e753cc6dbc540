/* Foreign code in the gateway's process, by LD_PRELOAD: what a bug would let in. At the first connection that is
 * accepted, it tries what the sandbox forbids, and prints how each attempt ended:
 *
 *	intruder: fork EPERM
 *
 * INTRUDER_READS, INTRUDER_WRITES, INTRUDER_REMOVES: files. INTRUDER_CONNECTS: a Unix socket.
 * Without the first, it tries nothing. INTRUDER_HIDES=landlock or seccomp: to the gateway, the kernel does not have it. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static long (*real_syscall)(long number, ...);
static int (*real_accept4)(int fd, struct sockaddr *address, socklen_t *len, int flags);

__attribute__((constructor)) static void begin(void)
{
	*(void **)&real_syscall = dlsym(RTLD_NEXT, "syscall");
	*(void **)&real_accept4 = dlsym(RTLD_NEXT, "accept4");
}

long syscall(long number, ...)
{
	const char *hidden = getenv("INTRUDER_HIDES");
	long arguments[4];
	va_list rest;
	va_start(rest, number);
	for (int i = 0; i < 4; i++)
		arguments[i] = va_arg(rest, long);
	va_end(rest);
	if (hidden && ((number == SYS_landlock_create_ruleset && strcmp(hidden, "landlock") == 0) ||
			      (number == SYS_seccomp && strcmp(hidden, "seccomp") == 0))) {
		errno = ENOSYS;
		return -1;
	}
	return real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3]);
}

static void tell(const char *what, long result)
{
	dprintf(STDERR_FILENO, "intruder: %s %s\n", what,
		result < 0 ? strerrorname_np(errno) : "done");
}

static long open_file(const char *variable, int flags)
{
	const char *path = getenv(variable);
	int fd = open(path ? path : "/", flags, 0600);
	if (fd >= 0)
		close(fd);
	return fd;
}

static long remove_file(void)
{
	const char *path = getenv("INTRUDER_REMOVES");
	return path ? unlink(path) : -1;
}

static long map(int protection, int flags)
{
	void *memory = mmap(NULL, 4096, protection, flags | MAP_PRIVATE, -1, 0);
	return memory == MAP_FAILED ? -1 : 0;
}

static long make_executable(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static long run(void)
{
	char *none[] = { NULL };
	return execve("/bin/true", none, none);
}

static long connect_to_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const char *path = getenv("INTRUDER_CONNECTS");
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(address.sun_path, path ? path : "/", sizeof(address.sun_path) - 1);
	return connect(fd, (struct sockaddr *)&address, sizeof(address));
}

static void *return_at_once(void *context)
{
	return context;
}

static long make_thread(void)
{
	pthread_t thread;
	errno = pthread_create(&thread, NULL, return_at_once, NULL);
	return errno ? -1 : pthread_join(thread, NULL);
}

static long look_up(void)
{
	struct addrinfo *found;
	errno = ENOENT;
	return getaddrinfo("localhost", "6379", NULL, &found) == 0 ? 0 : -1;
}

static long spawn(void)
{
	char *none[] = { NULL };
	errno = posix_spawn(NULL, "/bin/true", NULL, NULL, none, none);
	return errno ? -1 : 0;
}

static void intrude(void)
{
	const struct rlimit core = { RLIM_INFINITY, RLIM_INFINITY };
	tell("read", open_file("INTRUDER_READS", O_RDONLY));
	tell("list /", open("/", O_RDONLY | O_DIRECTORY));
	tell("write", open_file("INTRUDER_WRITES", O_WRONLY | O_CREAT));
	tell("remove", remove_file());
	tell("execve", run());
	tell("execve again", run());
	tell("fork", fork());
	tell("spawn", spawn());
	tell("vfork", syscall(SYS_vfork));
	tell("memfd", memfd_create("code", 0));
	tell("writable code", map(PROT_READ | PROT_WRITE | PROT_EXEC, MAP_ANONYMOUS));
	tell("new code", make_executable());
	tell("ptrace", ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	tell("kill", kill(getppid(), 0));
	tell("tgkill", syscall(SYS_tgkill, getppid(), getppid(), 0));
	tell("own by another", fcntl(STDERR_FILENO, F_SETOWN, getppid()));
	tell("signal of a descriptor", fcntl(STDERR_FILENO, F_SETSIG, SIGKILL));
	tell("raw socket", socket(AF_PACKET, SOCK_RAW, 0));
	tell("listen", listen(socket(AF_INET, SOCK_STREAM, 0), 1));
	tell("dumpable", prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
	tell("cores", setrlimit(RLIMIT_CORE, &core));
	tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
	tell("a call of tomorrow", syscall(460, 0));
	tell("x32", syscall(0x40000000 | SYS_getpid));
	tell("read our own", open("/proc/self/fd", O_RDONLY | O_DIRECTORY));
	tell("connect to a socket", connect_to_socket());
	tell("thread", make_thread());
	tell("look up", look_up());
}

int accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	static int calls;
	int accepted = real_accept4(fd, address, len, flags);
	if (accepted >= 0 && getenv("INTRUDER_READS") &&
		__atomic_fetch_add(&calls, 1, __ATOMIC_SEQ_CST) == 0) {
		int error = errno;
		intrude();
		errno = error;
	}
	return accepted;
}
