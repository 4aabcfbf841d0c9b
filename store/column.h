/* Column blocks: the rows of a group of columns (store/column_groups.h) for 256 consecutive numbers, made to
 * be scanned without decoding. Everything in them is derived from records and states, which are kept beside
 * them.
 *
 * Stored, integers little-endian:
 *
 *    0  version u8 (2), group u8, rows u16, columns u16, 0 u16
 *    8  commit u64: of which the block is (store_meta)
 *   16  heap: offset u32, length u32
 *   24  a descriptor each column: offset of its array u32, width u8, 0 u24, base u64
 *       presence: a bit a row, least significant first, up to a whole number of 8 bytes
 *       arrays: rows x width bytes each
 *       heap
 *       checksum u64 of all of the above, plus that of key length u8 and key: base/checksum.h (version 1,
 *       up to schema 4: hash_checksum; it is read, not written)
 *
 * A number is base + what its array holds, in 0, 1, 2, 4 or 8 bytes, as few as the block's range needs. Texts
 * and bytes are numbers, too: offsets into the heap, where each distinct one stands once, as length u16,
 * bytes, zero. So within one block equal offsets are equal texts; offset 0 is none. Ids have 16 bytes.
 *
 * A delta is a block whose rows have numbers of their own, in an array of u32 that the base block's rows lack
 * (flag 1 in the byte behind `columns`): rows that changed since, so that one changed host costs no rewriting
 * of 256. See store/column_table.h for what readers do. */
#ifndef MESH_STORE_COLUMN_H
#define MESH_STORE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "crypto/id.h"
#include "store/column_groups.h"
#include "store/row.h"

#define COLUMN_BLOCK_ROWS 256
#define COLUMN_COUNT_MAX  32 /* of a group */

/* --- reading --- */

struct column_array {
	const uint8_t *data;
	uint64_t base;
	uint8_t width;
};

/* Views into the bytes it was opened on. */
struct column_block {
	unsigned group;
	unsigned rows;
	uint64_t commit;
	const uint8_t *present;
	const uint8_t *numbers; /* of a delta; else NULL */
	const uint8_t *heap;
	uint32_t heap_bytes;
	struct column_array arrays[COLUMN_COUNT_MAX];
};

/* Checksum of a block under its key: the sum of both checksums, so that they need not stand together. */
uint64_t column_checksum(const struct row_key *key, const uint8_t *body, size_t bytes);
/* Whether a stored block is what was written under the key. */
bool column_good(const struct row_key *key, const uint8_t *stored, size_t len);
/* Checks the checksum under the key, then that every array lies within. `prefixed` are the key's length, the
 * key, then the stored block, one behind the other, so that no copy is made. ERR_CHECKSUM; ERR_VERSION;
 * ERR_FORMAT. */
enum err column_open(const uint8_t *prefixed, size_t prefix_bytes, size_t len, struct column_block *ret);
/* The stored block as it stands, with its key beside it. */
enum err column_open_stored(const struct row_key *key, const uint8_t *stored, size_t len,
			    struct column_block *ret);

static inline uint64_t column_le(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	memcpy(&v, p, bytes); /* one load, where compilers make several of the loop */
#else
	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)p[i] << (8 * i);
#endif
	return v;
}

static inline bool column_present(const struct column_block *b, unsigned row)
{
	return (b->present[row / 8] >> (row % 8) & 1) != 0;
}

/* Number of a row of a delta. */
static inline uint32_t column_number(const struct column_block *b, unsigned row)
{
	return (uint32_t)column_le(b->numbers + 4 * (size_t)row, 4);
}

/* Any column of numbers; of texts and bytes: the offset, for comparing within a block. */
static inline uint64_t column_u64(const struct column_block *b, unsigned column, unsigned row)
{
	const struct column_array *a = &b->arrays[column];
	switch (a->width) {
	case 1:
		return a->base + a->data[row];
	case 2:
		return a->base + column_le(a->data + 2 * (size_t)row, 2);
	case 4:
		return a->base + column_le(a->data + 4 * (size_t)row, 4);
	case 8:
		return a->base + column_le(a->data + 8 * (size_t)row, 8);
	default:
		return a->base;
	}
}

/* NULL: none. */
static inline const uint8_t *column_bytes(const struct column_block *b, unsigned column, unsigned row,
					  size_t *ret_len)
{
	uint64_t at = column_u64(b, column, row);
	if (at == 0 || b->heap_bytes < 3 || at > b->heap_bytes - 3)
		return NULL;
	size_t len = column_le(b->heap + at, 2);
	if (len > b->heap_bytes - 3 - at || b->heap[at + 2 + len] != 0)
		return NULL;
	*ret_len = len;
	return b->heap + at + 2;
}

/* Terminated, without zero bytes inside. NULL: none. Hostile: escape before a terminal sees it. */
static inline const char *column_text(const struct column_block *b, unsigned column, unsigned row)
{
	size_t len;
	return (const char *)column_bytes(b, column, row, &len);
}

/* False: none. For columns of ids, and of 16 bytes. */
bool column_id(const struct column_block *b, unsigned column, unsigned row, struct id *ret);

/* --- writing --- */

/* Rows of one group being put together. Numbers not put are 0, texts and bytes none. */
struct column_draft;

enum err column_draft_new(unsigned group, unsigned rows, struct column_draft **ret);
void column_draft_free(struct column_draft *d); /* NULL is fine */
/* One row more. ERR_NOMEM; ERR_LIMIT beyond a million rows. */
enum err column_draft_add(struct column_draft *d, unsigned *ret_row);
/* Copies the row of a block; its texts are borrowed: the block's bytes outlive the draft. */
void column_draft_copy(struct column_draft *d, unsigned row, const struct column_block *from,
		       unsigned from_row);
/* As above, from another draft of the group. */
void column_draft_take(struct column_draft *d, unsigned row, const struct column_draft *from,
		       unsigned from_row);
void column_draft_clear(struct column_draft *d, unsigned row); /* absent, and all columns as at first */
void column_draft_mark(struct column_draft *d, unsigned row);  /* present */
bool column_draft_marked(const struct column_draft *d, unsigned row);
/* What was put. The text is good until the draft is freed; NULL: none; not terminated. */
uint64_t column_draft_u64(const struct column_draft *d, unsigned row, unsigned column);
const char *column_draft_text(const struct column_draft *d, unsigned row, unsigned column, size_t *ret_len);
/* Makes a delta of it, and says the row's number. */
void column_draft_number(struct column_draft *d, unsigned row, uint32_t number);
void column_put_u64(struct column_draft *d, unsigned row, unsigned column, uint64_t value);
/* Copied; a failure comes out of column_encode. Longer than UINT16_MAX bytes is a bug. */
void column_put_bytes(struct column_draft *d, unsigned row, unsigned column, const void *bytes, size_t len);
/* None when empty. */
void column_put_text(struct column_draft *d, unsigned row, unsigned column, const char *text);
void column_put_id(struct column_draft *d, unsigned row, unsigned column, const struct id *id);
/* Whether the row says the same as that of a block. */
bool column_draft_equal(const struct column_draft *d, unsigned row, const struct column_block *b,
			unsigned b_row);

/* The stored block, malloc'd. ERR_NOMEM; ERR_LIMIT beyond LIMIT_BLOCK_BYTES or UINT16_MAX rows. */
enum err column_encode(struct column_draft *d, const struct row_key *key, uint64_t commit, uint8_t **ret,
		       size_t *ret_len);

#endif
