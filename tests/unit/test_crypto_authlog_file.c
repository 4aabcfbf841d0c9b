#include "crypto/authlog.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"

static struct fixture fix;

static int make(void **state)
{
	fixture_make(&fix, 6);
	return scratch_setup(state);
}

static int drop(void **state)
{
	fixture_release(&fix);
	return scratch_teardown(state);
}

static void files_are_saved_and_loaded(void **state)
{
	const char *path = scratch_path(*state, "authority.log");
	struct err_info info = {0};
	struct authlog *back, *empty;
	struct authlog_grant grant = fixture_grant(fix.other);
	struct stat st;
	assert_int_equal(authlog_load(path, &back, &info), ERR_NOT_FOUND);
	assert_int_equal(authlog_save(fix.log, path, &info), ERR_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	assert_true(authlog_head(back).hash == authlog_head(fix.log).hash);
	authlog_free(back);
	fixture_grant_append(&fix, &grant);
	assert_int_equal(authlog_save(fix.log, path, &info), ERR_OK);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	assert_int_equal(authlog_count(back), 3);
	authlog_free(back);
	assert_int_equal(authlog_new(&empty), ERR_OK);
	assert_int_equal(authlog_save(empty, path, &info), ERR_ARG);
	authlog_free(empty);
}

static void damaged_files_are_refused(void **state)
{
	const char *path = scratch_path(*state, "authority.log");
	struct err_info info = {0};
	struct authlog *back;
	uint8_t file[2 * LIMIT_LOG_ENTRY_BYTES];
	size_t size = 0;
	for (size_t i = 0; i < authlog_count(fix.log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(fix.log, i, &len);
		file[size++] = (uint8_t)(len >> 8);
		file[size++] = (uint8_t)len;
		memcpy(file + size, entry, len);
		size += len;
	}
	scratch_write(path, file, size, 0600);
	assert_int_equal(authlog_load(path, &back, &info), ERR_OK);
	authlog_free(back);
	size_t first = 2 + (size_t)(file[0] << 8 | file[1]);
	for (size_t n = 0; n < size; n++) {
		scratch_write(path, file, n, 0600);
		enum err want = n == first ? ERR_OK : ERR_CORRUPT; /* a log may well be shorter */
		assert_int_equal(authlog_load(path, &back, &info), want);
		if (want == ERR_OK)
			authlog_free(back);
		else
			assert_non_null(strstr(info.text, path));
	}
	for (size_t i = 0; i < size; i += 7) {
		file[i] ^= 0x20;
		scratch_write(path, file, size, 0600);
		assert_int_equal(authlog_load(path, &back, &info), ERR_CORRUPT);
		file[i] ^= 0x20;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(files_are_saved_and_loaded, make, drop),
	    cmocka_unit_test_setup_teardown(damaged_files_are_refused, make, drop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
