#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/linux/fail.h"

/* First buffer for files that do not say their size, as in /proc. */
#define FIRST_BYTES 4096

struct buffer {
	uint8_t *data;
	size_t len;
	size_t cap;
};

static bool buffer_grow(struct buffer *b, size_t cap)
{
	uint8_t *data = realloc(b->data, cap);
	if (data == NULL)
		return false;
	b->data = data;
	b->cap = cap;
	return true;
}

static enum err too_long(const char *path, size_t max_bytes, struct err_info *info)
{
	return err_set(info, ERR_LIMIT,
		       "cannot read \"%s\": it is longer than %zu bytes; check that it is the right file",
		       path, max_bytes);
}

/* Reads to the end, then terminates. One byte of room is kept for the terminator, and one to meet the end. */
static enum err read_all(int fd, const char *path, size_t max_bytes, size_t expected, struct buffer *b,
			 struct err_info *info)
{
	size_t cap = expected > 0 && expected <= max_bytes ? expected + 2 : FIRST_BYTES;
	for (;;) {
		if (b->cap - b->len < 2 || b->data == NULL) {
			if (!buffer_grow(b, b->cap == 0 ? cap : b->cap * 2))
				return os_fail(info, ENOMEM, "read", path);
		}
		ssize_t n = read(fd, b->data + b->len, b->cap - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return os_fail(info, errno, "read", path);
		if (n == 0)
			break;
		b->len += (size_t)n;
		if (b->len > max_bytes)
			return too_long(path, max_bytes, info);
	}
	b->data[b->len] = 0;
	return ERR_OK;
}

enum err os_file_read(const char *path, size_t max_bytes, uint8_t **ret_data, size_t *ret_len,
		      struct err_info *info)
{
	struct buffer b = {0};
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return os_fail(info, errno, "read", path);
	enum err err = ERR_OK;
	if (fstat(fd, &st) != 0)
		err = os_fail(info, errno, "read", path);
	/* The cast may cut on 32 bits; the size is a hint. */
	size_t expected = err == ERR_OK && st.st_size > 0 ? (size_t)st.st_size : 0;
	if (err == ERR_OK && S_ISREG(st.st_mode) && expected > max_bytes && expected > FIRST_BYTES)
		err = too_long(path, max_bytes, info);
	if (err == ERR_OK)
		err = read_all(fd, path, max_bytes, expected, &b, info);
	close(fd);
	if (err != ERR_OK) {
		free(b.data);
		return err;
	}
	*ret_data = b.data;
	*ret_len = b.len;
	return ERR_OK;
}

bool os_file_exists(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0;
}
