/* The order matters.
 *
 *	no core, not dumpable   before a key is in memory
 *	no_new_privs            Landlock and seccomp require it of a process without privileges
 *	sockets are bound       binding a Unix socket makes a file, and listen(2) is not in the list
 *	Landlock                restricts this thread and those that it makes: there is no other yet,
 *	                        and the first look-up of a host name would make some
 *	seccomp                 last, because its list has nothing that is needed for the above
 *	loops, links, workers
 *
 * A loop of libuv 1.49 and later has a ring of io_uring, in which a process can ask for what seccomp
 * would refuse. If the list is in force before, libuv is told that there is no io_uring and does
 * without; if a ring was made before, libuv aborts when its use is refused.
 *
 * A process that is not dumpable leaves no core, cannot be read by a debugger of the same user, and
 * its files in /proc belong to root. It still reads its own: /proc/self/fd is open to the threads
 * of the process itself, and what else is read there (cgroup) everybody may read.
 *
 * A kernel may lack a part. With "auto" the rest is in force, and the log says what is missing. */
#include "sluice/process/sandbox/sandbox.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sluice/base/log.h"
#include "sluice/process/sandbox/calls.h"
#include "sluice/process/sandbox/files.h"
#include "sluice/process/sandbox/names.h"

static int hide(void)
{
	const struct rlimit none = { 0, 0 };
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

void sandbox_hide(struct sandbox *sandbox, enum sandbox_mode mode, const char *exempt)
{
	*sandbox = (struct sandbox){ .exempt = exempt, .required = mode == SANDBOX_REQUIRED };
#ifdef SLUICE_SANITIZED /* a sanitizer's runtime needs other calls and files */
	sandbox->exempt = "a sanitizer";
#endif
	if (mode == SANDBOX_OFF)
		sandbox->exempt = "the setting";
	if (!sandbox->exempt)
		sandbox->hidden = hide();
}

/* ---- refused calls ---- */

static _Atomic(uv_async_t *) listener; /* of refusals */

/* In a signal handler; uv_async_send may be called there. */
static void on_refused(void)
{
	uv_async_t *refused = listener;
	if (refused)
		uv_async_send(refused);
}

static void log_refused(uv_async_t *handle)
{
	(void)handle;
	for (int call; (call = calls_take_refused()) >= 0;)
		log_warn("the sandbox refused a system call", log_number("number", call),
			log_text("name", call_name(call)),
			log_text("remedy", "if it was for something that Sluice needs, report it, "
					   "and set \"sandbox\" to \"off\" meanwhile"));
}

/* A call may have been refused already. */
int sandbox_listen(struct sandbox *sandbox, uv_loop_t *loop)
{
	int error = uv_async_init(loop, &sandbox->refused, log_refused);
	if (error)
		return error;
	sandbox->is_open = true;
	listener = &sandbox->refused;
	return uv_async_send(&sandbox->refused);
}

void sandbox_close(struct sandbox *sandbox)
{
	listener = NULL;
	if (sandbox->is_open)
		uv_close((uv_handle_t *)&sandbox->refused, NULL);
	sandbox->is_open = false;
}

/* ---- entering ---- */

/* The one line that says what is in force. `files`: the version of Landlock; all may be a negative
 * errno. */
static bool report(const struct sandbox *sandbox, int calls, int files)
{
	bool complete = sandbox->hidden == 0 && calls == 0 && files > 0;
	enum log_level level = complete ? LOG_INFO : sandbox->required ? LOG_ERROR : LOG_WARN;
	const char *event = complete            ? "sandbox in force"
			    : sandbox->required ? "cannot start: the sandbox is incomplete"
						: "sandbox incomplete";
	const struct log_field fields[] = { log_text("event", event),
		log_text("privacy", sandbox->hidden ? strerror(-sandbox->hidden) : "on"),
		log_text("seccomp", calls ? strerror(-calls) : "on"),
		files > 0 ? log_number("landlock", files) : log_text("landlock", strerror(-files)),
		complete ? (struct log_field){ NULL }
			 : log_text("remedy", "the kernel or the container runtime does not "
					      "allow it: see docs/operations.md"),
		{ NULL } };
	log_write(level, fields);
	return complete || !sandbox->required;
}

bool sandbox_enter(struct sandbox *sandbox, const struct settings *settings,
	const struct listening *const sockets[2])
{
	if (sandbox->exempt) {
		log_info("sandbox off", log_text("because", sandbox->exempt));
		return true;
	}
	int files = files_enter(settings->files, sockets);
	int calls = calls_enter(sockets[0]->has_file || sockets[1]->has_file, on_refused);
	return report(sandbox, calls, files);
}
