#include <errno.h>
#include <grp.h>
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
