/* `sluice --probe URL`: a health check for containers without curl. */
#ifndef SLUICE_PROCESS_PROBE_H
#define SLUICE_PROCESS_PROBE_H

/* GETs an http:// URL, waiting 3 s at most. 0: the answer is 200; 1: it is not, and stderr says
 * why. */
int probe(const char *url);

#endif
