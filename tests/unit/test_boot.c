/* How the boot before ended, over starts, crashes, clean stops and damage of the file. */
#include <stdlib.h>
#include <string.h>

#include "node/boot.h"
#include "os/file.h"
#include "tests/unit/scratch.h"

static struct boot boot;
static struct boot_news news;

static void start(const char *path, const char *id, uint64_t now_s)
{
	assert_int_equal(boot_load(path, id, &boot, &news, NULL), ERR_OK);
	assert_int_equal(boot_save(path, &boot, now_s, NULL), ERR_OK);
}

static void stop(const char *path, uint64_t now_s)
{
	boot.stopped = true;
	assert_int_equal(boot_save(path, &boot, now_s, NULL), ERR_OK);
}

static void the_first_start_knows_nothing(void **state)
{
	start(scratch_path(*state, "boot"), "boot-a", 100);
	assert_int_equal(boot.last_clean.status, READING_UNKNOWN);
	assert_false(news.unclean || news.lost);
	assert_int_equal(boot.unclean, 0);
}

static void a_crash_of_the_node_is_none_of_the_host(void **state)
{
	const char *path = scratch_path(*state, "boot");
	start(path, "boot-a", 100);
	start(path, "boot-a", 200);
	assert_false(news.unclean);
	assert_int_equal(boot.last_clean.status, READING_UNKNOWN);
	assert_int_equal(boot.unclean, 0);
}

static void a_clean_stop_makes_a_clean_boot(void **state)
{
	const char *path = scratch_path(*state, "boot");
	start(path, "boot-a", 100);
	stop(path, 150);
	start(path, "boot-b", 200);
	assert_false(news.unclean);
	assert_int_equal(boot.last_clean.status, READING_OK);
	assert_int_equal(boot.last_clean.value, 1);
	assert_int_equal(boot.last_clean_s, 150);
	/* It stays so while boot-b runs, however often the node starts. */
	start(path, "boot-b", 300);
	assert_int_equal(boot.last_clean.value, 1);
	assert_false(news.unclean);
}

static void no_clean_stop_is_an_unclean_boot_counted_once(void **state)
{
	const char *path = scratch_path(*state, "boot");
	start(path, "boot-a", 100);
	assert_int_equal(boot_save(path, &boot, 160, NULL), ERR_OK);
	start(path, "boot-b", 200);
	assert_true(news.unclean);
	assert_int_equal(news.died_s, 160);
	assert_int_equal(boot.last_clean.value, 0);
	assert_int_equal(boot.unclean, 1);
	start(path, "boot-b", 210);
	assert_false(news.unclean);
	assert_int_equal(boot.last_clean.value, 0);
	assert_int_equal(boot.unclean, 1);
	/* A clean stop, then the node starts again in the same boot and the host crashes. */
	stop(path, 220);
	start(path, "boot-b", 230);
	start(path, "boot-c", 300);
	assert_true(news.unclean);
	assert_int_equal(boot.unclean, 2);
}

static void damage_starts_over_and_says_so(void **state)
{
	const char *path = scratch_path(*state, "boot");
	uint8_t *data;
	size_t len;
	start(path, "boot-a", 100);
	assert_int_equal(os_file_read(path, 1000, &data, &len, NULL), ERR_OK);
	for (size_t i = 0; i < len * 8; i++) {
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		scratch_write(path, data, len, 0600);
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(boot_load(path, "boot-b", &boot, &news, NULL), ERR_OK);
		assert_true(news.lost);
		assert_false(news.unclean);
		assert_int_equal(boot.last_clean.status, READING_UNKNOWN);
		assert_string_equal(boot.id, "boot-b");
	}
	for (size_t n = 0; n < len; n++) {
		scratch_write(path, data, n, 0600);
		assert_int_equal(boot_load(path, "boot-b", &boot, &news, NULL), ERR_OK);
		assert_true(news.lost);
	}
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(the_first_start_knows_nothing, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_crash_of_the_node_is_none_of_the_host, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_clean_stop_makes_a_clean_boot, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(no_clean_stop_is_an_unclean_boot_counted_once, scratch_setup,
					    scratch_teardown),
	    cmocka_unit_test_setup_teardown(damage_starts_over_and_says_so, scratch_setup, scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
