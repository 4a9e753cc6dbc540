/* A filter of seccomp: a program that the kernel runs at every system call of this process.
 *
 *	architecture is ours? -> call is in the list? -> its arguments are as listed? -> allow
 *	          no: EPERM             no: SIGSYS                no: SIGSYS
 *
 * The list has what libuv, libc and the resolver call, on glibc 2.36 and 2.41, and nothing for what
 * a gateway never does: run a program, fork, write a file, look into another process, change its
 * user. Some calls are allowed with some arguments only. An open must be for reading; memory that
 * can be written can never be executed, so a bug cannot bring its own code; a signal goes only to
 * the process itself.
 *
 * A refused call must be seen in the log, or nobody would find the reason of a strange failure, but
 * the kernel's plain refusal (SECCOMP_RET_ERRNO) tells nobody. SECCOMP_RET_TRAP sends SIGSYS to the
 * thread, and the handler puts -EPERM where the call's result belongs: to the caller, the call has
 * failed. The handler only sets a bit and wakes the main thread, which logs. SECCOMP_RET_USER_NOTIF
 * would need one more thread that answers every refusal, and SECCOMP_RET_LOG writes into the
 * kernel's log, which is not ours. A trap kills the process while SIGSYS is blocked, and libc blocks
 * all signals where it makes threads and processes. So what it only tries there must not trap: such
 * calls fail with ENOSYS, as on a kernel that does not know them, and libc takes its older way. All
 * calls that are newer than the list do too. And a clone that is not a thread, by which libc forks
 * and spawns, fails with a plain EPERM: it is the one refusal that is not in the log.
 *
 * libseccomp would do the same. Its merit is a filter for every processor; this one knows two, and
 * a table of numbers is easier to read than one more dependency. */
#include "sluice/process/sandbox/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sluice/process/sandbox/filter.h"

#if defined(__x86_64__)
#define ARCHITECTURE    AUDIT_ARCH_X86_64
#define RESULT(context) ((context)->uc_mcontext.gregs[REG_RAX])
#elif defined(__aarch64__)
#define ARCHITECTURE    AUDIT_ARCH_AARCH64
#define RESULT(context) ((context)->uc_mcontext.regs[0])
#endif

#ifdef ARCHITECTURE /* else there is no list: see the end */

enum {
	NEWEST = 450, /* set_mempolicy_home_node; everybody's numbers are the same from 424 on */
	CALLS_MAX = 512,
	SI_SECCOMP = 1, /* si_code: SIGSYS of a filter, not of kill(2) */
};

/* ---- the list ---- */

/* Allowed whatever the arguments are. */
static const int of_descriptors[] = { SYS_close, SYS_read, SYS_readv, SYS_pread64, SYS_write,
	SYS_writev, SYS_lseek, SYS_fstat, SYS_dup, SYS_dup3, SYS_getdents64, SYS_fstatfs };
static const int of_files[] = { SYS_newfstatat, SYS_statx, SYS_statfs, SYS_faccessat,
	SYS_faccessat2, SYS_readlinkat, SYS_getcwd };
static const int of_sockets[] = { SYS_bind, SYS_connect, SYS_accept, SYS_accept4, SYS_shutdown,
	SYS_sendto, SYS_sendmsg, SYS_sendmmsg, SYS_recvfrom, SYS_recvmsg, SYS_recvmmsg,
	SYS_getsockname, SYS_getpeername, SYS_getsockopt, SYS_setsockopt };
static const int of_waiting[] = { SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
	SYS_epoll_pwait2, SYS_ppoll, SYS_pselect6, SYS_eventfd2, SYS_pipe2, SYS_timerfd_create,
	SYS_timerfd_settime, SYS_timerfd_gettime, SYS_nanosleep, SYS_clock_nanosleep,
	SYS_restart_syscall };
static const int of_memory[] = { SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise, SYS_mlock,
	SYS_munlock, SYS_membarrier };
static const int of_threads[] = { SYS_futex, SYS_rseq, SYS_set_robust_list, SYS_get_robust_list,
	SYS_set_tid_address, SYS_gettid, SYS_sched_yield, SYS_sched_getaffinity,
	SYS_sched_setaffinity, SYS_sched_getparam, SYS_sched_getscheduler,
	SYS_sched_get_priority_max, SYS_sched_get_priority_min, SYS_getcpu, SYS_exit,
	SYS_exit_group };
static const int of_signals[] = { SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_rt_sigpending, SYS_rt_sigtimedwait, SYS_sigaltstack };
static const int of_knowing[] = { SYS_clock_gettime, SYS_clock_getres, SYS_gettimeofday,
	SYS_getrandom, SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid,
	SYS_getrusage, SYS_times, SYS_uname, SYS_sysinfo };
#ifdef __x86_64__ /* older forms of the above */
static const int of_old[] = { SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_dup2, SYS_poll,
	SYS_select, SYS_epoll_wait, SYS_time, SYS_getrlimit };
#endif

#define ANY       UINT32_MAX
#define OPENING   (O_ACCMODE | O_CREAT | O_TRUNC)
#define OF_THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)
#define SOCKET    0xf /* the type without its flags */
#define UP_TO_7   (~UINT32_C(7))

/* Allowed with these arguments; a call may have several rows. */
static const struct filter_call conditional[] = {
	{ SYS_openat, { { WORD(2), OPENING, O_RDONLY } } },
	{ SYS_socket, { { WORD(0), ANY, AF_UNIX } } },
	{ SYS_socket, { { WORD(0), ANY, AF_INET }, { WORD(1), SOCKET, SOCK_STREAM } } },
	{ SYS_socket, { { WORD(0), ANY, AF_INET }, { WORD(1), SOCKET, SOCK_DGRAM } } },
	{ SYS_socket, { { WORD(0), ANY, AF_INET6 }, { WORD(1), SOCKET, SOCK_STREAM } } },
	{ SYS_socket, { { WORD(0), ANY, AF_INET6 }, { WORD(1), SOCKET, SOCK_DGRAM } } },
	/* the resolver asks which addresses this machine has */
	{ SYS_socket, { { WORD(0), ANY, AF_NETLINK }, { WORD(2), ANY, NETLINK_ROUTE } } },
	/* flags, duplicates and locks; F_SETOWN and F_SETSIG, which follow, send signals to others */
	{ SYS_fcntl, { { WORD(1), UP_TO_7, 0 } } },
	{ SYS_fcntl, { { WORD(1), ANY, F_DUPFD_CLOEXEC } } },
	{ SYS_ioctl, { { WORD(1), ANY, FIONBIO } } },
	{ SYS_ioctl, { { WORD(1), ANY, FIOCLEX } } },
	{ SYS_ioctl, { { WORD(1), ANY, FIONREAD } } },
	{ SYS_ioctl, { { WORD(1), ANY, TIOCOUTQ } } },
	{ SYS_ioctl, { { WORD(1), ANY, TCGETS } } },
	{ SYS_ioctl, { { WORD(1), ANY, SIOCGIFINDEX } } },
	/* the loader maps the resolver's modules from files */
	{ SYS_mmap, { { WORD(2), PROT_EXEC, 0 } } },
	{ SYS_mmap, { { WORD(2), PROT_WRITE, 0 }, { WORD(3), MAP_ANONYMOUS, 0 } } },
#ifdef __aarch64__ /* the loader marks code with PROT_BTI in this way */
	{ SYS_mprotect, { { WORD(2), PROT_WRITE, 0 } } },
#endif
	{ SYS_mprotect, { { WORD(2), PROT_EXEC, 0 } } },
	{ SYS_clone, { { WORD(0), OF_THREAD, OF_THREAD } } },
	{ SYS_prctl, { { WORD(0), ANY, PR_SET_NAME } } },
	{ SYS_prctl, { { WORD(0), ANY, PR_GET_NAME } } },
	{ SYS_prctl, { { WORD(0), ANY, PR_SET_VMA } } },
	/* limits are read and not set */
	{ SYS_prlimit64, { { WORD(2), ANY, 0 }, { HIGH_WORD(2), ANY, 0 } } },
#ifdef __x86_64__
	{ SYS_open, { { WORD(1), OPENING, O_RDONLY } } },
#endif
};

static const struct filter_call removing[] = {
	{ SYS_unlinkat, { { 0, 0, 0 } } },
#ifdef __x86_64__
	{ SYS_unlink, { { 0, 0, 0 } } },
#endif
};

/* What libc does with all signals blocked. */
static const int silent[] = { SYS_clone };

/* What libc and libuv try and can do without. */
static const int tried[] = { SYS_clone3, SYS_openat2, SYS_close_range, SYS_io_uring_setup,
	SYS_io_uring_enter, SYS_io_uring_register };

/* ---- the filter ---- */

static void add_numbers(struct filter *filter, const int *numbers, size_t n, uint32_t action)
{
	for (size_t i = 0; i < n; i++)
		filter_add_number(filter, numbers[i], action);
}

#define ADD_ALLOWED(filter, numbers) \
	add_numbers(filter, numbers, COUNT_OF(numbers), SECCOMP_RET_ALLOW)

static void add_allowed(struct filter *filter)
{
	ADD_ALLOWED(filter, of_descriptors);
	ADD_ALLOWED(filter, of_files);
	ADD_ALLOWED(filter, of_sockets);
	ADD_ALLOWED(filter, of_waiting);
	ADD_ALLOWED(filter, of_memory);
	ADD_ALLOWED(filter, of_threads);
	ADD_ALLOWED(filter, of_signals);
	ADD_ALLOWED(filter, of_knowing);
#ifdef __x86_64__
	ADD_ALLOWED(filter, of_old);
#endif
}

static void add_calls(struct filter *filter, const struct filter_call *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		filter_add(filter, &calls[i], SECCOMP_RET_ALLOW);
}

static void make(struct filter *filter, bool removes)
{
	const struct filter_call to_itself = { SYS_tgkill,
		{ { WORD(0), ANY, (uint32_t)getpid() } } };
	filter_begin(filter, ARCHITECTURE);
	add_allowed(filter);
	add_calls(filter, conditional, COUNT_OF(conditional));
	add_calls(filter, &to_itself, 1);
	if (removes)
		add_calls(filter, removing, COUNT_OF(removing));
	add_numbers(filter, silent, COUNT_OF(silent), SECCOMP_RET_ERRNO | EPERM);
	add_numbers(filter, tried, COUNT_OF(tried), SECCOMP_RET_ERRNO | ENOSYS);
	/* x32, whose numbers have a high bit, is above too */
	filter_end(filter, NEWEST, SECCOMP_RET_ERRNO | ENOSYS, SECCOMP_RET_TRAP);
}

/* ---- refused calls ---- */

static atomic_bool seen[CALLS_MAX], taken[CALLS_MAX];
static void (*tell)(void);

static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)number;
	int error = errno;
	int call = info->si_syscall;
	if (info->si_code == SI_SECCOMP)
		RESULT((ucontext_t *)context) = -EPERM;
	if (info->si_code == SI_SECCOMP && call >= 0 && call < CALLS_MAX &&
		!atomic_exchange(&seen[call], true))
		tell();
	errno = error;
}

int calls_take_refused(void)
{
	for (int i = 0; i < CALLS_MAX; i++)
		if (seen[i] && !atomic_exchange(&taken[i], true))
			return i;
	return -1;
}

int calls_enter(bool removes, void (*on_refused)(void))
{
	static struct filter filter;
	const struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
	tell = on_refused;
	make(&filter, removes);
	return sigaction(SIGSYS, &action, NULL) < 0 ? -errno : filter_install(&filter);
}

#else

int calls_enter(bool removes, void (*on_refused)(void))
{
	(void)removes;
	(void)on_refused;
	return -ENOSYS;
}

int calls_take_refused(void)
{
	return -1;
}

#endif
