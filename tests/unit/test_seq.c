/* The seq file: what it keeps, each flipped bit, and where a node goes on. */
#include <string.h>

#include "node/seq.h"
#include "os/file.h"
#include "tests/unit/scratch.h"

#include <stdlib.h>

static void it_keeps_what_was_reserved(void **state)
{
	const char *path = scratch_path(*state, "seq");
	uint64_t reserved = 7;
	struct err_info info = {0};
	assert_int_equal(seq_load(path, &reserved, &info), ERR_NOT_FOUND);
	assert_int_equal(reserved, 7);
	assert_int_equal(seq_save(path, 0x0102030405060708, &info), ERR_OK);
	assert_int_equal(seq_load(path, &reserved, &info), ERR_OK);
	assert_true(reserved == 0x0102030405060708);
	/* Byte for byte as docs/protocol.md section 5 has it. */
	uint8_t *data;
	size_t len;
	assert_int_equal(os_file_read(path, 100, &data, &len, NULL), ERR_OK);
	assert_int_equal(len, 24);
	assert_memory_equal(data, "\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0", 16);
	free(data);
}

static void any_damage_is_noticed(void **state)
{
	const char *path = scratch_path(*state, "seq");
	uint8_t *data;
	size_t len;
	uint64_t reserved = 7;
	assert_int_equal(seq_save(path, 123456, NULL), ERR_OK);
	assert_int_equal(os_file_read(path, 100, &data, &len, NULL), ERR_OK);
	for (size_t i = 0; i < len * 8; i++) {
		data[i / 8] ^= (uint8_t)(1 << i % 8);
		scratch_write(path, data, len, 0600);
		assert_int_equal(seq_load(path, &reserved, NULL), ERR_CHECKSUM);
		data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t n = 0; n < len; n++) {
		scratch_write(path, data, n, 0600);
		assert_int_equal(seq_load(path, &reserved, NULL), ERR_CHECKSUM);
	}
	scratch_write(path, "0123456789012345678901234567890", 31, 0600);
	assert_int_equal(seq_load(path, &reserved, NULL), ERR_CHECKSUM);
	assert_int_equal(reserved, 7);
	free(data);
}

static void it_never_goes_back(void **state)
{
	bool jumped;
	(void)state;
	/* First start after enrolment. */
	assert_int_equal(seq_start(ERR_NOT_FOUND, 0, 1, 0, &jumped), 2);
	assert_false(jumped);
	/* The certificate itself may be in the replica already. */
	assert_int_equal(seq_start(ERR_NOT_FOUND, 0, 5, 5, &jumped), 6);
	assert_false(jumped);
	/* Any later start: everything reserved may have been used. */
	assert_int_equal(seq_start(ERR_OK, 300, 1, 290, &jumped), 300);
	assert_false(jumped);
	/* File lost or damaged: beyond anything that can have been used. */
	assert_int_equal(seq_start(ERR_NOT_FOUND, 0, 1, 290, &jumped), 290 + SEQ_JUMP);
	assert_true(jumped);
	assert_int_equal(seq_start(ERR_CHECKSUM, 0, 1, 290, &jumped), 290 + SEQ_JUMP);
	assert_true(jumped);
	assert_int_equal(seq_start(ERR_CHECKSUM, 0, 9, 0, &jumped), 9 + SEQ_JUMP);
	assert_true(jumped);
	/* File put back from an old copy. */
	assert_int_equal(seq_start(ERR_OK, 200, 1, 200, &jumped), 200 + SEQ_JUMP);
	assert_true(jumped);
	/* Enrolled anew over an old file. */
	assert_int_equal(seq_start(ERR_OK, 200, 1000, 0, &jumped), 1001);
	assert_false(jumped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(it_keeps_what_was_reserved, scratch_setup, scratch_teardown),
	    cmocka_unit_test_setup_teardown(any_damage_is_noticed, scratch_setup, scratch_teardown),
	    cmocka_unit_test(it_never_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
