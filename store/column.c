#include "store/column.h"

#include <string.h>

#include "base/check.h"
#include "base/checksum.h"
#include "crypto/hash.h"
#include "store/column_format.h"

#define COLUMN_INFO(symbol, name, type, meaning) {name, COLUMN_##type, meaning},

const struct column_info *column_group_columns(unsigned group, unsigned *ret_count)
{
#define COLUMN_LIST(symbol, value, name, columns)                                                            \
	static const struct column_info list_##symbol[] = {columns(COLUMN_INFO)};                            \
	_Static_assert(sizeof(list_##symbol) / sizeof(*list_##symbol) <= COLUMN_COUNT_MAX, name);
	COLUMN_GROUPS(COLUMN_LIST)
	switch (group) {
#define COLUMN_CASE(symbol, value, name, columns)                                                            \
	case value:                                                                                          \
		*ret_count = sizeof(list_##symbol) / sizeof(*list_##symbol);                                 \
		return list_##symbol;
		COLUMN_GROUPS(COLUMN_CASE)
	default:
		return NULL;
	}
}

/* One array or the heap: within the body. */
static bool lies_within(uint64_t at, uint64_t bytes, size_t body)
{
	return at >= COLUMN_HEAD_BYTES && at <= body && bytes <= body - at;
}

static bool open_arrays(const uint8_t *body, size_t bytes, unsigned stored, struct column_block *b)
{
	unsigned known;
	(void)column_group_columns(b->group, &known);
	for (unsigned i = 0; i < stored && i < known; i++) {
		const uint8_t *at = body + COLUMN_HEAD_BYTES + i * COLUMN_DESCRIPTOR_BYTES;
		uint64_t offset = column_le(at, 4);
		uint8_t width = at[4];
		if (width != 0 && width != 1 && width != 2 && width != 4 && width != 8 && width != ID_BYTES)
			return false;
		if (width > 0 && !lies_within(offset, (uint64_t)width * b->rows, bytes))
			return false;
		b->arrays[i] = (struct column_array){body + offset, column_le(at + 8, 8), width};
	}
	return true;
}

static enum err open_body(const uint8_t *body, size_t bytes, struct column_block *ret)
{
	struct column_block b = {.group = 0};
	unsigned known;
	if (bytes < COLUMN_HEAD_BYTES)
		return ERR_FORMAT;
	if ((body[0] != COLUMN_VERSION && body[0] != COLUMN_VERSION_SIPHASH) ||
	    column_group_columns(body[1], &known) == NULL)
		return ERR_VERSION;
	b.group = body[1];
	b.rows = (unsigned)column_le(body + 2, 2);
	unsigned stored = (unsigned)column_le(body + 4, 2);
	b.commit = column_le(body + 8, 8);
	uint64_t heap = column_le(body + 16, 4), present = COLUMN_HEAD_BYTES + 16 * (uint64_t)stored;
	b.heap_bytes = (uint32_t)column_le(body + 20, 4);
	if (stored > COLUMN_STORED_MAX || !lies_within(heap, b.heap_bytes, bytes) ||
	    !lies_within(present, column_presence_bytes(b.rows), bytes))
		return ERR_FORMAT;
	b.heap = body + heap;
	b.present = body + present;
	if ((body[6] & COLUMN_FLAG_DELTA) != 0) {
		uint64_t numbers = present + column_presence_bytes(b.rows);
		if (!lies_within(numbers, 4 * (uint64_t)b.rows, bytes))
			return ERR_FORMAT;
		b.numbers = body + numbers;
	}
	if (!open_arrays(body, bytes, stored, &b))
		return ERR_FORMAT;
	*ret = b;
	return ERR_OK;
}

static uint64_t checksum_of(const uint8_t *prefix, size_t prefix_bytes, const uint8_t *body, size_t bytes)
{
	if (bytes > 0 && body[0] == COLUMN_VERSION_SIPHASH)
		return hash_checksum(prefix, prefix_bytes) + hash_checksum(body, bytes);
	return checksum_bytes(prefix, prefix_bytes) + checksum_bytes(body, bytes);
}

uint64_t column_checksum(const struct row_key *key, const uint8_t *body, size_t bytes)
{
	uint8_t prefix[1 + ROW_KEY_BYTES];
	prefix[0] = (uint8_t)key->len;
	memcpy(prefix + 1, key->bytes, key->len);
	return checksum_of(prefix, 1 + key->len, body, bytes);
}

bool column_good(const struct row_key *key, const uint8_t *stored, size_t len)
{
	if (len < COLUMN_HEAD_BYTES + COLUMN_CHECKSUM_BYTES)
		return false;
	size_t body = len - COLUMN_CHECKSUM_BYTES;
	return column_checksum(key, stored, body) == column_le(stored + body, COLUMN_CHECKSUM_BYTES);
}

enum err column_open(const uint8_t *prefixed, size_t prefix_bytes, size_t len, struct column_block *ret)
{
	if (len < COLUMN_HEAD_BYTES + COLUMN_CHECKSUM_BYTES)
		return ERR_CHECKSUM;
	size_t body = len - COLUMN_CHECKSUM_BYTES;
	uint64_t stated = column_le(prefixed + prefix_bytes + body, COLUMN_CHECKSUM_BYTES);
	if (checksum_of(prefixed, prefix_bytes, prefixed + prefix_bytes, body) != stated)
		return ERR_CHECKSUM;
	return open_body(prefixed + prefix_bytes, body, ret);
}

enum err column_open_stored(const struct row_key *key, const uint8_t *stored, size_t len,
			    struct column_block *ret)
{
	if (!column_good(key, stored, len))
		return ERR_CHECKSUM;
	return open_body(stored, len - COLUMN_CHECKSUM_BYTES, ret);
}

bool column_id(const struct column_block *b, unsigned column, unsigned row, struct id *ret)
{
	const struct column_array *a = &b->arrays[column];
	if (a->width == ID_BYTES) {
		memcpy(ret->b, a->data + (size_t)row * ID_BYTES, ID_BYTES);
		return true;
	}
	size_t len;
	const uint8_t *bytes = column_bytes(b, column, row, &len);
	if (bytes == NULL || len != ID_BYTES)
		return false;
	memcpy(ret->b, bytes, ID_BYTES);
	return true;
}
