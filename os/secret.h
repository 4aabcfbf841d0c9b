/* A file that holds a secret, opened once: what was judged, what is read and what is wiped is the same file,
 * whatever its path names meanwhile. */
#ifndef MESH_OS_SECRET_H
#define MESH_OS_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct os_secret;

/* Refuses (ERR_DENIED) what is no regular file, what another user could read or write, and what another user
 * (save root) owns. `to_wipe`: also what could not be overwritten later (on a read-only file system, not to
 * be changed); nothing is changed yet. A symbolic link is followed. ERR_NOT_FOUND, ERR_LIMIT (a path that is
 * too long), ERR_IO, ERR_NOMEM. */
enum err os_secret_open(const char *path, bool to_wipe, struct os_secret **ret, struct err_info *info);
/* NULL is fine. */
void os_secret_close(struct os_secret *s);

/* Its name, free of symbolic links as it was opened; as long as `s` lives. */
const char *os_secret_name(const struct os_secret *s);
/* Its length when it was opened. */
size_t os_secret_bytes(const struct os_secret *s);
/* All of it, straight into the caller's memory: no copy is left elsewhere. ERR_LIMIT: longer than `cap`. */
enum err os_secret_read(struct os_secret *s, void *ret, size_t cap, size_t *ret_len, struct err_info *info);

/* Of one that was opened `to_wipe`: overwrites the content with zeroes, under whatever names it now has, then
 * leaves `marker` there and nothing else; fsynced. */
enum err os_secret_wipe(struct os_secret *s, const void *marker, size_t len, struct err_info *info);
/* Unlinks the name it was opened by, through a symbolic link the name that the link led to. ERR_STALE:
 * another file has that name now, and is left. ERR_DENIED, ERR_IO, ... */
enum err os_secret_remove(struct os_secret *s, struct err_info *info);
/* How many names the file has now (hard links). */
unsigned long os_secret_names(const struct os_secret *s);
/* The file system, when it is one that writes elsewhere than where the old content is, or that keeps what it
 * had in a layer below: overwriting does not reach that. Else NULL. */
const char *os_secret_keeper(const struct os_secret *s);

#endif
