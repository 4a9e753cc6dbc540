/* A rule of Landlock belongs to a folder itself and not to its name, and SIGHUP must still read
 * what was put in place later:
 *
 *	editors     sluice.json                     another file gets the name
 *	certbot     live/x/cert.pem -> ../../archive/x/cert1.pem
 *	                                            the link is replaced: archive/x/cert2.pem
 *	Kubernetes  sluice.json -> ..data/sluice.json, ..data -> ..2026_11_30
 *	                                            ..data is replaced: ..2026_12_01
 *
 * What is new lies beside what was old. So the folder that holds the file is on the way, and every
 * folder that holds the target of a link. */
#include "sluice/process/sandbox/ways.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { LINKS_MAX = 40 }; /* on one way; the kernel's own limit */

static void copy(char to[PATH_MAX], const char *from)
{
	snprintf(to, PATH_MAX, "%s", from);
}

void ways_cut_last(char *path)
{
	char *end = path + strlen(path);
	while (end > path + 1 && end[-1] == '/')
		*--end = 0;
	char *last = strrchr(path, '/');
	if (!last)
		memcpy(path, ".", sizeof("."));
	else
		last[last == path] = 0;
}

static bool join(char way[PATH_MAX], const char *folder, const char *target, const char *rest)
{
	int len = *target == '/' ? snprintf(way, PATH_MAX, "%s%s", target, rest)
				 : snprintf(way, PATH_MAX, "%s/%s%s", folder, target, rest);
	return len > 0 && len < PATH_MAX;
}

/* Replaces the first link of a path by its target. `ret_target` becomes the way to the target
 * itself. False: there is no link in it. */
static bool follow_link(char path[PATH_MAX], char ret_target[PATH_MAX])
{
	char part[PATH_MAX], target[PATH_MAX], rest[PATH_MAX];
	for (char *end = path; *end;) {
		end += strspn(end, "/");
		end += strcspn(end, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		ssize_t len = readlink(part, target, sizeof(target) - 1);
		if (len <= 0)
			continue;
		target[len] = 0;
		ways_cut_last(part);
		copy(rest, end);
		return join(ret_target, part, target, "") && join(path, part, target, rest);
	}
	return false;
}

void ways_each(const char *path, void (*each)(void *context, const char *folder), void *context)
{
	char way[PATH_MAX], folder[PATH_MAX];
	if (snprintf(way, sizeof(way), "%s", path) >= (int)sizeof(way))
		return;
	copy(folder, way);
	for (int links = 0; links < LINKS_MAX; links++) {
		ways_cut_last(folder);
		each(context, folder);
		if (!follow_link(way, folder))
			break;
	}
	copy(folder, way);
	ways_cut_last(folder);
	each(context, folder);
}
