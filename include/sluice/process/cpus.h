/* How many CPUs this process may use. In a container that may be fewer than the machine has. */
#ifndef SLUICE_PROCESS_CPUS_H
#define SLUICE_PROCESS_CPUS_H

/* By the affinity mask and by the cgroup's quota (version 1 or 2, rounded up); at least 1. */
unsigned cpus_usable(void);

/* By the quotas of this process' cgroups alone, read below the folder `root` ("", or one that a
 * test has filled); 0: there is no quota. */
unsigned cpus_by_quota(const char *root);

#endif
