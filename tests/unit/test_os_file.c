/* Reading, replacing, creating, wiping, setting aside; folders. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/limits.h"
#include "os/file.h"
#include "tests/unit/scratch.h"

#define SKIPPED 77

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void read_takes_the_whole(void **state)
{
	const char *path = scratch_path(*state, "file");
	uint8_t *data = NULL;
	size_t len = 7;
	struct err_info info = {0};
	assert_int_equal(os_file_read(path, 10, &data, &len, &info), ERR_NOT_FOUND);
	assert_int_equal(info.code, ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, path));
	scratch_write(path, "hello", 5, 0600);
	assert_int_equal(os_file_read(path, 4, &data, &len, &info), ERR_LIMIT);
	assert_true(data == NULL && len == 7);
	for (size_t max = 5; max < 8; max++) {
		assert_int_equal(os_file_read(path, max, &data, &len, NULL), ERR_OK);
		assert_int_equal(len, 5);
		assert_memory_equal(data, "hello", 6);
		free(data);
	}
	assert_int_equal(os_file_read(path, SIZE_MAX, &data, &len, NULL), ERR_OK);
	free(data);
	scratch_write(path, "", 0, 0600);
	assert_int_equal(os_file_read(path, 0, &data, &len, NULL), ERR_OK);
	assert_true(len == 0 && data[0] == 0);
	free(data);
	assert_int_equal(os_file_read("/tmp", 10, &data, &len, &info), ERR_IO);
}

static void read_works_where_sizes_lie(void **state)
{
	(void)state;
	uint8_t *data;
	size_t len;
	/* More than the first buffer. */
	assert_int_equal(os_file_read("/proc/self/smaps", 1 << 24, &data, &len, NULL), ERR_OK);
	assert_true(len > 4096 && data[len] == 0 && data[len - 1] == '\n');
	free(data);
	assert_int_equal(os_file_read("/proc/self/smaps", 100, &data, &len, NULL), ERR_LIMIT);
	/* sysfs says 4,096 bytes for everything. */
	if (!os_file_exists("/sys/kernel/mm/transparent_hugepage/enabled"))
		skip();
	assert_int_equal(os_file_read("/sys/kernel/mm/transparent_hugepage/enabled", 1000, &data, &len, NULL),
			 ERR_OK);
	assert_in_range(len, 1, 999);
	free(data);
}

static void private_files_are_nobody_elses(void **state)
{
	static const unsigned open_modes[] = {0640, 0604, 0620, 0602, 0610, 0601, 0777};
	const char *path = scratch_path(*state, "secret");
	uint8_t *data;
	size_t len;
	struct err_info info;
	scratch_write(path, "key", 3, 0600);
	assert_int_equal(os_file_read_private(path, 10, &data, &len, NULL), ERR_OK);
	assert_memory_equal(data, "key", 4);
	free(data);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(os_file_read_private(path, 10, &data, &len, NULL), ERR_OK);
	free(data);
	for (size_t i = 0; i < sizeof(open_modes) / sizeof(*open_modes); i++) {
		assert_int_equal(chmod(path, open_modes[i]), 0);
		assert_int_equal(os_file_read_private(path, 10, &data, &len, &info), ERR_DENIED);
		assert_non_null(strstr(info.text, "chmod it to 0600"));
	}
	assert_int_equal(chmod(path, 0600), 0);
	/* In a user namespace there may be no such user. */
	if (geteuid() == 0 && (chown(path, 4711, (gid_t)-1) == 0 || errno != EINVAL)) {
		assert_int_equal(os_file_read_private(path, 10, &data, &len, &info), ERR_DENIED);
		assert_non_null(strstr(info.text, "user 4711"));
	}
	/* Neither blocks nor is read. */
	const char *pipe_path = scratch_path(*state, "pipe");
	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	assert_int_equal(os_file_read_private(pipe_path, 10, &data, &len, &info), ERR_DENIED);
}

static void replace_sets_content_and_mode(void **state)
{
	struct scratch *s = *state;
	const char *path = scratch_path(s, "file");
	struct err_info info;
	mode_t mask = umask(077);
	assert_int_equal(os_file_replace(path, "one", 3, 0644, &info), ERR_OK);
	assert_true(scratch_holds(path, "one", 3));
	assert_int_equal(mode_of(path), 0644);
	assert_int_equal(os_file_replace(path, "second", 6, 0600, &info), ERR_OK);
	assert_true(scratch_holds(path, "second", 6));
	assert_int_equal(mode_of(path), 0600);
	assert_int_equal(os_file_replace(path, NULL, 0, 0600, &info), ERR_OK);
	assert_true(scratch_holds(path, "", 0));
	umask(mask);
	assert_false(os_file_exists(scratch_path(s, "file.new")));
	assert_int_equal(os_file_replace(scratch_path(s, "no/file"), "x", 1, 0600, &info), ERR_NOT_FOUND);
	/* A relative path has the current folder as its own. */
	char *before = getcwd(NULL, 0);
	assert_int_equal(chdir(s->folder), 0);
	assert_int_equal(os_file_replace("file", "third", 5, 0600, &info), ERR_OK);
	assert_int_equal(chdir(before), 0);
	free(before);
	assert_true(scratch_holds(path, "third", 5));
}

static void replace_takes_no_device_or_folder(void **state)
{
	struct scratch *s = *state;
	const char *path = scratch_path(s, "pipe"), *link_path = scratch_path(s, "link");
	struct err_info info;
	struct stat st;
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(symlink("pipe", link_path), 0);
	assert_int_equal(os_file_replace(path, "x", 1, 0600, &info), ERR_ARG);
	assert_int_equal(os_file_replace(link_path, "x", 1, 0600, &info), ERR_ARG);
	assert_int_equal(os_file_replace(s->folder, "x", 1, 0600, &info), ERR_ARG);
	assert_true(lstat(path, &st) == 0 && S_ISFIFO(st.st_mode));
	assert_true(lstat(link_path, &st) == 0 && S_ISLNK(st.st_mode));
}

static void replace_clears_what_a_crash_left(void **state)
{
	const char *path = scratch_path(*state, "file"), *new_path = scratch_path(*state, "file.new");
	const char *victim = scratch_path(*state, "victim");
	struct err_info info;
	scratch_write(new_path, "half", 4, 0666);
	assert_int_equal(os_file_replace(path, "whole", 5, 0600, &info), ERR_OK);
	assert_true(scratch_holds(path, "whole", 5));
	assert_int_equal(mode_of(path), 0600);
	/* A link put there is not followed. */
	scratch_write(victim, "victim", 6, 0600);
	assert_int_equal(symlink(victim, new_path), 0);
	assert_int_equal(os_file_replace(path, "again", 5, 0600, &info), ERR_OK);
	assert_true(scratch_holds(path, "again", 5));
	assert_true(scratch_holds(victim, "victim", 6));
	assert_false(os_file_exists(new_path));
	/* A folder is not ours to remove. */
	assert_int_equal(mkdir(new_path, 0700), 0);
	assert_int_equal(os_file_replace(path, "third", 5, 0600, &info), ERR_BUSY);
	assert_non_null(strstr(info.text, new_path));
	assert_true(scratch_holds(path, "again", 5));
}

static int full_disk(void *context)
{
	struct scratch *s = context;
	const char *path = scratch_path(s, "file"), *other = scratch_path(s, "other");
	static char big[256 * 1024];
	struct err_info info;
	char want[512];
	if (!scratch_own_mounts() || mount("none", s->folder, "tmpfs", 0, "size=64k") != 0)
		return SKIPPED;
	if (os_file_replace(path, "old", 3, 0600, &info) != ERR_OK)
		return 1;
	if (os_file_replace(path, big, sizeof(big), 0600, &info) != ERR_DISK_FULL)
		return 2;
	snprintf(want, sizeof(want),
		 "cannot write \"%s\": no space left on the device; free some space and try again", path);
	if (strcmp(info.text, want) != 0)
		return 3;
	if (!scratch_holds(path, "old", 3) || os_file_exists(scratch_path(s, "file.new")))
		return 4;
	if (os_file_create(other, big, sizeof(big), 0600, &info) != ERR_DISK_FULL)
		return 5;
	if (os_file_exists(other) || os_file_exists(scratch_path(s, "other.new")))
		return 6;
	if (mount("none", s->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return SKIPPED;
	if (os_file_replace(path, "new", 3, 0600, &info) != ERR_DENIED ||
	    strstr(info.text, "read-only") == NULL)
		return 7;
	return os_dir_check_writable(s->folder, &info) == ERR_DENIED ? 0 : 8;
}

static void full_disk_leaves_the_old_file(void **state)
{
	int rc = scratch_in_child(full_disk, *state);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
}

static int over_the_size_limit(void *context)
{
	const char *path = context;
	static char big[8192];
	struct rlimit limit = {4096, 4096};
	signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	return os_file_replace(path, big, sizeof(big), 0600, NULL) == ERR_DISK_FULL ? 0 : 2;
}

static void failed_write_leaves_the_old_file(void **state)
{
	const char *path = scratch_path(*state, "file");
	scratch_write(path, "old", 3, 0600);
	assert_int_equal(scratch_in_child(over_the_size_limit, (void *)(uintptr_t)path), 0);
	assert_true(scratch_holds(path, "old", 3));
	assert_false(os_file_exists(scratch_path(*state, "file.new")));
}

static int without_rights(void *context)
{
	struct scratch *s = context;
	const char *path = scratch_path(s, "file");
	uint8_t *data;
	size_t len;
	struct err_info info;
	if (!scratch_drop_root())
		return SKIPPED;
	if (os_file_replace(path, "new", 3, 0600, &info) != ERR_DENIED || strstr(info.text, path) == NULL)
		return 1;
	if (os_file_read(path, 10, &data, &len, &info) != ERR_DENIED)
		return 2;
	if (os_dir_check_writable(s->folder, &info) != ERR_DENIED || strchr(info.text, ';') == NULL)
		return 3;
	if (os_dir_make(scratch_path(s, "sub/sub"), 0755, &info) != ERR_DENIED)
		return 4;
	if (os_file_create(scratch_path(s, "other"), "x", 1, 0600, &info) != ERR_DENIED)
		return 5;
	if (os_file_wipe(path, &info) != ERR_DENIED || os_file_set_aside(path, NULL, 0, &info) != ERR_DENIED)
		return 6;
	/* What is there already needs no rights. */
	return os_dir_make(s->folder, 0755, &info) == ERR_OK ? 0 : 7;
}

static void rights_are_told(void **state)
{
	struct scratch *s = *state;
	const char *path = scratch_path(s, "file");
	scratch_need_other_user();
	scratch_write(path, "old", 3, 0000);
	assert_int_equal(chmod(s->folder, 0555), 0);
	int rc = scratch_in_child(without_rights, s);
	assert_int_equal(chmod(s->folder, 0700), 0);
	if (rc == SKIPPED)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(chmod(path, 0600), 0);
	assert_true(scratch_holds(path, "old", 3));
}

#define WRITERS      4
#define REPLACEMENTS 50
#define BLOCK_BYTES  20000

static int write_often(const char *path, int fill)
{
	static char block[BLOCK_BYTES];
	memset(block, fill, sizeof(block));
	for (int i = 0; i < REPLACEMENTS; i++) {
		if (os_file_replace(path, block, sizeof(block), 0600, NULL) != ERR_OK)
			return 1;
	}
	return 0;
}

static void writers_take_turns(void **state)
{
	const char *path = scratch_path(*state, "file");
	int status, alive = WRITERS;
	assert_int_equal(write_often(path, 'z'), 0);
	for (int i = 0; i < WRITERS; i++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(write_often(path, 'a' + i));
	}
	while (alive > 0) {
		uint8_t *data;
		size_t len;
		assert_int_equal(os_file_read(path, BLOCK_BYTES, &data, &len, NULL), ERR_OK);
		assert_int_equal(len, BLOCK_BYTES);
		/* All bytes alike: never half of one and half of another. */
		assert_memory_equal(data, data + 1, len - 1);
		free(data);
		if (waitpid(-1, &status, WNOHANG) > 0) {
			assert_int_equal(status, 0);
			alive--;
		}
	}
	assert_false(os_file_exists(scratch_path(*state, "file.new")));
}

static void create_never_overwrites(void **state)
{
	const char *path = scratch_path(*state, "file"), *link_path = scratch_path(*state, "link");
	struct err_info info;
	assert_int_equal(os_file_create(path, "one", 3, 0640, &info), ERR_OK);
	assert_int_equal(mode_of(path), 0640);
	assert_int_equal(os_file_create(path, "two", 3, 0600, &info), ERR_EXISTS);
	assert_true(scratch_holds(path, "one", 3));
	assert_int_equal(symlink("nowhere", link_path), 0);
	assert_int_equal(os_file_create(link_path, "two", 3, 0600, &info), ERR_EXISTS);
}

static void wipe_overwrites_first(void **state)
{
	const char *path = scratch_path(*state, "token"), *twin = scratch_path(*state, "twin");
	const char *link_path = scratch_path(*state, "link");
	static char secret[10000], zeros[10000];
	memset(secret, 's', sizeof(secret));
	scratch_write(path, secret, sizeof(secret), 0400);
	/* A second name shows what became of the content. */
	assert_int_equal(link(path, twin), 0);
	assert_int_equal(os_file_wipe(path, NULL), ERR_OK);
	assert_false(os_file_exists(path));
	assert_true(scratch_holds(twin, zeros, sizeof(zeros)));
	assert_int_equal(os_file_wipe(path, NULL), ERR_NOT_FOUND);
	scratch_write(path, "target", 6, 0600);
	assert_int_equal(symlink("token", link_path), 0);
	assert_int_equal(os_file_wipe(link_path, NULL), ERR_ARG);
	assert_true(scratch_holds(path, "target", 6));
}

static void set_aside_counts_up(void **state)
{
	struct scratch *s = *state;
	char path[SCRATCH_PATH_BYTES], aside[SCRATCH_PATH_BYTES], small[8] = "before", name[32];
	struct err_info info;
	strcpy(path, scratch_path(s, "replica"));
	assert_int_equal(os_file_set_aside(path, aside, sizeof(aside), &info), ERR_NOT_FOUND);
	for (int i = 1; i <= 3; i++) {
		scratch_write(path, &i, sizeof(i), 0600);
		assert_int_equal(os_file_set_aside(path, aside, sizeof(aside), &info), ERR_OK);
		snprintf(name, sizeof(name), "replica.bad-%d", i);
		assert_string_equal(aside, scratch_path(s, name));
		assert_true(scratch_holds(aside, &i, sizeof(i)));
		assert_false(os_file_exists(path));
	}
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(os_file_set_aside(path, small, sizeof(small), &info), ERR_IO);
	assert_string_equal(small, "before");
	assert_true(os_file_exists(path));
	assert_int_equal(os_file_set_aside(path, NULL, 0, &info), ERR_OK);
	assert_true(os_file_exists(scratch_path(s, "replica.bad-4")));
}

static void folders_are_made(void **state)
{
	struct scratch *s = *state;
	struct err_info info;
	mode_t mask = umask(077);
	assert_int_equal(os_dir_make(scratch_path(s, "a/b/c/"), 0750, &info), ERR_OK);
	umask(mask);
	assert_int_equal(mode_of(scratch_path(s, "a")), 0750);
	assert_int_equal(mode_of(scratch_path(s, "a/b/c")), 0750);
	assert_int_equal(os_dir_make(scratch_path(s, "a//b/c"), 0700, &info), ERR_OK);
	assert_int_equal(mode_of(scratch_path(s, "a/b/c")), 0750);
	scratch_write(scratch_path(s, "a/file"), "x", 1, 0600);
	assert_int_equal(os_dir_make(scratch_path(s, "a/file"), 0700, &info), ERR_NOT_FOUND);
	assert_int_equal(os_dir_make(scratch_path(s, "a/file/sub"), 0700, &info), ERR_NOT_FOUND);
	assert_int_equal(os_dir_make("/", 0700, &info), ERR_OK);
	assert_int_equal(os_dir_check_writable(scratch_path(s, "a"), &info), ERR_OK);
	assert_int_equal(os_dir_check_writable(scratch_path(s, "none"), &info), ERR_NOT_FOUND);
}

/* Whoever may rename in the parent puts a link where the folder was just made. */
static const char *lured_to;
int mkdir(const char *path, mode_t mode)
{
	int rc = mkdirat(AT_FDCWD, path, mode);
	if (rc == 0 && lured_to != NULL)
		rc = rmdir(path) == 0 ? symlink(lured_to, path) : -1;
	return rc;
}

static void made_folder_is_no_link(void **state)
{
	struct scratch *s = *state;
	struct err_info info;
	char target[LIMIT_PATH_BYTES];
	snprintf(target, sizeof(target), "%s", scratch_path(s, "target"));
	assert_int_equal(os_dir_make(target, 0700, &info), ERR_OK);
	lured_to = target;
	enum err err = os_dir_make(scratch_path(s, "state"), 0755, &info);
	lured_to = NULL;
	assert_int_not_equal(err, ERR_OK);
	assert_int_equal(mode_of(target), 0700);
}

struct listing {
	int count, stop_at;
	bool saw_x, saw_y;
};

static bool list_one(void *context, const char *name)
{
	struct listing *l = context;
	l->count++;
	l->saw_x = l->saw_x || strcmp(name, "x") == 0;
	l->saw_y = l->saw_y || strcmp(name, ".y") == 0;
	return l->count != l->stop_at;
}

static void folders_are_listed(void **state)
{
	struct scratch *s = *state;
	struct listing l = {0};
	struct err_info info;
	assert_int_equal(os_dir_list(s->folder, list_one, &l, &info), ERR_OK);
	assert_int_equal(l.count, 0);
	scratch_write(scratch_path(s, "x"), "", 0, 0600);
	scratch_write(scratch_path(s, ".y"), "", 0, 0600);
	assert_int_equal(os_dir_list(s->folder, list_one, &l, &info), ERR_OK);
	assert_true(l.count == 2 && l.saw_x && l.saw_y);
	l = (struct listing){.stop_at = 1};
	assert_int_equal(os_dir_list(s->folder, list_one, &l, &info), ERR_OK);
	assert_int_equal(l.count, 1);
	assert_int_equal(os_dir_list(scratch_path(s, "none"), list_one, &l, &info), ERR_NOT_FOUND);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(read_takes_the_whole),
	    IN_FOLDER(read_works_where_sizes_lie),
	    IN_FOLDER(private_files_are_nobody_elses),
	    IN_FOLDER(replace_sets_content_and_mode),
	    IN_FOLDER(replace_takes_no_device_or_folder),
	    IN_FOLDER(replace_clears_what_a_crash_left),
	    IN_FOLDER(full_disk_leaves_the_old_file),
	    IN_FOLDER(failed_write_leaves_the_old_file),
	    IN_FOLDER(rights_are_told),
	    IN_FOLDER(writers_take_turns),
	    IN_FOLDER(create_never_overwrites),
	    IN_FOLDER(wipe_overwrites_first),
	    IN_FOLDER(set_aside_counts_up),
	    IN_FOLDER(folders_are_made),
	    IN_FOLDER(made_folder_is_no_link),
	    IN_FOLDER(folders_are_listed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
