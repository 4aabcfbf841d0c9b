#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "os/file.h"
#include "os/linux/fail.h"

enum err os_file_map(const char *path, size_t bytes, unsigned mode, void **ret, struct err_info *info)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, (mode_t)mode);
	if (fd < 0)
		return os_fail(info, errno, "create", path);
	/* Its room is set aside: writing into the map must not fault for want of it. */
	int error = posix_fallocate(fd, 0, (off_t)bytes);
	void *map = error == 0 ? mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (error == 0 && map == MAP_FAILED)
		error = errno;
	close(fd);
	if (error != 0)
		return os_fail(info, error, "map", path);
	*ret = map;
	return ERR_OK;
}

void os_file_unmap(void *map, size_t bytes)
{
	if (map != NULL)
		munmap(map, bytes);
}
