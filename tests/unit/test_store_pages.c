/* The structure check: never against a file LMDB wrote, always against one that would lead it astray. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "os/file.h"
#include "store/lmdb_env.h"
#include "store/lmdb_pages.h"
#include "store/store.h"
#include "tests/unit/scratch.h"

#define NOW  1000000
#define PAGE 4096

static const struct id estate = {{1}}, self = {{2}};

static void put_blob(struct store *s, uint64_t number, size_t len)
{
	uint8_t bytes[LIMIT_BLOB_BYTES];
	struct id id = {{0}};
	memcpy(id.b, &number, sizeof(number));
	memset(bytes, (int)number, sizeof(bytes));
	assert_int_equal(store_put_blob(s, &id, bytes, len), ERR_OK);
}

static void put_state(struct store *s, uint64_t number, wall_ms seen)
{
	struct host_state state = {.status = HOST_UP, .seen = seen};
	memcpy(state.host.b, &number, sizeof(number));
	assert_int_equal(store_put_host_state(s, &state), ERR_OK);
}

static void assert_sound(const char *data)
{
	uint64_t size;
	struct err_info info;
	assert_int_equal(lmdb_check_file(data, &size, &info), ERR_OK);
	if (lmdb_check_pages(data, size, &info) != ERR_OK)
		fail_msg("%s", info.text);
}

/* Splits, overwrites of other lengths, lists of free pages that need pages of their own. */
static void what_lmdb_writes_is_sound(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	const char *data = scratch_path(*state, "replica/data.mdb");
	struct prng prng;
	struct store *s;
	prng_seed(&prng, 7);
	assert_int_equal(store_open(folder, &estate, &self, &s, NULL, NULL), ERR_OK);
	assert_sound(data);
	for (unsigned commit = 0; commit < 60; commit++) {
		uint64_t rows = commit % 10 == 9 ? 4000 : 1 + prng_below(&prng, 60);
		for (uint64_t i = 0; i < rows; i++) {
			if (prng_chance(&prng, 0.5))
				put_blob(s, prng_below(&prng, 6000), 1 + prng_below(&prng, LIMIT_BLOB_BYTES));
			else
				put_state(s, prng_below(&prng, 20000), prng_u64(&prng));
		}
		assert_int_equal(store_flush(s, NOW + commit, NULL), ERR_OK);
		assert_sound(data);
	}
	store_close(s);
	bool aside = true;
	assert_int_equal(store_open(folder, &estate, &self, &s, &aside, NULL), ERR_OK);
	assert_false(aside);
	store_close(s);
}

/* Each bit of the parts LMDB steers by, on every page in use, one at a time: refused, or harmless to write
 * on. */
static void a_flipped_bit_leads_nobody_astray(void **state)
{
	const char *folder = scratch_path(*state, "replica");
	const char *data = scratch_path(*state, "replica/data.mdb");
	struct store *s;
	struct prng prng;
	uint8_t *bytes;
	size_t len;
	unsigned refused = 0, structural = 0;
	prng_seed(&prng, 11);
	assert_int_equal(store_open(folder, &estate, &self, &s, NULL, NULL), ERR_OK);
	for (unsigned commit = 0; commit < 4; commit++) {
		for (uint64_t i = 0; i < 40; i++)
			put_blob(s, commit * 30 + i, 200 + i * 17);
		assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
	}
	store_close(s);
	assert_int_equal(os_file_read(data, 1 << 24, &bytes, &len, NULL), ERR_OK);
	for (unsigned round = 0; round < 400; round++) {
		/* Heads and offsets of pages mostly, anything sometimes. */
		size_t at = PAGE * (2 + prng_below(&prng, len / PAGE - 2)) + prng_below(&prng, 64);
		if (round % 4 == 3)
			at = PAGE * 2 + prng_below(&prng, len - PAGE * 2);
		uint8_t bit = (uint8_t)(1u << prng_below(&prng, 8));
		uint64_t size;
		bool aside = false;
		bytes[at] ^= bit;
		scratch_write(data, bytes, len, 0600);
		assert_int_equal(lmdb_check_file(data, &size, NULL), ERR_OK);
		structural += lmdb_check_pages(data, size, NULL) == ERR_CORRUPT;
		assert_int_equal(store_open(folder, &estate, &self, &s, &aside, NULL), ERR_OK);
		refused += aside;
		/* Whatever was let through is written to; sanitizers watch. */
		for (uint64_t i = 0; i < 20; i++)
			put_blob(s, prng_below(&prng, 200), 1 + prng_below(&prng, LIMIT_BLOB_BYTES));
		assert_int_equal(store_flush(s, NOW, NULL), ERR_OK);
		store_close(s);
		bytes[at] ^= bit;
	}
	printf("400 flips: %u in the structure, %u files set aside\n", structural, refused);
	/* Otherwise nothing was tested. */
	assert_true(structural >= 50 && refused >= structural);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_lmdb_writes_is_sound, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(a_flipped_bit_leads_nobody_astray, scratch_setup,
					    scratch_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
