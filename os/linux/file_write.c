/* Durable writes. A file is written whole to "<path>.new" beside it, fsynced, and renamed; then its folder is
 * fsynced. The temporary file is locked while it is written, so two writers of one path take turns, and one
 * that a crash left behind is known for what it is: nobody holds its lock. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/file.h"
#include "os/linux/dir.h"
#include "os/linux/fail.h"

#define NEW_SUFFIX   ".new"
#define NEW_ATTEMPTS 100

static int lock_wait(int fd)
{
	int rc;
	do
		rc = flock(fd, LOCK_EX);
	while (rc != 0 && errno == EINTR);
	return rc;
}

/* Whether `path` names the file that `fd` has open. */
static bool is_same(int fd, const char *path)
{
	struct stat a, b;
	return fstat(fd, &a) == 0 && lstat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Wait for the writer who has `path`; remove it when there is none any more. */
static void clear_left_over(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	/* What cannot be opened is a link or another user's: no writer of ours. */
	if (fd < 0 ? errno == ELOOP || errno == EACCES : lock_wait(fd) == 0 && is_same(fd, path))
		unlink(path);
	if (fd >= 0)
		close(fd);
}

/* Open "<path>.new", new and locked. */
static enum err open_new(const char *path, char *ret_name, size_t cap, int *ret_fd, struct err_info *info)
{
	int n = snprintf(ret_name, cap, "%s" NEW_SUFFIX, path);
	if (n < 0 || (size_t)n >= cap)
		return os_fail(info, ENAMETOOLONG, "write", path);
	for (int i = 0; i < NEW_ATTEMPTS; i++) {
		int fd = open(ret_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno == EEXIST) {
			clear_left_over(ret_name);
			continue;
		}
		if (fd < 0)
			return os_fail(info, errno, "write", path);
		/* Another writer may have taken it for a left-over before it was locked. */
		if (lock_wait(fd) == 0 && is_same(fd, ret_name)) {
			*ret_fd = fd;
			return ERR_OK;
		}
		close(fd);
	}
	return err_set(info, ERR_BUSY, "cannot write \"%s\": \"%s\" is in the way; remove it", path,
		       ret_name);
}

/* 0 or an errno. */
static int write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;
	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int sync_fd(int fd)
{
	int rc;
	do
		rc = fsync(fd);
	while (rc != 0 && errno == EINTR);
	return rc == 0 ? 0 : errno;
}

int os_dir_sync_parent(const char *path)
{
	char folder[LIMIT_PATH_BYTES];
	const char *slash = strrchr(path, '/');
	if (slash == NULL) {
		memcpy(folder, ".", 2);
	} else {
		/* The root is its own name. */
		size_t len = slash == path ? 1 : (size_t)(slash - path);
		if (len >= sizeof(folder))
			return ENAMETOOLONG;
		memcpy(folder, path, len);
		folder[len] = '\0';
	}
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* A folder may be writable and not readable; then its entry waits for the system's own flush. */
	if (fd < 0)
		return errno == EACCES ? 0 : errno;
	int error = sync_fd(fd);
	close(fd);
	/* Some file systems have no such thing as the fsync of a folder. */
	return error == EINVAL || error == ENOTSUP ? 0 : error;
}

/* Give `from` the name `to`, which must be free. 0 or an errno. */
static int rename_to_free(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
		return errno;
	/* A file system without it (NFS, FUSE): look first. Two at once are kept apart by the lock on ".new".
	 */
	struct stat st;
	if (lstat(to, &st) == 0)
		return EEXIST;
	return rename(from, to) == 0 ? 0 : errno;
}

static enum err write_file(const char *path, const void *data, size_t len, unsigned mode, bool replace,
			   struct err_info *info)
{
	char name[LIMIT_PATH_BYTES];
	int fd = -1;
	enum err err = open_new(path, name, sizeof(name), &fd, info);
	if (err != ERR_OK)
		return err;
	int error = fchmod(fd, (mode_t)mode) == 0 ? 0 : errno;
	if (error == 0)
		error = write_all(fd, data, len);
	if (error == 0)
		error = sync_fd(fd);
	if (error == 0 && replace)
		error = rename(name, path) == 0 ? 0 : errno;
	else if (error == 0)
		error = rename_to_free(name, path);
	if (error != 0)
		unlink(name);
	else
		error = os_dir_sync_parent(path);
	close(fd);
	return error == 0 ? ERR_OK : os_fail(info, error, replace ? "write" : "create", path);
}

enum err os_file_replace(const char *path, const void *data, size_t len, unsigned mode, struct err_info *info)
{
	struct stat st;
	/* Renaming over "/dev/full" or "/dev/stdout" would take it from the whole system. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(info, ERR_ARG, "cannot write \"%s\": it is no regular file; name a file",
			       path);
	return write_file(path, data, len, mode, true, info);
}

enum err os_file_create(const char *path, const void *data, size_t len, unsigned mode, struct err_info *info)
{
	struct stat st;
	/* Early, so that a full disk is not the answer to a name that is taken. */
	if (lstat(path, &st) == 0)
		return os_fail(info, EEXIST, "create", path);
	return write_file(path, data, len, mode, false, info);
}

static int open_to_wipe(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 || errno != EACCES)
		return fd;
	/* Tokens are often read-only, even for their owner. */
	int reading = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (reading < 0)
		return -1;
	if (fchmod(reading, 0600) == 0)
		fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int error = errno;
	close(reading);
	errno = error;
	return fd;
}

/* 0 or an errno. Zeroes over all there is, from the current offset. Journals and flash may keep old blocks
 * all the same. */
static int overwrite(int fd)
{
	static const uint8_t zeros[4096];
	struct stat st;
	if (fstat(fd, &st) != 0)
		return errno;
	for (off_t left = st.st_size; left > 0;) {
		size_t n = left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros);
		int error = write_all(fd, zeros, n);
		if (error != 0)
			return error;
		left -= (off_t)n;
	}
	return sync_fd(fd);
}

static enum err check_regular(const char *path, struct err_info *info)
{
	struct stat st;
	if (lstat(path, &st) != 0)
		return os_fail(info, errno, "wipe", path);
	if (!S_ISREG(st.st_mode))
		return err_set(info, ERR_ARG,
			       "cannot wipe \"%s\": it is no regular file; name the file itself", path);
	return ERR_OK;
}

enum err os_file_wipe(const char *path, struct err_info *info)
{
	enum err err = check_regular(path, info);
	if (err != ERR_OK)
		return err;
	int fd = open_to_wipe(path);
	int error = fd < 0 ? errno : overwrite(fd);
	if (fd >= 0)
		close(fd);
	/* Unlinked even then: a secret out of reach is better than one left lying. The error is still told.
	 */
	if (unlink(path) != 0 && error == 0)
		error = errno;
	if (error == 0)
		error = os_dir_sync_parent(path);
	return error == 0 ? ERR_OK : os_fail(info, error, "wipe", path);
}

#define ASIDE_NAMES 10000

enum err os_file_set_aside(const char *path, char *ret_path, size_t cap, struct err_info *info)
{
	char name[LIMIT_PATH_BYTES];
	int error = EEXIST;
	int n = 0;
	for (int i = 1; i < ASIDE_NAMES && error == EEXIST; i++) {
		n = snprintf(name, sizeof(name), "%s.bad-%d", path, i);
		if (n < 0 || (size_t)n >= sizeof(name) || (ret_path != NULL && (size_t)n >= cap))
			return os_fail(info, ENAMETOOLONG, "set aside", path);
		error = rename_to_free(path, name);
	}
	if (error == 0)
		error = os_dir_sync_parent(path);
	if (error != 0)
		return os_fail(info, error, "set aside", path);
	if (ret_path != NULL)
		memcpy(ret_path, name, (size_t)n + 1);
	return ERR_OK;
}
