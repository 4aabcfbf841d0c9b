#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

bool scratch_make_folder(const char *prefix, char ret[SCRATCH_FOLDER_BYTES])
{
	const char *below = getenv("TMPDIR");
	int len = -1;
	if (below != NULL && below[0] == '/')
		len = snprintf(ret, SCRATCH_FOLDER_BYTES, "%s/%s-XXXXXX", below, prefix);
	if (len < 0 || len >= SCRATCH_FOLDER_BYTES)
		snprintf(ret, SCRATCH_FOLDER_BYTES, "/tmp/%s-XXXXXX", prefix);
	return mkdtemp(ret) != NULL;
}

int scratch_setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -1;
	*state = s;
	return scratch_make_folder("mesh-unit", s->folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int scratch_teardown(void **state)
{
	struct scratch *s = *state;
	int rc = nftw(s->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(s);
	return rc;
}

const char *scratch_path(struct scratch *s, const char *name)
{
	char *path = s->path[s->turn++ % SCRATCH_PATHS];
	size_t folder_len = strlen(s->folder), len = strlen(name);
	assert_in_range(folder_len + 1 + len, 1, SCRATCH_PATH_BYTES - 1);
	memcpy(path, s->folder, folder_len);
	path[folder_len] = '/';
	memcpy(path + folder_len + 1, name, len + 1);
	return path;
}

void scratch_write(const char *path, const void *data, size_t len, unsigned mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(fchmod(fd, (mode_t)mode), 0);
	close(fd);
}

bool scratch_holds(const char *path, const void *data, size_t len)
{
	bool same = false;
	uint8_t *have = malloc(len + 1);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && have != NULL)
		same = read(fd, have, len + 1) == (ssize_t)len && memcmp(have, data, len) == 0;
	if (fd >= 0)
		close(fd);
	free(have);
	return same;
}

int scratch_in_child(int (*work)(void *context), void *context)
{
	int status;
	fflush(NULL);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(work(context));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool scratch_drop_root(void)
{
	if (geteuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setgid(NOBODY) == 0 && setuid(NOBODY) == 0;
}

static int become_another(void *context)
{
	(void)context;
	return scratch_drop_root() ? 0 : 1;
}

void scratch_need_other_user(void)
{
	if (scratch_in_child(become_another, NULL) != 0)
		skip();
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return done;
}

bool scratch_own_mounts(void)
{
	char users[64], groups[64];
	snprintf(users, sizeof(users), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
	snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
	if (unshare(CLONE_NEWNS) != 0 &&
	    (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !put("/proc/self/uid_map", users) ||
	     !put("/proc/self/setgroups", "deny") || !put("/proc/self/gid_map", groups)))
		return false;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

int scratch_in_berlin(void **state)
{
	(void)state;
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	return 0;
}
