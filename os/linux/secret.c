#include "os/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/file.h"
#include "os/linux/dir.h"
#include "os/linux/fail.h"

/* A pipe or device in the file's place must neither block nor become the terminal. */
#define OPEN_FLAGS (O_CLOEXEC | O_NOCTTY | O_NONBLOCK)

struct os_secret {
	int fd;
	struct stat st; /* as of opening */
	char path[LIMIT_PATH_BYTES];
	char name[PATH_MAX]; /* where `path` led */
};

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static enum err judge(const struct stat *st, const char *path, struct err_info *info)
{
	if (!S_ISREG(st->st_mode))
		return err_set(info, ERR_DENIED,
			       "will not read a secret from \"%s\": it is no regular file; name a file",
			       path);
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return err_set(
		    info, ERR_DENIED,
		    "will not read a secret from \"%s\": it belongs to user %lu; chown it to user %lu", path,
		    (unsigned long)st->st_uid, (unsigned long)geteuid());
	if ((st->st_mode & 077) != 0)
		return err_set(
		    info, ERR_DENIED,
		    "will not read a secret from \"%s\": mode %04o lets others at it; chmod it to 0600", path,
		    (unsigned)(st->st_mode & 07777));
	return ERR_OK;
}

/* Tokens are often read-only, even for their owner: the right to write is taken for the moment of opening. */
static int open_own_read_only(const char *path)
{
	struct stat a, b;
	int fd = -1, reading = open(path, O_RDONLY | OPEN_FLAGS);
	if (reading < 0)
		return -1;
	int error = fstat(reading, &a) == 0 ? 0 : errno;
	if (error == 0 && (!S_ISREG(a.st_mode) || a.st_uid != geteuid()))
		error = EACCES;
	if (error == 0 && fchmod(reading, (a.st_mode & 07777) | S_IWUSR) != 0)
		error = errno;
	if (error == 0) {
		fd = open(path, O_RDWR | OPEN_FLAGS);
		error = fd < 0 ? errno : 0;
		if (fchmod(reading, a.st_mode & 07777) != 0 && error == 0)
			error = errno;
	}
	if (error == 0 && (fstat(fd, &b) != 0 || !same_file(&a, &b)))
		error = EAGAIN;
	close(reading);
	if (error != 0 && fd >= 0)
		close(fd);
	errno = error;
	return error == 0 ? fd : -1;
}

static int open_file(const char *path, bool to_wipe)
{
	int fd = open(path, (to_wipe ? O_RDWR : O_RDONLY) | OPEN_FLAGS);
	if (fd >= 0 || !to_wipe || errno != EACCES)
		return fd;
	return open_own_read_only(path);
}

/* What cannot be opened for writing is told apart from what is not there or not ours at all. */
static enum err fail_open(int error, const char *path, bool to_wipe, struct err_info *info)
{
	struct stat st;
	if (to_wipe && error != ENOENT && error != ENOTDIR && stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		enum err err = judge(&st, path, info);
		return err != ERR_OK ? err : os_fail(info, error, "wipe", path);
	}
	return os_fail(info, error, "read", path);
}

enum err os_secret_open(const char *path, bool to_wipe, struct os_secret **ret, struct err_info *info)
{
	if (strlen(path) >= LIMIT_PATH_BYTES)
		return os_fail(info, ENAMETOOLONG, "read", path);
	int fd = open_file(path, to_wipe);
	if (fd < 0)
		return fail_open(errno, path, to_wipe, info);
	struct os_secret *s = calloc(1, sizeof(*s));
	enum err err = s == NULL ? os_fail(info, ENOMEM, "read", path) : ERR_OK;
	if (err == ERR_OK && fstat(fd, &s->st) != 0)
		err = os_fail(info, errno, "read", path);
	if (err == ERR_OK)
		err = judge(&s->st, path, info);
	if (err != ERR_OK) {
		free(s);
		close(fd);
		return err;
	}
	s->fd = fd;
	memcpy(s->path, path, strlen(path) + 1);
	/* Only to unlink by; that it names this file is looked up again then. */
	if (realpath(path, s->name) == NULL)
		memcpy(s->name, s->path, strlen(s->path) + 1);
	*ret = s;
	return ERR_OK;
}

void os_secret_close(struct os_secret *s)
{
	if (s == NULL)
		return;
	close(s->fd);
	free(s);
}

const char *os_secret_name(const struct os_secret *s)
{
	return s->name;
}

size_t os_secret_bytes(const struct os_secret *s)
{
	return s->st.st_size > 0 ? (size_t)s->st.st_size : 0;
}

enum err os_secret_read(struct os_secret *s, void *ret, size_t cap, size_t *ret_len, struct err_info *info)
{
	size_t len = 0;
	for (;;) {
		uint8_t beyond;
		ssize_t n = len < cap ? pread(s->fd, (uint8_t *)ret + len, cap - len, (off_t)len)
				      : pread(s->fd, &beyond, 1, (off_t)len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return os_fail(info, errno, "read", s->path);
		if (n == 0)
			break;
		if (len == cap)
			return err_set(
			    info, ERR_LIMIT,
			    "cannot read \"%s\": it is longer than %zu bytes; check that it is the "
			    "right file",
			    s->path, cap);
		len += (size_t)n;
	}
	*ret_len = len;
	return ERR_OK;
}

static int put(int fd, const void *data, size_t len, off_t at)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const uint8_t *)data + done, len - done, at + (off_t)done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		done += (size_t)n;
	}
	return 0;
}

static int sync_file(int fd)
{
	int rc;
	do
		rc = fsync(fd);
	while (rc != 0 && errno == EINTR);
	return rc == 0 ? 0 : errno;
}

enum err os_secret_wipe(struct os_secret *s, const void *marker, size_t len, struct err_info *info)
{
	static const uint8_t zeros[4096];
	struct stat st;
	int error = fstat(s->fd, &st) == 0 ? 0 : errno;
	/* What was read, also where somebody cut the file since. */
	off_t end = st.st_size > s->st.st_size ? st.st_size : s->st.st_size;
	for (off_t at = 0; error == 0 && at < end; at += (off_t)sizeof(zeros)) {
		off_t left = end - at;
		error = put(s->fd, zeros, left < (off_t)sizeof(zeros) ? (size_t)left : sizeof(zeros), at);
	}
	/* The zeroes first: what is cut off before they are on the disk is never written. */
	if (error == 0)
		error = sync_file(s->fd);
	if (error == 0)
		error = put(s->fd, marker, len, 0);
	if (error == 0)
		error = ftruncate(s->fd, (off_t)len) == 0 ? sync_file(s->fd) : errno;
	return error == 0 ? ERR_OK : os_fail(info, error, "wipe", s->path);
}

enum err os_secret_remove(struct os_secret *s, struct err_info *info)
{
	struct stat st;
	if (lstat(s->name, &st) != 0)
		return errno == ENOENT
			   ? err_set(info, ERR_STALE, "\"%s\" was moved or removed meanwhile", s->path)
			   : os_fail(info, errno, "remove", s->path);
	if (!same_file(&st, &s->st))
		return err_set(info, ERR_STALE,
			       "\"%s\" is another file now than the one that was read: it was left as it is",
			       s->path);
	int error = unlink(s->name) == 0 ? os_dir_sync_parent(s->name) : errno;
	return error == 0 ? ERR_OK : os_fail(info, error, "remove", s->path);
}

unsigned long os_secret_names(const struct os_secret *s)
{
	struct stat st;
	return fstat(s->fd, &st) == 0 ? (unsigned long)st.st_nlink : 0;
}

#ifndef BTRFS_SUPER_MAGIC
#define BTRFS_SUPER_MAGIC 0x9123683E
#endif
#ifndef F2FS_SUPER_MAGIC
#define F2FS_SUPER_MAGIC 0xF2F52010
#endif
#define ZFS_SUPER_MAGIC      0x2FC12FC1
#define BCACHEFS_SUPER_MAGIC 0xCA451A4E

const char *os_secret_keeper(const struct os_secret *s)
{
	static const struct {
		uint32_t magic;
		const char *name;
	} keepers[] = {
	    {OVERLAYFS_SUPER_MAGIC, "overlayfs"}, {BTRFS_SUPER_MAGIC, "btrfs"},
	    {F2FS_SUPER_MAGIC, "f2fs"},           {ZFS_SUPER_MAGIC, "zfs"},
	    {BCACHEFS_SUPER_MAGIC, "bcachefs"},
	};
	struct statfs fs;
	if (fstatfs(s->fd, &fs) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(keepers) / sizeof(keepers[0]); i++) {
		if ((uint32_t)fs.f_type == keepers[i].magic)
			return keepers[i].name;
	}
	return NULL;
}

/* For files that are no secret, and that nobody else may have written. */
enum err os_file_read_private(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
			      struct err_info *info)
{
	struct os_secret *s;
	size_t len = 0;
	enum err err = os_secret_open(path, false, &s, info);
	if (err != ERR_OK)
		return err;
	size_t cap = os_secret_bytes(s) < max_bytes ? os_secret_bytes(s) : max_bytes;
	uint8_t *data = malloc(cap + 1);
	if (data == NULL)
		err = os_fail(info, ENOMEM, "read", path);
	if (err == ERR_OK)
		err = os_secret_read(s, data, cap, &len, info);
	os_secret_close(s);
	if (err != ERR_OK) {
		free(data);
		return err;
	}
	data[len] = 0;
	*ret_data = data;
	*ret_len = len;
	return ERR_OK;
}
