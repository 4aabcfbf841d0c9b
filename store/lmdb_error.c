#include <errno.h>
#include <string.h>

#include "store/lmdb_env.h"

static const struct {
	int code;
	enum err err;
	const char *remedy;
} codes[] = {
    {MDB_NOTFOUND, ERR_NOT_FOUND, "there is no such row"},
    {MDB_PAGE_NOTFOUND, ERR_CORRUPT, "a page is missing; restart meshd, which sets the file aside"},
    {MDB_CORRUPTED, ERR_CORRUPT, "a page is damaged; restart meshd, which sets the file aside"},
    {MDB_INVALID, ERR_CORRUPT, "it is no LMDB file; restart meshd, which sets it aside"},
    {MDB_CURSOR_FULL, ERR_CORRUPT, "its pages form a loop; restart meshd, which sets it aside"},
    {MDB_PAGE_FULL, ERR_CORRUPT, "a page is damaged; restart meshd, which sets the file aside"},
    {MDB_INCOMPATIBLE, ERR_CORRUPT, "its tables are damaged; restart meshd, which sets the file aside"},
    {MDB_BAD_VALSIZE, ERR_CORRUPT, "a row has an impossible size; restart meshd"},
    {MDB_PANIC, ERR_IO, "an earlier write failed; check the disk, then restart meshd"},
    {MDB_VERSION_MISMATCH, ERR_VERSION, "it was written by another version of LMDB; move it away"},
    {MDB_MAP_FULL, ERR_LIMIT, "its map is full; it grows before the next commit"},
    {MDB_MAP_RESIZED, ERR_BUSY, "another process made it larger; try again"},
    {MDB_READERS_FULL, ERR_BUSY, "too many processes read it; try again"},
    {MDB_BAD_RSLOT, ERR_BUSY, "this thread reads it already"},
    {ENOSPC, ERR_DISK_FULL, "no space left on the device; free some space"},
    {EDQUOT, ERR_DISK_FULL, "the disk quota is used up; free some space"},
    {EFBIG, ERR_DISK_FULL, "the file size limit is reached; raise it (ulimit -f)"},
    {EACCES, ERR_DENIED, "permission denied; join the group that owns it, or run as its owner"},
    {EPERM, ERR_DENIED, "not permitted; join the group that owns it, or run as its owner"},
    {EROFS, ERR_DENIED, "the file system is read-only; mount it writable"},
    {ENOENT, ERR_NOT_FOUND, "it does not exist"},
    {ENOMEM, ERR_NOMEM, "out of memory, or of address space for its map (ulimit -v)"},
    {EAGAIN, ERR_BUSY, "another process is opening it; try again"},
    {EBUSY, ERR_BUSY, "another process is opening it; try again"},
    {EIO, ERR_IO, "the device reports an error; check the disk and the system's log"},
};

enum err lmdb_error(int code, const char *verb, const char *path, struct err_info *info)
{
	if (code == MDB_SUCCESS)
		return ERR_OK;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code == code)
			return err_set(info, codes[i].err, "cannot %s \"%s\": %s", verb, path,
				       codes[i].remedy);
	}
	return err_set(info, ERR_IO, "cannot %s \"%s\": %s (error %d)", verb, path, mdb_strerror(code), code);
}
