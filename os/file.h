/* Durable and guarded files. Paths are UTF-8. Every error text names the path and the remedy. */
#ifndef MESH_OS_FILE_H
#define MESH_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Whole file into malloc'd memory the caller frees; a zero byte follows the data. ERR_NOT_FOUND, ERR_DENIED,
 * ERR_LIMIT (longer than max_bytes), ERR_IO, ERR_NOMEM. Works on /proc and /sys, whose sizes lie. */
enum err os_file_read(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
		      struct err_info *info);

/* As os_file_read, but refuses (ERR_DENIED) a file that another user could read or write, or that another
 * user (save root) owns: for what others must not have changed. Secrets are read with os/secret.h. */
enum err os_file_read_private(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
			      struct err_info *info);

/* Replace a file whole: temporary file in the same folder, fsync, rename, fsync of the folder. `mode` is
 * the POSIX mode (0600 for secrets). ERR_DISK_FULL, ERR_DENIED, ERR_IO, ERR_ARG (a device or folder is
 * there); the old file is untouched then. */
enum err os_file_replace(const char *path, const void *data, size_t len, unsigned mode,
			 struct err_info *info);

/* Create a file that must not exist (ERR_EXISTS), fsynced with its folder. */
enum err os_file_create(const char *path, const void *data, size_t len, unsigned mode, struct err_info *info);

/* Overwrite the content in place, fsync, unlink, fsync the folder: for keys that
 * are no longer needed. ERR_ARG: a symbolic link. */
enum err os_file_wipe(const char *path, struct err_info *info);

bool os_file_exists(const char *path);

/* Up to `cap` bytes from `offset` on, and the file's size in bytes. A short read is no error. */
enum err os_file_peek(const char *path, uint64_t offset, void *ret_bytes, size_t cap, size_t *ret_len,
		      uint64_t *ret_size, struct err_info *info);

/* The same of a file that is read at many places. Close it with os_reader_close. */
struct os_reader;
enum err os_reader_open(const char *path, struct os_reader **ret, struct err_info *info);
enum err os_reader_read(struct os_reader *r, uint64_t offset, void *ret_bytes, size_t cap, size_t *ret_len,
			struct err_info *info);
void os_reader_close(struct os_reader *r); /* NULL is fine */

/* Name of the group a file or folder belongs to, or its number. ERR_LIMIT when it does not fit. */
enum err os_file_group(const char *path, char *ret, size_t cap);

/* Whether the file could grow by `bytes`: writes zeroes after its end and cuts them off again, so no one else
 * may append meanwhile. ERR_DISK_FULL, ERR_DENIED, ERR_IO. */
enum err os_file_can_grow(const char *path, size_t bytes, struct err_info *info);

/* Sets room aside on the disk for the first `bytes` of the file, made with `mode` (whatever the umask) when
 * there is none: a map of it then never faults for want of space. What it holds stays. ERR_DISK_FULL,
 * ERR_DENIED, ERR_IO. */
enum err os_file_reserve(const char *path, size_t bytes, unsigned mode, struct err_info *info);

/* Sets room aside on the disk for the first `bytes` of an existing file, holes and what lies beyond its end
 * included, without making it longer: writes up to there do not fail for want of space (on file systems that
 * write to a new place what is overwritten, they may). ERR_DISK_FULL: nothing was set aside, or part of it;
 * ERR_UNSUPPORTED: not on this file system; ERR_DENIED, ERR_IO. */
enum err os_file_preallocate(const char *path, uint64_t bytes, struct err_info *info);
/* Gives back what was set aside beyond its end. No one else may make it longer meanwhile. What the end is. */
enum err os_file_trim(const char *path, uint64_t *ret_bytes);

/* The first `bytes` of a file, made with `mode` and zeroes when there is none, as memory: what is written
 * there is in the file as soon as it is written, however the process ends; a power cut may lose it.
 * ERR_DISK_FULL, ERR_DENIED, ERR_IO. */
enum err os_file_map(const char *path, size_t bytes, unsigned mode, void **ret, struct err_info *info);
void os_file_unmap(void *map, size_t bytes); /* NULL is fine */

/* Give a file or folder to a group. ERR_NOT_FOUND (no such group or file), ERR_DENIED (not a member). */
enum err os_file_set_group(const char *path, const char *group, struct err_info *info);

/* As root: give a file of root's to whom the folder it is in belongs to, so that a service that owns its
 * folder can read what root put there. Nothing to do for other users, and for a folder of root's. ERR_DENIED
 * (also a file that has several names: it could be somebody else's), ERR_NOT_FOUND, ERR_IO. */
enum err os_file_hand_over(const char *folder, const char *path, struct err_info *info);

/* Rename a file or folder aside to "<path>.bad-1", "-2", ...; the new name goes to ret_path (may be NULL). */
enum err os_file_set_aside(const char *path, char *ret_path, size_t cap, struct err_info *info);

/* Create a folder and its parents with `mode`; existing ones are left as they are. */
enum err os_dir_make(const char *path, unsigned mode, struct err_info *info);

/* ERR_DENIED with a remedy when files can't be created in the folder. */
enum err os_dir_check_writable(const char *path, struct err_info *info);

/* Calls `each` per entry name ("." and ".." left out) in no order; stops when it returns false. */
enum err os_dir_list(const char *path, bool (*each)(void *context, const char *name), void *context,
		     struct err_info *info);

/* An exclusive lock held until closed or the process ends. ERR_BUSY names the holder's pid when known. */
struct os_lock;
enum err os_lock_take(const char *path, struct os_lock **ret_lock, struct err_info *info);
void os_lock_release(struct os_lock *lock);

/* Join two path parts into ret (ERR_LIMIT when too long). */
enum err os_path_join(char *ret, size_t cap, const char *folder, const char *name);

/* Absolute form of a path, without "." and doubled slashes, whether or not there is something; links are not
 * followed. ERR_LIMIT, ERR_IO. */
enum err os_path_absolute(const char *path, char *ret, size_t cap, struct err_info *info);

/* Default state folder: MESH_STATE, else /var/lib/mesh when it exists, else $XDG_STATE_HOME/mesh or
 * ~/.local/state/mesh. */
enum err os_path_default_state(char *ret, size_t cap, struct err_info *info);

#endif
