#include "os/linux/fail.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

static const struct failure {
	int error;
	enum err code;
	const char *reason;
	const char *remedy;
} failures[] = {
    {ENOENT, ERR_NOT_FOUND, "it does not exist", "check the path"},
    {ENOTDIR, ERR_NOT_FOUND, "a part of the path is no folder", "check the path"},
    {EEXIST, ERR_EXISTS, "it exists already", "choose another name or remove it first"},
    {EACCES, ERR_DENIED, "permission denied", "run as the user who may, or change its owner or mode"},
    {EPERM, ERR_DENIED, "operation not permitted", "run as the user who may, or change its owner or mode"},
    {EROFS, ERR_DENIED, "the file system is read-only", "mount it writable or choose another folder"},
    {ENOSPC, ERR_DISK_FULL, "no space left on the device", "free some space and try again"},
    {EDQUOT, ERR_DISK_FULL, "the disk quota is used up", "free some space and try again"},
    {EFBIG, ERR_DISK_FULL, "the file size limit is reached", "raise the limit (ulimit -f) and try again"},
    {ENOMEM, ERR_NOMEM, "out of memory", "free some memory and try again"},
    {EIO, ERR_IO, "the device reports an error", "check the disk and the system's log"},
    {EMFILE, ERR_IO, "too many open files", "raise the limit of open files (ulimit -n)"},
    {ENFILE, ERR_IO, "too many open files in the system", "raise fs.file-max"},
    {EISDIR, ERR_IO, "it is a folder", "name a file"},
    {ELOOP, ERR_IO, "it is a symbolic link", "name the file itself"},
    {ENAMETOOLONG, ERR_IO, "the name is too long", "choose a shorter path"},
};

static const struct failure *find(int error)
{
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		if (failures[i].error == error)
			return &failures[i];
	}
	return NULL;
}

enum err os_fail_code(int error)
{
	const struct failure *f = find(error);
	return f != NULL ? f->code : ERR_IO;
}

enum err os_fail(struct err_info *info, int error, const char *verb, const char *path)
{
	const struct failure *f = find(error);
	char reason[128];
	if (f != NULL)
		return err_set(info, f->code, "cannot %s \"%s\": %s; %s", verb, path, f->reason, f->remedy);
	return err_set(info, ERR_IO, "cannot %s \"%s\": %s (error %d); see the system's log", verb, path,
		       strerror_r(error, reason, sizeof(reason)), error);
}
