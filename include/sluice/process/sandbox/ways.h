/* The folders on the way to a file that is renewed while the process runs. */
#ifndef SLUICE_PROCESS_SANDBOX_WAYS_H
#define SLUICE_PROCESS_SANDBOX_WAYS_H

/* Calls `each` for every folder that must be readable so that `path` can be read, now and after it
 * was renewed: its own, and for each symbolic link on the way the one that holds the link's
 * target. */
void ways_each(const char *path, void (*each)(void *context, const char *folder), void *context);

/* The folder that holds a path's last part; "." if the path names none. Cuts the path, whose array
 * has at least 2 bytes. */
void ways_cut_last(char *path);

#endif
