/* Everything in --dev is real: a redis-server, sessions as express-session writes them, and a
 * configuration file to read and copy. The file is in a temporary folder, which is removed when the
 * process ends. */
#include "sluice/dev/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev_fail.h"
#include "sluice/proto/text/hex.h"

static const char config_text[] =
	"// What `sluice --dev` runs with: a copy of it is a start for your own.\n"
	"{\n"
	"  \"listen\": \"127.0.0.1:8080\",\n"
	"  \"admin\": { \"listen\": \"127.0.0.1:0\" },\n"
	"  \"session\": { \"preset\": \"express\", \"secrets\": [\"%s\"] },\n"
	"  \"channels\": [\n"
	"    { \"match\": \"news\", \"allow\": \"session\", \"auto\": true },\n"
	"    { \"match\": \"user:{user}\", \"allow\": \"session\", \"auto\": true },\n"
	"    { \"match\": \"room:*\", \"allow\": \"session\" }\n"
	"  ]\n"
	"}\n";

static int write_config(const struct dev *dev)
{
	uint8_t random[24];
	char secret[2 * sizeof(random) + 1] = "";
	arc4random_buf(random, sizeof(random));
	hex_print(random, sizeof(random), secret);
	int fd = open(dev->config, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 || dprintf(fd, config_text, secret) < 0)
		return dev_fail(dev->config, strerror(errno));
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
		return dev_fail("cannot make a temporary folder", strerror(errno));
	}
	snprintf(dev->config, sizeof(dev->config), "%s/sluice.json", dev->folder);
	return write_config(dev);
}

int dev_start(struct dev *dev, struct settings_flags *flags)
{
	*dev = (struct dev){ 0 };
	if (make_folder(dev) != 0)
		return -1;
	if (!flags->config)
		flags->config = dev->config;
	if (flags->redis_url)
		return 0;
	if (dev_redis_start(&dev->redis, dev->folder) != 0)
		return -1;
	snprintf(dev->url, sizeof(dev->url), "redis://127.0.0.1:%u", dev->redis.port);
	flags->redis_url = dev->url;
	return 0;
}

void dev_stop(struct dev *dev)
{
	dev_redis_stop(&dev->redis);
	if (*dev->folder) {
		unlink(dev->config);
		rmdir(dev->folder); /* fails when a log is left for the user to read */
	}
}

void dev_tell(const struct dev *dev, const char *listen)
{
	printf("\n  Sluice is running, with a Redis of its own.\n\n"
	       "    open      http://%s/\n"
	       "    log in there, then publish from another terminal:\n\n"
	       "    redis-cli -p %u publish news '{\"text\":\"hello\"}'\n\n"
	       "    Ctrl-C ends both. The configuration is %s\n\n",
		listen, dev->redis.port, dev->config);
	fflush(stdout);
}
