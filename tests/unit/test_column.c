/* The block codec: what was put is read again, at any width; what was damaged is noticed. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prng.h"
#include "store/column.h"

struct stored {
	uint8_t *prefixed;
	size_t prefix_bytes, len;
};

static struct stored encode(struct column_draft *d, const struct row_key *key, uint64_t commit)
{
	uint8_t *bytes;
	struct stored s = {.prefix_bytes = 1 + key->len};
	assert_int_equal(column_encode(d, key, commit, &bytes, &s.len), ERR_OK);
	s.prefixed = malloc(s.prefix_bytes + s.len);
	assert_non_null(s.prefixed);
	s.prefixed[0] = (uint8_t)key->len;
	memcpy(s.prefixed + 1, key->bytes, key->len);
	memcpy(s.prefixed + s.prefix_bytes, bytes, s.len);
	free(bytes);
	return s;
}

static struct column_block opened(const struct stored *s)
{
	struct column_block b;
	assert_int_equal(column_open(s->prefixed, s->prefix_bytes, s->len, &b), ERR_OK);
	return b;
}

/* Contents that follow from the row. */
static uint64_t number_of(unsigned row, unsigned column)
{
	static const uint64_t spans[] = {1, 2, 200, 60000, UINT32_MAX, UINT64_MAX};
	struct prng p;
	prng_seed(&p, (uint64_t)row << 32 | column);
	return prng_below(&p, spans[column % 6]);
}

static void text_of(unsigned row, unsigned column, char ret[64])
{
	snprintf(ret, 64, "text-%u", (row * 7 + column) % 40);
}

static bool is_there(unsigned row)
{
	return row % 11 != 3;
}

static void fill(struct column_draft *d, unsigned group, unsigned rows)
{
	unsigned columns;
	const struct column_info *infos = column_group_columns(group, &columns);
	for (unsigned row = 0; row < rows; row++) {
		if (!is_there(row))
			continue;
		column_draft_mark(d, row);
		for (unsigned i = 0; i < columns; i++) {
			char text[64];
			struct id id = {{0}};
			text_of(row, i, text);
			memcpy(id.b, text, 8);
			if (infos[i].type <= COLUMN_U64)
				column_put_u64(d, row, i, number_of(row, i));
			else if (infos[i].type == COLUMN_ID)
				column_put_id(d, row, i, &id);
			else if ((row + i) % 5 != 0)
				column_put_text(d, row, i, text);
		}
	}
}

static void check(const struct column_block *b, unsigned group, unsigned rows)
{
	unsigned columns;
	const struct column_info *infos = column_group_columns(group, &columns);
	assert_int_equal(b->rows, rows);
	for (unsigned row = 0; row < rows; row++) {
		assert_int_equal(column_present(b, row), is_there(row));
		for (unsigned i = 0; i < columns && is_there(row); i++) {
			char text[64];
			struct id id;
			text_of(row, i, text);
			if (infos[i].type <= COLUMN_U64) {
				assert_int_equal(column_u64(b, i, row), number_of(row, i));
			} else if (infos[i].type == COLUMN_ID) {
				assert_true(column_id(b, i, row, &id));
				assert_memory_equal(id.b, text, strlen(text));
			} else if ((row + i) % 5 == 0) {
				assert_null(column_text(b, i, row));
			} else {
				assert_string_equal(column_text(b, i, row), text);
			}
		}
	}
}

static void every_group_is_read_again(void **state)
{
	(void)state;
	for (unsigned group = COLUMN_GROUP_FIRST; group <= COLUMN_GROUP_LAST; group++) {
		struct column_draft *d;
		struct row_key key = row_key_block((enum column_group)group, 7);
		assert_int_equal(column_draft_new(group, COLUMN_BLOCK_ROWS, &d), ERR_OK);
		fill(d, group, COLUMN_BLOCK_ROWS);
		struct stored s = encode(d, &key, 12345);
		struct column_block b = opened(&s);
		check(&b, group, COLUMN_BLOCK_ROWS);
		assert_int_equal(b.commit, 12345);
		assert_null(b.numbers);
		free(s.prefixed);
		column_draft_free(d);
	}
	unsigned count;
	assert_null(column_group_columns(0, &count));
	assert_null(column_group_columns(COLUMN_GROUP_LAST + 1, &count));
}

static void equal_texts_have_equal_offsets(void **state)
{
	struct column_draft *d;
	struct row_key key = row_key_block(GROUP_PROFILE, 0);
	(void)state;
	assert_int_equal(column_draft_new(GROUP_PROFILE, COLUMN_BLOCK_ROWS, &d), ERR_OK);
	for (unsigned row = 0; row < COLUMN_BLOCK_ROWS; row++) {
		column_draft_mark(d, row);
		column_put_text(d, row, C_PROFILE_OS, row % 2 == 0 ? "Debian" : "Rocky");
		column_put_text(d, row, C_PROFILE_MODEL, "R640");
	}
	struct stored s = encode(d, &key, 1);
	struct column_block b = opened(&s);
	for (unsigned row = 2; row < COLUMN_BLOCK_ROWS; row++)
		assert_int_equal(column_u64(&b, C_PROFILE_OS, row), column_u64(&b, C_PROFILE_OS, row % 2));
	assert_int_not_equal(column_u64(&b, C_PROFILE_OS, 0), column_u64(&b, C_PROFILE_OS, 1));
	/* A column of one value takes no room: the block is hardly more than its head and one array. */
	assert_in_range(s.len, 256, 1200);
	free(s.prefixed);
	column_draft_free(d);
}

static void a_delta_knows_its_numbers_and_rows_move_on(void **state)
{
	struct column_draft *d, *next;
	struct row_key key = row_key_delta(GROUP_HEALTH, 99);
	(void)state;
	assert_int_equal(column_draft_new(GROUP_HEALTH, 20, &d), ERR_OK);
	fill(d, GROUP_HEALTH, 20);
	for (unsigned row = 0; row < 20; row++)
		column_draft_number(d, row, row * 1000 + 1);
	struct stored s = encode(d, &key, 99);
	struct column_block b = opened(&s);
	check(&b, GROUP_HEALTH, 20);
	for (unsigned row = 0; row < 20; row++) {
		assert_int_equal(column_number(&b, row), row * 1000 + 1);
		assert_true(column_draft_equal(d, row, &b, row));
	}
	assert_false(column_draft_equal(d, 1, &b, 2));
	assert_false(column_draft_equal(d, 1, &b, 3)); /* which is not there */
	column_put_u64(d, 1, C_HEALTH_TAINT, 4711);
	assert_false(column_draft_equal(d, 1, &b, 1));

	assert_int_equal(column_draft_new(GROUP_HEALTH, COLUMN_BLOCK_ROWS, &next), ERR_OK);
	for (unsigned row = 0; row < 20; row++)
		column_draft_copy(next, row, &b, row);
	column_draft_take(next, 255, d, 1);
	struct row_key block = row_key_block(GROUP_HEALTH, 0);
	struct stored s2 = encode(next, &block, 100);
	struct column_block b2 = opened(&s2);
	for (unsigned row = 0; row < 20; row++)
		assert_int_equal(column_present(&b2, row), is_there(row));
	assert_int_equal(column_u64(&b2, C_HEALTH_BOOT, 19), number_of(19, C_HEALTH_BOOT));
	assert_int_equal(column_u64(&b2, C_HEALTH_TAINT, 255), 4711);
	free(s.prefixed);
	free(s2.prefixed);
	column_draft_free(d);
	column_draft_free(next);
}

static void no_flipped_bit_is_overlooked(void **state)
{
	struct column_draft *d;
	struct row_key key = row_key_block(GROUP_STATE, 3);
	size_t noticed = 0;
	(void)state;
	assert_int_equal(column_draft_new(GROUP_STATE, COLUMN_BLOCK_ROWS, &d), ERR_OK);
	fill(d, GROUP_STATE, COLUMN_BLOCK_ROWS);
	struct stored s = encode(d, &key, 5);
	struct column_block b;
	for (size_t i = 0; i < s.prefix_bytes + s.len; i++) {
		s.prefixed[i] ^= (uint8_t)(1u << i % 8);
		noticed += column_open(s.prefixed, s.prefix_bytes, s.len, &b) == ERR_CHECKSUM;
		s.prefixed[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(noticed, s.prefix_bytes + s.len);
	for (size_t len = 0; len < s.len; len += 13)
		assert_int_equal(column_open(s.prefixed, s.prefix_bytes, len, &b), ERR_CHECKSUM);
	/* A block in another's place. */
	struct row_key other = row_key_block(GROUP_STATE, 4);
	memcpy(s.prefixed + 1, other.bytes, other.len);
	assert_int_equal(column_open(s.prefixed, s.prefix_bytes, s.len, &b), ERR_CHECKSUM);
	free(s.prefixed);
	column_draft_free(d);
}

/* Whoever can make a checksum may say anything: no read leaves the block. */
static void what_a_forger_wrote_stays_within(void **state)
{
	struct column_draft *d;
	struct row_key key = row_key_block(GROUP_CRASHES, 3);
	struct prng p;
	size_t refused = 0, read = 0;
	(void)state;
	prng_seed(&p, 77);
	assert_int_equal(column_draft_new(GROUP_CRASHES, 64, &d), ERR_OK);
	fill(d, GROUP_CRASHES, 64);
	struct stored s = encode(d, &key, 5);
	for (unsigned round = 0; round < 3000; round++) {
		struct column_block b;
		uint8_t *copy = malloc(s.prefix_bytes + s.len);
		assert_non_null(copy);
		memcpy(copy, s.prefixed, s.prefix_bytes + s.len);
		for (int k = 0; k < 3; k++)
			copy[s.prefix_bytes + prng_below(&p, round % 2 != 0 ? 400 : s.len - 8)] =
			    (uint8_t)prng_u64(&p);
		uint64_t sum = column_checksum(&key, copy + s.prefix_bytes, s.len - 8);
		for (unsigned i = 0; i < 8; i++)
			copy[s.prefix_bytes + s.len - 8 + i] = (uint8_t)(sum >> 8 * i);
		if (column_open(copy, s.prefix_bytes, s.len, &b) != ERR_OK) {
			refused++;
		} else {
			unsigned columns;
			uint64_t all = 0;
			const struct column_info *infos = column_group_columns(b.group, &columns);
			for (unsigned row = 0; row < b.rows; row++) {
				for (unsigned i = 0; i < columns; i++) {
					size_t len = 0;
					const uint8_t *bytes =
					    infos[i].type > COLUMN_ID ? column_bytes(&b, i, row, &len) : NULL;
					all += column_u64(&b, i, row) + (bytes != NULL ? bytes[len] : 0u);
				}
				read += column_present(&b, row) || all == 1;
			}
		}
		free(copy);
	}
	assert_true(refused > 50 && read > 1000);
	free(s.prefixed);
	column_draft_free(d);
}

static void what_is_too_large_is_refused(void **state)
{
	struct column_draft *d;
	struct row_key key = row_key_block(GROUP_MANIFEST, 0);
	static uint8_t bytes[UINT16_MAX];
	uint8_t *stored;
	size_t len;
	(void)state;
	assert_int_equal(column_draft_new(GROUP_MANIFEST, COLUMN_BLOCK_ROWS, &d), ERR_OK);
	for (unsigned row = 0; row < 70; row++) {
		column_draft_mark(d, row);
		bytes[0] = (uint8_t)row;
		column_put_bytes(d, row, C_MANIFEST_CHUNKS, bytes, sizeof(bytes));
	}
	assert_int_equal(column_encode(d, &key, 1, &stored, &len), ERR_LIMIT);
	column_draft_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_group_is_read_again),
	    cmocka_unit_test(equal_texts_have_equal_offsets),
	    cmocka_unit_test(a_delta_knows_its_numbers_and_rows_move_on),
	    cmocka_unit_test(no_flipped_bit_is_overlooked),
	    cmocka_unit_test(what_a_forger_wrote_stays_within),
	    cmocka_unit_test(what_is_too_large_is_refused),
	};
	return cmocka_run_group_tests_name("column", tests, NULL, NULL);
}
