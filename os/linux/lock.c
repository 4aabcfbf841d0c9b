#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/text.h"
#include "os/file.h"
#include "os/linux/fail.h"
#include "os/process.h"

struct os_lock {
	int fd;
};

static enum err busy(int fd, const char *path, struct err_info *info)
{
	char text[24] = "";
	uint64_t pid;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	/* The holder writes it a moment after it has the lock. */
	if (text_u64(text, 1, INT32_MAX, &pid))
		return err_set(info, ERR_BUSY, "\"%s\" is locked by process %llu; stop that process first",
			       path, (unsigned long long)pid);
	return err_set(info, ERR_BUSY, "\"%s\" is locked by another process; stop that process first", path);
}

enum err os_lock_take(const char *path, struct os_lock **ret_lock, struct err_info *info)
{
	struct os_lock *lock = malloc(sizeof(*lock));
	if (lock == NULL)
		return os_fail(info, ENOMEM, "lock", path);
	/* Only the owner may open it: a lock can be taken through any open file. */
	lock->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	enum err err = ERR_OK;
	if (lock->fd < 0)
		err = os_fail(info, errno, "lock", path);
	else if (flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? busy(lock->fd, path, info) : os_fail(info, errno, "lock", path);
	if (err != ERR_OK) {
		if (lock->fd >= 0)
			close(lock->fd);
		free(lock);
		return err;
	}
	/* The pid is a courtesy: on a full disk the lock holds without it. */
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)os_process_id());
	if (ftruncate(lock->fd, 0) != 0 || pwrite(lock->fd, text, (size_t)n, 0) != n)
		(void)!ftruncate(lock->fd, 0);
	*ret_lock = lock;
	return ERR_OK;
}

void os_lock_release(struct os_lock *lock)
{
	if (lock == NULL)
		return;
	/* The file stays: removing it would let two processes lock two files of one name. */
	(void)!ftruncate(lock->fd, 0);
	close(lock->fd);
	free(lock);
}
