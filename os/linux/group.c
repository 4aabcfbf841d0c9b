#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/linux/fail.h"

enum err os_file_set_group(const char *path, const char *group, struct err_info *info)
{
	errno = 0;
	const struct group *g = getgrnam(group);
	if (g == NULL)
		return err_set(info, ERR_NOT_FOUND, "there is no group \"%s\": create it, or name another",
			       group);
	if (chown(path, (uid_t)-1, g->gr_gid) == 0)
		return ERR_OK;
	if (errno == EPERM)
		return err_set(info, ERR_DENIED,
			       "cannot give \"%s\" to the group \"%s\": this user is not a member of it",
			       path, group);
	return os_fail(info, errno, "change the group of", path);
}

/* The folder is its owner's: what stands under the name may have been changed for a link since it was
 * written. */
static enum err give(int fd, const struct stat *to, const char *path, struct err_info *info)
{
	struct stat st;
	if (fstat(fd, &st) != 0)
		return os_fail(info, errno, "look at", path);
	if (st.st_uid == to->st_uid)
		return ERR_OK;
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 || st.st_uid != 0)
		return err_set(info, ERR_DENIED,
			       "will not give away \"%s\": it is no file of root's with one name", path);
	if (fchown(fd, to->st_uid, to->st_gid) != 0)
		return os_fail(info, errno, "change the owner of", path);
	return ERR_OK;
}

enum err os_file_hand_over(const char *folder, const char *path, struct err_info *info)
{
	struct stat to;
	if (geteuid() != 0)
		return ERR_OK;
	if (stat(folder, &to) != 0)
		return os_fail(info, errno, "look at", folder);
	if (to.st_uid == 0)
		return ERR_OK;
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return os_fail(info, errno, "open", path);
	enum err err = give(fd, &to, path, info);
	close(fd);
	return err;
}
