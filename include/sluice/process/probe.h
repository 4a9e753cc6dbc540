/* `sluice --probe URL`: a health check for containers that have no curl. */
#ifndef SLUICE_PROCESS_PROBE_H
#define SLUICE_PROCESS_PROBE_H

/* GETs an http:// URL (3 s at most). 0 when the answer is 200; else 1, and why is on stderr. */
int probe(const char *url);

#endif
