/* Help for unit tests: cmocka with the headers it wants, a folder that goes away again, child processes. */
#ifndef MESH_TESTS_UNIT_SCRATCH_H
#define MESH_TESTS_UNIT_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SCRATCH_PATH_BYTES 256
#define SCRATCH_PATHS      16

/* Longer ones leave no room for a socket's name below them (108 bytes on Linux). */
#define SCRATCH_FOLDER_BYTES 64

struct scratch {
	char folder[SCRATCH_FOLDER_BYTES];
	char path[SCRATCH_PATHS][SCRATCH_PATH_BYTES]; /* used in turn by scratch_path */
	unsigned turn;
};

/* For cmocka_unit_test_setup_teardown: *state is a struct scratch. */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* For a group's setup: local time is that of Berlin. */
int scratch_in_berlin(void **state);

/* A new, empty folder "PREFIX-XXXXXX" below $TMPDIR; below /tmp where that is not set or too long. */
bool scratch_make_folder(const char *prefix, char ret[SCRATCH_FOLDER_BYTES]);

/* "<folder>/<name>"; the last SCRATCH_PATHS results stay valid. */
const char *scratch_path(struct scratch *s, const char *name);
void scratch_write(const char *path, const void *data, size_t len, unsigned mode);
/* Whether the file holds exactly these bytes. */
bool scratch_holds(const char *path, const void *data, size_t len);

/* Runs `work` in a forked child, which must not use cmocka's asserts: it returns 0 or the number of what went
 * wrong. Returns that, or minus the signal that ended the child. */
int scratch_in_child(int (*work)(void *context), void *context);
/* In a child: become a user without rights, when root. */
bool scratch_drop_root(void);
/* Skips the test where root can become nobody else (in a user namespace of its own alone). First in a test,
 * when nothing is to be freed yet. */
void scratch_need_other_user(void);

/* In a child: mounts of its own, as root or, where the kernel lets others, in a user namespace of this user
 * alone. */
bool scratch_own_mounts(void);

#endif
