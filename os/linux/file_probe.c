/* Small questions about a file that is not read or written whole. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/linux/fail.h"

/* 0, or the error; a short read is none. */
static int read_at(int fd, uint64_t offset, void *ret_bytes, size_t cap, size_t *ret_len)
{
	size_t len = 0;
	while (len < cap) {
		ssize_t n = pread(fd, (uint8_t *)ret_bytes + len, cap - len, (off_t)(offset + len));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

enum err os_file_peek(const char *path, uint64_t offset, void *ret_bytes, size_t cap, size_t *ret_len,
		      uint64_t *ret_size, struct err_info *info)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return os_fail(info, errno, "read", path);
	size_t len = 0;
	int error = fstat(fd, &st) == 0 ? 0 : errno;
	if (error == 0)
		error = read_at(fd, offset, ret_bytes, cap, &len);
	close(fd);
	if (error != 0)
		return os_fail(info, error, "read", path);
	*ret_len = len;
	*ret_size = (uint64_t)st.st_size;
	return ERR_OK;
}

struct os_reader {
	int fd;
	char path[];
};

enum err os_reader_open(const char *path, struct os_reader **ret, struct err_info *info)
{
	struct os_reader *r = malloc(sizeof(*r) + strlen(path) + 1);
	if (r == NULL)
		return err_set(info, ERR_NOMEM, "cannot read \"%s\": out of memory", path);
	memcpy(r->path, path, strlen(path) + 1);
	r->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (r->fd < 0) {
		int error = errno;
		free(r);
		return os_fail(info, error, "read", path);
	}
	*ret = r;
	return ERR_OK;
}

enum err os_reader_read(struct os_reader *r, uint64_t offset, void *ret_bytes, size_t cap, size_t *ret_len,
			struct err_info *info)
{
	int error = read_at(r->fd, offset, ret_bytes, cap, ret_len);
	return error == 0 ? ERR_OK : os_fail(info, error, "read", r->path);
}

void os_reader_close(struct os_reader *r)
{
	if (r == NULL)
		return;
	close(r->fd);
	free(r);
}

enum err os_file_can_grow(const char *path, size_t bytes, struct err_info *info)
{
	static const uint8_t zeros[4096];
	struct stat st;
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return os_fail(info, errno, "grow", path);
	int error = fstat(fd, &st) == 0 ? 0 : errno;
	off_t end = error == 0 ? st.st_size : 0;
	while (error == 0 && bytes > 0) {
		size_t want = bytes < sizeof(zeros) ? bytes : sizeof(zeros);
		ssize_t n = pwrite(fd, zeros, want, end);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = errno;
		else
			end += n, bytes -= (size_t)n;
	}
	/* Cut back to the old end; what was written lay beyond it. */
	if (end > 0 && end != st.st_size)
		(void)!ftruncate(fd, st.st_size);
	close(fd);
	return error == 0 ? ERR_OK : os_fail(info, error, "grow", path);
}

enum err os_file_reserve(const char *path, size_t bytes, unsigned mode, struct err_info *info)
{
	enum { STAT_BLOCK_BYTES = 512 };
	struct stat st;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, (mode_t)mode);
	if (fd < 0)
		return os_fail(info, errno, "create", path);
	int error = fstat(fd, &st) == 0 ? 0 : errno;
	/* A new one gets its mode whatever the umask; one of another user keeps what it has. */
	if (error == 0 && st.st_size == 0 && fchmod(fd, (mode_t)mode) != 0 && errno != EPERM)
		error = errno;
	if (error == 0 && (uint64_t)st.st_blocks * STAT_BLOCK_BYTES < bytes)
		error = posix_fallocate(fd, 0, (off_t)bytes);
	close(fd);
	return error == 0 ? ERR_OK : os_fail(info, error, "grow", path);
}

enum err os_file_preallocate(const char *path, uint64_t bytes, struct err_info *info)
{
	int error = 0;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return os_fail(info, errno, "grow", path);
	/* Not posix_fallocate: where the file system cannot, it would write a byte into each block. */
	while (fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)bytes) != 0) {
		error = errno;
		if (error != EINTR)
			break;
		error = 0;
	}
	close(fd);
	if (error == EOPNOTSUPP || error == ENOSYS)
		return ERR_UNSUPPORTED;
	return error == 0 ? ERR_OK : os_fail(info, error, "grow", path);
}

enum err os_file_trim(const char *path, uint64_t *ret_bytes)
{
	struct stat st;
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
	if (fd < 0)
		return os_fail_code(errno);
	/* Cut to the length it has. */
	int error = fstat(fd, &st) == 0 && ftruncate(fd, st.st_size) == 0 ? 0 : errno;
	close(fd);
	if (error != 0)
		return os_fail_code(error);
	*ret_bytes = (uint64_t)st.st_size;
	return ERR_OK;
}

enum err os_file_group(const char *path, char *ret, size_t cap)
{
	struct stat st;
	struct group group, *found = NULL;
	char names[4096];
	if (stat(path, &st) != 0)
		return os_fail_code(errno);
	char name[64];
	int n;
	if (getgrgid_r(st.st_gid, &group, names, sizeof(names), &found) == 0 && found != NULL)
		n = snprintf(name, sizeof(name), "%s", found->gr_name);
	else
		n = snprintf(name, sizeof(name), "%lu", (unsigned long)st.st_gid);
	if (n < 0 || (size_t)n >= sizeof(name) || (size_t)n >= cap)
		return ERR_LIMIT;
	memcpy(ret, name, (size_t)n + 1);
	return ERR_OK;
}
