/* The sandbox's list of system calls (seccomp). */
#ifndef SLUICE_PROCESS_SANDBOX_CALLS_H
#define SLUICE_PROCESS_SANDBOX_CALLS_H

#include <stdbool.h>

#include "sluice/base/defs.h"

/* Restricts all threads to the calls that a gateway makes. Any other call fails with EPERM, and
 * `on_refused` is called, in that thread and in a signal handler, the first time for each call.
 * `removes`: whether a file may be removed. 0, or a negative errno: nothing is restricted. Needs
 * no_new_privs. */
MUST_CHECK int calls_enter(bool removes, void (*on_refused)(void));

/* Takes the number of a call that has been refused and was not taken before; -1: there is none. */
int calls_take_refused(void);

#endif
