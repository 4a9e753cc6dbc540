/* The sandbox's list of files and folders (Landlock). */
#ifndef SLUICE_PROCESS_SANDBOX_FILES_H
#define SLUICE_PROCESS_SANDBOX_FILES_H

#include "sluice/base/defs.h"
#include "sluice/process/listening.h"
#include "sluice/settings/settings.h"

/* Restricts the calling thread, and those that it makes, to reading `files` and what the resolver
 * needs, and to removing the files of `sockets`. Opening anything else fails with EACCES. Returns
 * the version of Landlock, or a negative errno: nothing is restricted. Needs no_new_privs. */
MUST_CHECK int files_enter(
	const struct settings_file *files, const struct listening *const sockets[2]);

#endif
