#include "node/collect/linux/source.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

bool source_path(char ret[LIMIT_PATH_BYTES], const char *root, const char *path)
{
	int n = snprintf(ret, LIMIT_PATH_BYTES, "%s%s", root, path);
	return n >= 0 && n < LIMIT_PATH_BYTES;
}

enum reading_status source_status(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
		return READING_ABSENT;
	case EACCES:
	case EPERM:
		return READING_DENIED;
	case EOPNOTSUPP: /* PSI compiled in but switched off answers so */
	case ENOSYS:
	case ENODEV:
		return READING_UNSUPPORTED;
	default:
		return READING_FAILED;
	}
}

enum reading_status source_head(const char *root, const char *path, char *ret, size_t cap, size_t *ret_len)
{
	char full[LIMIT_PATH_BYTES];
	if (!source_path(full, root, path))
		return READING_FAILED;
	int fd = open(full, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return source_status(errno);
	size_t len = 0;
	while (len < cap - 1) {
		ssize_t n = read(fd, ret + len, cap - 1 - len);
		if (n == 0)
			break;
		if (n < 0) {
			if (errno == EINTR)
				continue;
			int error = errno;
			close(fd);
			return source_status(error);
		}
		len += (size_t)n;
	}
	close(fd);
	ret[len] = '\0';
	if (ret_len)
		*ret_len = len;
	return READING_OK;
}

struct reading_text source_text(const char *root, const char *path)
{
	struct reading_text r = {READING_FAILED, ""};
	char text[512];
	r.status = source_head(root, path, text, sizeof(text), NULL);
	if (r.status != READING_OK)
		return r;
	text[strcspn(text, "\n")] = '\0';
	size_t len = strlen(text);
	while (len > 0 && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	if (len == 0)
		r.status = READING_ABSENT;
	else
		text_copy(r.value, sizeof(r.value), text);
	return r;
}

struct reading_u64 source_u64(const char *root, const char *path, enum reading_status missing)
{
	struct reading_text t = source_text(root, path);
	struct reading_u64 r = {t.status == READING_ABSENT ? missing : t.status, 0};
	if (t.status == READING_OK && !text_u64(t.value, 0, UINT64_MAX, &r.value))
		r.status = READING_FAILED;
	return r;
}

struct reading_u64 source_keyed_u64(const char *text, const char *key)
{
	struct reading_u64 r = {READING_ABSENT, 0};
	size_t key_len = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		if (*line == '\n')
			line++;
		if (strncmp(line, key, key_len) != 0)
			continue;
		char *end;
		errno = 0;
		uint64_t value = strtoull(line + key_len, &end, 10);
		if (errno != 0 || end == line + key_len) {
			r.status = READING_FAILED;
			return r;
		}
		r.status = READING_OK;
		r.value = value;
		return r;
	}
	return r;
}

enum reading_status source_list(const char *root, const char *path,
				bool (*each)(void *context, const char *name), void *context)
{
	char full[LIMIT_PATH_BYTES];
	if (!source_path(full, root, path))
		return READING_FAILED;
	DIR *folder = opendir(full);
	if (!folder)
		return source_status(errno);
	struct dirent *entry;
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] != '.' && !each(context, entry->d_name))
			break;
	}
	closedir(folder);
	return READING_OK;
}

bool source_exists(const char *root, const char *path)
{
	char full[LIMIT_PATH_BYTES];
	return source_path(full, root, path) && access(full, F_OK) == 0;
}
