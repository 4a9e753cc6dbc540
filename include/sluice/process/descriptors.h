/* File descriptors of the process. */
#ifndef SLUICE_PROCESS_DESCRIPTORS_H
#define SLUICE_PROCESS_DESCRIPTORS_H

/* Raises the soft limit to the hard one. */
void descriptors_raise_limit(void);

/* How many sockets of browsers there may be, when everything else that is always open is open. */
unsigned descriptors_for_browsers(unsigned workers);

#endif
