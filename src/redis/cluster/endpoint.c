#include "sluice/redis/cluster/endpoint.h"

bool cluster_host_is_good(struct slice host)
{
	for (size_t i = 0; i < host.len; i++)
		if (host.at[i] <= ' ' || host.at[i] >= 0x7f)
			return false;
	return host.len > 0 && host.len <= CLUSTER_HOST_MAX;
}
