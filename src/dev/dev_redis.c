#include "sluice/dev/dev_redis.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dev_fail.h"

enum { START_MS = 5000, POLL_MS = 10, NOT_FOUND = 127 };

/* A port that was free a moment ago. */
static uint16_t find_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &len) != 0)
		address.sin_port = 0;
	close(fd);
	return ntohs(address.sin_port);
}

static void become_redis(const struct dev_redis *redis, const char *folder)
{
	char port[8];
	snprintf(port, sizeof(port), "%u", redis->port);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setsid(); /* Ctrl-C is for Sluice, which drains first */
	int fd = open(redis->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "no", "--dir", folder, (char *)NULL);
	_exit(NOT_FOUND);
}

static bool redis_answers(const struct dev_redis *redis)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(redis->port) };
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	char answer[7];
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		       send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 &&
		       recv(fd, answer, sizeof(answer), MSG_WAITALL) == sizeof(answer) &&
		       memcmp(answer, "+PONG\r\n", sizeof(answer)) == 0;
	if (fd >= 0)
		close(fd);
	return answers;
}

static int redis_ended(struct dev_redis *redis, int status)
{
	redis->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND) {
		unlink(redis->log);
		return dev_fail("redis-server was not found on the PATH",
			"install it (Debian, Ubuntu: apt-get install redis-server), or use "
			"another Redis with --redis-url");
	}
	return dev_fail("redis-server exited at once; its log", redis->log);
}

static int wait_for_redis(struct dev_redis *redis)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000 };
	for (int waited = 0; waited < START_MS; waited += POLL_MS) {
		int status;
		if (waitpid(redis->pid, &status, WNOHANG) == redis->pid)
			return redis_ended(redis, status);
		if (redis_answers(redis))
			return 0;
		nanosleep(&pause, NULL);
	}
	return dev_fail("redis-server does not answer; its log", redis->log);
}

int dev_redis_start(struct dev_redis *redis, const char *folder)
{
	snprintf(redis->log, sizeof(redis->log), "%s/redis.log", folder);
	redis->port = find_port();
	if (!redis->port)
		return dev_fail("no free port for Redis", strerror(errno));
	redis->pid = fork();
	if (redis->pid < 0) {
		redis->pid = 0;
		return dev_fail("cannot start redis-server", strerror(errno));
	}
	if (redis->pid == 0)
		become_redis(redis, folder);
	return wait_for_redis(redis);
}

void dev_redis_stop(struct dev_redis *redis)
{
	if (!redis->pid)
		return;
	kill(redis->pid, SIGTERM);
	waitpid(redis->pid, NULL, 0);
	unlink(redis->log);
}
