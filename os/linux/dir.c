#include "os/linux/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "os/file.h"
#include "os/linux/fail.h"

/* 0 or an errno; a folder that is there already is fine. */
static int make_one(const char *path, unsigned mode)
{
	struct stat st;
	if (mkdir(path, (mode_t)mode) != 0) {
		int error = errno;
		/* On a read-only or foreign part of the path, mkdir fails before it says "exists". */
		if (stat(path, &st) != 0)
			return error;
		return S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	}
	/* The umask took its share. Not by name: whoever may rename in the parent could put a link to another
	 * folder there meanwhile. */
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno;
	int error = fchmod(fd, (mode_t)mode) == 0 ? 0 : errno;
	close(fd);
	return error == 0 ? os_dir_sync_parent(path) : error;
}

enum err os_dir_make(const char *path, unsigned mode, struct err_info *info)
{
	char part[LIMIT_PATH_BYTES];
	if (!text_copy(part, sizeof(part), path))
		return os_fail(info, ENAMETOOLONG, "create folder", path);
	size_t len = strlen(part);
	while (len > 1 && part[len - 1] == '/')
		part[--len] = '\0';
	for (char *slash = part; (slash = strchr(slash + 1, '/')) != NULL;) {
		*slash = '\0';
		int error = make_one(part, mode);
		*slash = '/';
		if (error != 0)
			return os_fail(info, error, "create folder", path);
	}
	int error = make_one(part, mode);
	return error == 0 ? ERR_OK : os_fail(info, error, "create folder", path);
}

enum err os_dir_check_writable(const char *path, struct err_info *info)
{
	/* Trying is the only check that knows of quotas, read-only mounts and security modules. */
	int fd = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
		char name[LIMIT_PATH_BYTES];
		if (os_path_join(name, sizeof(name), path, ".mesh-XXXXXX") != ERR_OK)
			return os_fail(info, ENAMETOOLONG, "create files in", path);
		fd = mkostemp(name, O_CLOEXEC);
		if (fd >= 0)
			unlink(name);
	}
	if (fd < 0)
		return os_fail(info, errno, "create files in", path);
	close(fd);
	return ERR_OK;
}

enum err os_dir_list(const char *path, bool (*each)(void *context, const char *name), void *context,
		     struct err_info *info)
{
	DIR *dir = opendir(path);
	if (dir == NULL)
		return os_fail(info, errno, "list", path);
	int error = 0;
	for (;;) {
		errno = 0;
		const struct dirent *entry = readdir(dir);
		if (entry == NULL) {
			error = errno;
			break;
		}
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (!each(context, entry->d_name))
			break;
	}
	closedir(dir);
	return error == 0 ? ERR_OK : os_fail(info, error, "list", path);
}
