#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"
#include "os/file.h"
#include "os/linux/fail.h"

enum err os_path_join(char *ret, size_t cap, const char *folder, const char *name)
{
	size_t len = strlen(folder);
	bool slash = len > 0 && folder[len - 1] != '/';
	if (len + slash + strlen(name) >= cap)
		return ERR_LIMIT;
	snprintf(ret, cap, "%s%s%s", folder, slash ? "/" : "", name);
	return ERR_OK;
}

/* In place: no "//", no "." and no "/" at the end, so that one folder has one name. ".." stays: what it means
 * depends on links. */
static void tidy(char *path)
{
	char *to = path;
	for (const char *from = path; *from != '\0';) {
		size_t len = strcspn(from + 1, "/");
		if (len > 0 && !(len == 1 && from[1] == '.')) {
			memmove(to, from, len + 1);
			to += len + 1;
		}
		from += len + 1;
	}
	if (to == path)
		*to++ = '/';
	*to = '\0';
}

enum err os_path_absolute(const char *path, char *ret, size_t cap, struct err_info *info)
{
	char folder[LIMIT_PATH_BYTES] = "";
	if (path[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
		return os_fail(info, errno, "find the folder of", path);
	enum err err = path[0] == '/' ? (text_copy(ret, cap, path) ? ERR_OK : ERR_LIMIT)
				      : os_path_join(ret, cap, folder, path);
	if (err != ERR_OK)
		return err_set(info, err, "the path \"%.64s...\" is too long", path);
	tidy(ret);
	return ERR_OK;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);
	return value != NULL && *value != '\0' ? value : NULL;
}

enum err os_path_default_state(char *ret, size_t cap, struct err_info *info)
{
	static const char system_folder[] = "/var/lib/mesh";
	const char *folder = variable("MESH_STATE");
	const char *rest = "";
	struct stat st;
	if (folder == NULL && stat(system_folder, &st) == 0 && S_ISDIR(st.st_mode))
		folder = system_folder;
	if (folder == NULL) {
		rest = "mesh";
		folder = variable("XDG_STATE_HOME");
		/* The XDG specification has relative paths ignored. */
		if (folder != NULL && folder[0] != '/')
			folder = NULL;
	}
	if (folder == NULL) {
		rest = ".local/state/mesh";
		folder = variable("HOME");
	}
	if (folder == NULL)
		return err_set(
		    info, ERR_NOT_FOUND,
		    "no state folder: \"%s\" does not exist and HOME is not set; set MESH_STATE to a folder",
		    system_folder);
	enum err err = ERR_LIMIT;
	if (*rest != '\0')
		err = os_path_join(ret, cap, folder, rest);
	else if (strlen(folder) < cap && text_copy(ret, cap, folder))
		err = ERR_OK;
	if (err != ERR_OK)
		return err_set(
		    info, err,
		    "the state folder's path is longer than %zu bytes; set MESH_STATE to a shorter one",
		    cap - 1);
	return ERR_OK;
}
