/* Names of system calls, for the log. */
#ifndef SLUICE_PROCESS_SANDBOX_NAMES_H
#define SLUICE_PROCESS_SANDBOX_NAMES_H

/* The call's name, or "" if nobody expects it here. */
const char *call_name(int number);

#endif
