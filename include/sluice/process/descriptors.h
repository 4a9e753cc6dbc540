/* The limit of the process' file descriptors. */
#ifndef SLUICE_PROCESS_DESCRIPTORS_H
#define SLUICE_PROCESS_DESCRIPTORS_H

/* Raises the soft limit to the hard one. */
void descriptors_raise_limit(void);

/* How many sockets browsers may have. Call it when every permanent descriptor has been opened. */
unsigned descriptors_for_browsers(unsigned workers);

#endif
