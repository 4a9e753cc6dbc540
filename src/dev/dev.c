/* Everything of --dev is real: the Redis is a redis-server, the sessions are what express-session would
 * write, the configuration is a file that one can read and copy. It lies in a temporary folder that goes
 * with the process; the Redis is told by the kernel to end should we be killed. */
#include "sluice/dev/dev.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sluice/net/address.h"

enum { REDIS_START_MS = 5000, REDIS_POLL_MS = 10, NOT_FOUND = 127 };

static const char config_text[] =
	"// What `sluice --dev` runs with: a copy of it is a start for your own.\n"
	"{\n"
	"  \"listen\": \"127.0.0.1:8080\",\n"
	"  \"admin\": { \"listen\": \"127.0.0.1:0\" },\n"
	"  \"session\": { \"preset\": \"express\", \"secrets\": [\"%s\"] },\n"
	"  \"channels\": [\n"
	"    { \"match\": \"news\", \"allow\": \"session\", \"auto\": true },\n"
	"    { \"match\": \"user:{userId}\", \"allow\": \"session\", \"auto\": true },\n"
	"    { \"match\": \"room:*\", \"allow\": \"session\" }\n"
	"  ]\n"
	"}\n";

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "sluice: --dev: %s: %s\n", what, why);
	return -1;
}

/* ---- the folder ---- */

static int write_config(const struct dev *dev)
{
	unsigned char random[24];
	char secret[2 * sizeof(random) + 1];
	arc4random_buf(random, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(secret + 2 * i, 3, "%02x", random[i]);
	int fd = open(dev->config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, config_text, secret) < 0)
		return fail(dev->config, strerror(errno));
	close(fd);
	return 0;
}

static int make_folder(struct dev *dev)
{
	const char *temporary = getenv("TMPDIR");
	int len = snprintf(dev->folder, sizeof(dev->folder), "%s/sluice-dev-XXXXXX",
		temporary && *temporary ? temporary : "/tmp");
	if (len >= (int)sizeof(dev->folder) || !mkdtemp(dev->folder)) {
		*dev->folder = '\0';
		return fail("cannot make a temporary folder", strerror(errno));
	}
	snprintf(dev->config, sizeof(dev->config), "%s/sluice.json", dev->folder);
	snprintf(dev->log, sizeof(dev->log), "%s/redis.log", dev->folder);
	return write_config(dev);
}

/* ---- the Redis ---- */

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

static void become_redis(const struct dev *dev)
{
	char port[8];
	snprintf(port, sizeof(port), "%u", dev->redis_port);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	setsid(); /* Ctrl-C is for sluice, which drains first */
	int fd = open(dev->log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
		"--appendonly", "no", "--dir", dev->folder, (char *)NULL);
	_exit(NOT_FOUND);
}

static bool redis_answers(const struct dev *dev)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(dev->redis_port) };
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

static int redis_ended(struct dev *dev, int status)
{
	dev->redis = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND) {
		unlink(dev->log);
		return fail("redis-server was not found on the PATH",
			"install it (Debian, Ubuntu: apt-get install redis-server), or name a "
			"Redis of "
			"yours with --redis-url");
	}
	return fail("redis-server ended at once; its log", dev->log);
}

static int wait_for_redis(struct dev *dev)
{
	const struct timespec pause = { .tv_nsec = REDIS_POLL_MS * 1000000 };
	for (int waited = 0; waited < REDIS_START_MS; waited += REDIS_POLL_MS) {
		int status;
		if (waitpid(dev->redis, &status, WNOHANG) == dev->redis)
			return redis_ended(dev, status);
		if (redis_answers(dev))
			return 0;
		nanosleep(&pause, NULL);
	}
	return fail("redis-server does not answer; its log", dev->log);
}

static int start_redis(struct dev *dev)
{
	dev->redis_port = find_port();
	if (!dev->redis_port)
		return fail("no free port for Redis", strerror(errno));
	dev->redis = fork();
	if (dev->redis < 0) {
		dev->redis = 0;
		return fail("cannot start redis-server", strerror(errno));
	}
	if (dev->redis == 0)
		become_redis(dev);
	return wait_for_redis(dev);
}

/* ---- the door ---- */

int dev_start(struct dev *dev, struct settings_flags *flags)
{
	*dev = (struct dev){ 0 };
	if (make_folder(dev) != 0)
		return -1;
	if (!flags->config)
		flags->config = dev->config;
	if (flags->redis_url)
		return 0;
	if (start_redis(dev) != 0)
		return -1;
	snprintf(dev->url, sizeof(dev->url), "redis://127.0.0.1:%u", dev->redis_port);
	flags->redis_url = dev->url;
	return 0;
}

void dev_stop(struct dev *dev)
{
	if (dev->redis) {
		kill(dev->redis, SIGTERM);
		waitpid(dev->redis, NULL, 0);
		unlink(dev->log);
	}
	if (*dev->folder) {
		unlink(dev->config);
		rmdir(dev->folder); /* stays when a log is left for the user to read */
	}
}

void dev_tell(const struct dev *dev, const char *listen)
{
	printf("\n  Sluice is running, with a Redis of its own.\n\n"
	       "    open      http://%s/\n"
	       "    log in there, then publish from another terminal:\n\n"
	       "    redis-cli -p %u publish news '{\"text\":\"hello\"}'\n\n"
	       "    Ctrl-C ends both. The configuration is %s\n\n",
		listen, dev->redis_port, dev->config);
	fflush(stdout);
}
