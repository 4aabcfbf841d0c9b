/* A file that holds a secret is judged, read and wiped through one descriptor, whatever its path comes to
 * name meanwhile; what a wipe does not reach is told. */
#include "os/secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "tests/unit/scratch.h"

#define LONG_BYTES 10000

static struct os_secret *open_to_wipe(const char *path)
{
	struct os_secret *s = NULL;
	struct err_info info = {0};
	if (os_secret_open(path, true, &s, &info) != ERR_OK)
		fail_msg("%s", info.text);
	return s;
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 ? st.st_mode & 07777 : 0;
}

static void others_files_are_refused(void **state)
{
	static const unsigned wrong[] = {0640, 0604, 0620, 0602, 0610, 0601, 0777};
	const char *path = scratch_path(*state, "secret"), *pipe_path = scratch_path(*state, "pipe");
	struct os_secret *s;
	struct err_info info;
	char long_path[5000];
	scratch_write(path, "key", 3, 0600);
	for (int wipe = 0; wipe < 2; wipe++) {
		for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
			assert_int_equal(chmod(path, wrong[i]), 0);
			assert_int_equal(os_secret_open(path, wipe, &s, &info), ERR_DENIED);
			assert_non_null(strstr(info.text, "chmod it to 0600"));
			assert_int_equal(mode_of(path), wrong[i]);
		}
		assert_int_equal(os_secret_open(scratch_path(*state, "none"), wipe, &s, &info),
				 ERR_NOT_FOUND);
		/* Neither blocks nor is read. */
		if (!wipe)
			assert_int_equal(mkfifo(pipe_path, 0600), 0);
		assert_int_equal(os_secret_open(pipe_path, wipe, &s, &info), ERR_DENIED);
		assert_int_not_equal(os_secret_open("/", wipe, &s, &info), ERR_OK);
	}
	memset(long_path, 'x', sizeof(long_path));
	long_path[sizeof(long_path) - 1] = '\0';
	assert_int_not_equal(os_secret_open(long_path, false, &s, &info), ERR_OK);
	assert_int_equal(chmod(path, 0600), 0);
	/* In a user namespace there may be no such user. */
	if (geteuid() == 0 && (chown(path, 4711, (gid_t)-1) == 0 || errno != EINVAL)) {
		assert_int_equal(os_secret_open(path, true, &s, &info), ERR_DENIED);
		assert_non_null(strstr(info.text, "user 4711"));
	}
}

static void what_is_read_is_what_is_there(void **state)
{
	const char *path = scratch_path(*state, "secret");
	struct err_info info;
	char got[8] = "";
	size_t len = 99;
	scratch_write(path, "secret", 6, 0400);
	struct os_secret *s;
	assert_int_equal(os_secret_open(path, false, &s, &info), ERR_OK);
	assert_int_equal(os_secret_bytes(s), 6);
	assert_int_equal(os_secret_read(s, got, 5, &len, &info), ERR_LIMIT);
	assert_int_equal(len, 99);
	for (int again = 0; again < 2; again++) {
		assert_int_equal(os_secret_read(s, got, 6, &len, &info), ERR_OK);
		assert_int_equal(len, 6);
		assert_memory_equal(got, "secret", 6);
	}
	os_secret_close(s);
	os_secret_close(NULL);
}

/* A second name shows what became of the content. */
static void a_wipe_reaches_every_name(void **state)
{
	static char secret[LONG_BYTES];
	const char *path = scratch_path(*state, "token"), *twin = scratch_path(*state, "twin");
	struct err_info info;
	memset(secret, 's', sizeof(secret));
	scratch_write(path, secret, sizeof(secret), 0600);
	assert_int_equal(link(path, twin), 0);
	struct os_secret *s = open_to_wipe(path);
	assert_int_equal(os_secret_names(s), 2);
	assert_int_equal(os_secret_wipe(s, "used\n", 5, &info), ERR_OK);
	assert_true(scratch_holds(twin, "used\n", 5));
	assert_int_equal(os_secret_remove(s, &info), ERR_OK);
	assert_false(os_file_exists(path));
	assert_int_equal(os_secret_names(s), 1);
	assert_int_equal(os_secret_remove(s, &info), ERR_STALE);
	os_secret_close(s);
}

static void a_link_is_followed_and_left(void **state)
{
	const char *target = scratch_path(*state, "target"), *path = scratch_path(*state, "link");
	struct err_info info;
	struct stat st;
	scratch_write(target, "secret", 6, 0600);
	assert_int_equal(symlink("target", path), 0);
	struct os_secret *s = open_to_wipe(path);
	assert_int_equal(os_secret_wipe(s, "u", 1, &info), ERR_OK);
	assert_true(scratch_holds(target, "u", 1));
	assert_int_equal(os_secret_remove(s, &info), ERR_OK);
	assert_int_equal(lstat(target, &st), -1);
	assert_int_equal(lstat(path, &st), 0);
	os_secret_close(s);
}

/* The path names another file by now: that one is nobody's to touch, and what was read is wiped all the same.
 */
static void a_file_that_took_the_name_is_left(void **state)
{
	const char *path = scratch_path(*state, "token"), *moved = scratch_path(*state, "moved");
	const char *other = scratch_path(*state, "other");
	struct err_info info;
	scratch_write(path, "secret", 6, 0600);
	scratch_write(other, "other", 5, 0600);
	struct os_secret *s = open_to_wipe(path);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(rename(other, path), 0);
	assert_int_equal(os_secret_wipe(s, "u", 1, &info), ERR_OK);
	assert_int_equal(os_secret_remove(s, &info), ERR_STALE);
	assert_non_null(strstr(info.text, "another file now"));
	assert_true(scratch_holds(path, "other", 5));
	assert_true(scratch_holds(moved, "u", 1));
	os_secret_close(s);
	/* A link in its place is another file, too. */
	assert_int_equal(unlink(path), 0);
	scratch_write(path, "secret", 6, 0600);
	s = open_to_wipe(path);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("moved", path), 0);
	assert_int_equal(os_secret_remove(s, &info), ERR_STALE);
	assert_true(os_file_exists(moved));
	os_secret_close(s);
}

/* Somebody made it longer or shorter meanwhile. */
static void what_was_read_is_covered(void **state)
{
	const char *path = scratch_path(*state, "token");
	struct err_info info;
	scratch_write(path, "secret", 6, 0600);
	struct os_secret *s = open_to_wipe(path);
	scratch_write(path, "secret and more", 15, 0600);
	assert_int_equal(os_secret_wipe(s, NULL, 0, &info), ERR_OK);
	assert_true(scratch_holds(path, "", 0));
	os_secret_close(s);
	s = open_to_wipe(path);
	assert_int_equal(os_secret_wipe(s, "used", 4, &info), ERR_OK);
	assert_true(scratch_holds(path, "used", 4));
	os_secret_close(s);
}

/* 0, or the number of what went wrong. */
static int read_only_mode(void *context)
{
	struct scratch *s = context;
	const char *path = scratch_path(s, "mine/token");
	struct os_secret *file;
	struct err_info info;
	if (!scratch_drop_root() || chmod(path, 0400) != 0)
		return 1;
	if (os_secret_open(path, true, &file, &info) != ERR_OK)
		return 2;
	/* The mode was changed for a moment only. */
	if (mode_of(path) != 0400)
		return 3;
	if (chmod(scratch_path(s, "mine"), 0500) != 0 || os_secret_wipe(file, "used", 4, &info) != ERR_OK)
		return 4;
	if (os_secret_remove(file, &info) != ERR_DENIED || strstr(info.text, path) == NULL)
		return 5;
	os_secret_close(file);
	return chmod(path, 0600) == 0 && scratch_holds(path, "used", 4) ? 0 : 6;
}

static void a_read_only_token_is_wiped(void **state)
{
	const char *folder = scratch_path(*state, "mine"), *path = scratch_path(*state, "mine/token");
	scratch_need_other_user();
	assert_int_equal(mkdir(folder, 0700), 0);
	scratch_write(path, "secret", 6, 0600);
	if (geteuid() == 0) {
		assert_int_equal(chown(folder, 65534, 65534), 0);
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(chmod(((struct scratch *)*state)->folder, 0755), 0);
	}
	assert_int_equal(scratch_in_child(read_only_mode, *state), 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

static int read_only_mount(void *context)
{
	const char *folder = context;
	char path[SCRATCH_PATH_BYTES + 8];
	struct os_secret *file;
	struct err_info info;
	if (!scratch_own_mounts() || mount("none", folder, "tmpfs", 0, NULL) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/token", folder);
	scratch_write(path, "secret", 6, 0600);
	/* Opened before: the wipe fails, and says why. */
	if (os_secret_open(path, true, &file, &info) != ERR_OK)
		return 1;
	if (os_secret_keeper(file) != NULL)
		return 2;
	os_secret_close(file);
	if (mount("none", folder, "tmpfs", MS_REMOUNT | MS_RDONLY, NULL) != 0)
		return -1;
	if (os_secret_open(path, true, &file, &info) != ERR_DENIED)
		return 3;
	if (strstr(info.text, "wipe") == NULL || strstr(info.text, "read-only") == NULL)
		return 4;
	if (os_secret_open(path, false, &file, &info) != ERR_OK)
		return 5;
	if (os_secret_wipe(file, "used", 4, &info) == ERR_OK || os_secret_remove(file, &info) == ERR_OK)
		return 6;
	os_secret_close(file);
	return scratch_holds(path, "secret", 6) ? 0 : 7;
}

static void a_read_only_file_system_is_told_before(void **state)
{
	const char *folder = scratch_path(*state, "mount");
	assert_int_equal(mkdir(folder, 0755), 0);
	int rc = scratch_in_child(read_only_mount, (void *)(uintptr_t)folder);
	if (rc == -1 || rc == 255)
		skip();
	assert_int_equal(rc, 0);
}

static int layered_mount(void *context)
{
	const char *folder = context;
	char path[SCRATCH_PATH_BYTES + 16], options[4 * SCRATCH_PATH_BYTES];
	static const char *const names[] = {"lower", "upper", "work", "merged"};
	struct os_secret *file;
	struct err_info info;
	if (!scratch_own_mounts() || mount("none", folder, "tmpfs", 0, NULL) != 0)
		return -1;
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		if (mkdir(path, 0755) != 0)
			return 1;
	}
	snprintf(path, sizeof(path), "%s/lower/token", folder);
	scratch_write(path, "secret", 6, 0600);
	snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work", folder,
		 folder, folder);
	snprintf(path, sizeof(path), "%s/merged", folder);
	if (mount("none", path, "overlay", 0, options) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/merged/token", folder);
	if (os_secret_open(path, true, &file, &info) != ERR_OK)
		return 2;
	if (os_secret_wipe(file, "used", 4, &info) != ERR_OK || os_secret_remove(file, &info) != ERR_OK)
		return 3;
	if (os_secret_keeper(file) == NULL || strcmp(os_secret_keeper(file), "overlayfs") != 0)
		return 4;
	os_secret_close(file);
	/* That is what had to be told. */
	snprintf(path, sizeof(path), "%s/lower/token", folder);
	return scratch_holds(path, "secret", 6) ? 0 : 5;
}

static void a_layer_below_is_told(void **state)
{
	const char *folder = scratch_path(*state, "mount");
	assert_int_equal(mkdir(folder, 0755), 0);
	int rc = scratch_in_child(layered_mount, (void *)(uintptr_t)folder);
	if (rc == -1 || rc == 255)
		skip();
	assert_int_equal(rc, 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(others_files_are_refused),
	    IN_FOLDER(what_is_read_is_what_is_there),
	    IN_FOLDER(a_wipe_reaches_every_name),
	    IN_FOLDER(a_link_is_followed_and_left),
	    IN_FOLDER(a_file_that_took_the_name_is_left),
	    IN_FOLDER(what_was_read_is_covered),
	    IN_FOLDER(a_read_only_token_is_wiped),
	    IN_FOLDER(a_read_only_file_system_is_told_before),
	    IN_FOLDER(a_layer_below_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
