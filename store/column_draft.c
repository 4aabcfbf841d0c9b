/* Blocks being written. Cells are kept wide; widths and the heap are settled when the whole is known. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "store/column.h"
#include "store/column_format.h"

#define ARENA_BYTES    16384
#define DRAFT_ROWS_MAX (1u << 20)

struct cell {
	uint64_t number; /* while encoding, of texts and bytes: the offset */
	const uint8_t *bytes;
	uint32_t len;
};

/* Bytes that were put, in pieces that never move. */
struct arena {
	struct arena *before;
	size_t used, size;
	uint8_t data[];
};

struct column_draft {
	unsigned group, rows, columns, room; /* room: rows that there is memory for */
	const struct column_info *infos;
	bool delta, failed;
	uint8_t *present;
	uint32_t *numbers;
	struct cell *cells; /* row by row */
	struct arena *arena;
};

enum err column_draft_new(unsigned group, unsigned rows, struct column_draft **ret)
{
	struct column_draft *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return ERR_NOMEM;
	d->group = group;
	d->rows = rows;
	d->infos = column_group_columns(group, &d->columns);
	CHECK(d->infos != NULL && rows <= DRAFT_ROWS_MAX);
	d->room = rows + 1;
	d->present = calloc(1, column_presence_bytes(d->room));
	d->numbers = calloc(d->room, sizeof(*d->numbers));
	d->cells = calloc((size_t)d->room * d->columns, sizeof(*d->cells));
	if (d->present == NULL || d->numbers == NULL || d->cells == NULL) {
		column_draft_free(d);
		return ERR_NOMEM;
	}
	*ret = d;
	return ERR_OK;
}

/* Doubled, the new half zeroed. */
static bool grow(void **array, size_t bytes)
{
	uint8_t *bigger = realloc(*array, 2 * bytes);
	if (bigger == NULL)
		return false;
	memset(bigger + bytes, 0, bytes);
	*array = bigger;
	return true;
}

enum err column_draft_add(struct column_draft *d, unsigned *ret_row)
{
	if (d->rows == DRAFT_ROWS_MAX)
		return ERR_LIMIT;
	if (d->rows == d->room) {
		size_t room = d->room;
		if (!grow((void **)&d->cells, room * d->columns * sizeof(*d->cells)) ||
		    !grow((void **)&d->numbers, room * sizeof(*d->numbers)))
			return ERR_NOMEM;
		uint8_t *present = calloc(1, column_presence_bytes((unsigned)room * 2));
		if (present == NULL)
			return ERR_NOMEM;
		memcpy(present, d->present, column_presence_bytes((unsigned)room));
		free(d->present);
		d->present = present;
		d->room *= 2;
	}
	*ret_row = d->rows++;
	return ERR_OK;
}

void column_draft_free(struct column_draft *d)
{
	if (d == NULL)
		return;
	while (d->arena != NULL) {
		struct arena *before = d->arena->before;
		free(d->arena);
		d->arena = before;
	}
	free(d->present);
	free(d->numbers);
	free(d->cells);
	free(d);
}

static struct cell *cell_at(const struct column_draft *d, unsigned row, unsigned column)
{
	CHECK(row < d->rows && column < d->columns);
	return &d->cells[(size_t)row * d->columns + column];
}

static bool is_number(const struct column_draft *d, unsigned column)
{
	return d->infos[column].type <= COLUMN_U64;
}

static struct cell cell_of(const struct column_block *b, const struct column_info *info, unsigned column,
			   unsigned row)
{
	struct cell cell = {.number = 0};
	size_t len = 0;
	if (info->type <= COLUMN_U64) {
		cell.number = column_u64(b, column, row);
	} else if (info->type == COLUMN_ID) {
		if (b->arrays[column].width == ID_BYTES) {
			cell.bytes = b->arrays[column].data + (size_t)row * ID_BYTES;
			cell.len = ID_BYTES;
		}
	} else {
		cell.bytes = column_bytes(b, column, row, &len);
		cell.len = (uint32_t)len;
	}
	return cell;
}

void column_draft_copy(struct column_draft *d, unsigned row, const struct column_block *from,
		       unsigned from_row)
{
	CHECK(from->group == d->group && from_row < from->rows);
	column_draft_clear(d, row);
	if (!column_present(from, from_row))
		return;
	column_draft_mark(d, row);
	for (unsigned i = 0; i < d->columns; i++)
		*cell_at(d, row, i) = cell_of(from, &d->infos[i], i, from_row);
}

void column_draft_take(struct column_draft *d, unsigned row, const struct column_draft *from,
		       unsigned from_row)
{
	CHECK(from->group == d->group && from_row < from->rows);
	column_draft_clear(d, row);
	d->failed = d->failed || from->failed;
	if (!column_draft_marked(from, from_row))
		return;
	column_draft_mark(d, row);
	memcpy(cell_at(d, row, 0), cell_at(from, from_row, 0), d->columns * sizeof(struct cell));
}

void column_draft_clear(struct column_draft *d, unsigned row)
{
	memset(cell_at(d, row, 0), 0, d->columns * sizeof(struct cell));
	d->present[row / 8] &= (uint8_t) ~(1u << row % 8);
}

void column_draft_mark(struct column_draft *d, unsigned row)
{
	CHECK(row < d->rows);
	d->present[row / 8] |= (uint8_t)(1u << row % 8);
}

bool column_draft_marked(const struct column_draft *d, unsigned row)
{
	return (d->present[row / 8] >> (row % 8) & 1) != 0;
}

uint64_t column_draft_u64(const struct column_draft *d, unsigned row, unsigned column)
{
	CHECK(is_number(d, column));
	return cell_at(d, row, column)->number;
}

const char *column_draft_text(const struct column_draft *d, unsigned row, unsigned column, size_t *ret_len)
{
	const struct cell *cell = cell_at(d, row, column);
	*ret_len = cell->len;
	return (const char *)cell->bytes;
}

void column_draft_number(struct column_draft *d, unsigned row, uint32_t number)
{
	CHECK(row < d->rows);
	d->delta = true;
	d->numbers[row] = number;
}

void column_put_u64(struct column_draft *d, unsigned row, unsigned column, uint64_t value)
{
	CHECK(is_number(d, column));
	cell_at(d, row, column)->number = value;
}

static uint8_t *keep(struct column_draft *d, size_t len)
{
	if (d->arena == NULL || d->arena->size - d->arena->used < len) {
		size_t size = len > ARENA_BYTES ? len : ARENA_BYTES;
		struct arena *more = malloc(sizeof(*more) + size);
		if (more == NULL)
			return NULL;
		*more = (struct arena){.before = d->arena, .size = size};
		d->arena = more;
	}
	d->arena->used += len;
	return d->arena->data + d->arena->used - len;
}

void column_put_bytes(struct column_draft *d, unsigned row, unsigned column, const void *bytes, size_t len)
{
	struct cell *cell = cell_at(d, row, column);
	CHECK(!is_number(d, column) && len <= UINT16_MAX);
	uint8_t *copy = keep(d, len);
	if (copy == NULL) {
		d->failed = true;
		return;
	}
	if (len > 0)
		memcpy(copy, bytes, len);
	cell->bytes = copy;
	cell->len = (uint32_t)len;
}

void column_put_text(struct column_draft *d, unsigned row, unsigned column, const char *text)
{
	if (text[0] != '\0')
		column_put_bytes(d, row, column, text, strlen(text));
}

void column_put_id(struct column_draft *d, unsigned row, unsigned column, const struct id *id)
{
	column_put_bytes(d, row, column, id->b, ID_BYTES);
}

bool column_draft_equal(const struct column_draft *d, unsigned row, const struct column_block *b,
			unsigned b_row)
{
	bool there = column_present(b, b_row);
	if (column_draft_marked(d, row) != there)
		return false;
	for (unsigned i = 0; there && i < d->columns; i++) {
		const struct cell *mine = cell_at(d, row, i);
		struct cell other = cell_of(b, &d->infos[i], i, b_row);
		if (mine->number != other.number || (mine->bytes == NULL) != (other.bytes == NULL) ||
		    mine->len != other.len ||
		    (mine->len > 0 && memcmp(mine->bytes, other.bytes, mine->len) != 0))
			return false;
	}
	return true;
}

/* --- encoding --- */

struct encoder {
	struct column_draft *d;
	uint8_t *heap;
	size_t heap_len, heap_cap;
	uint32_t *slots; /* offsets by content; 0: free */
	size_t slot_count, kept;
	struct {
		uint64_t base;
		uint8_t width;
	} columns[COLUMN_COUNT_MAX];
};

static bool grow_slots(struct encoder *e)
{
	size_t count = e->slot_count == 0 ? 512 : e->slot_count * 2;
	uint32_t *slots = calloc(count, sizeof(*slots));
	if (slots == NULL)
		return false;
	for (size_t i = 0; i < e->slot_count; i++) {
		if (e->slots[i] == 0)
			continue;
		const uint8_t *at = e->heap + e->slots[i];
		size_t slot = hash_checksum(at + 2, column_le(at, 2)) & (count - 1);
		while (slots[slot] != 0)
			slot = (slot + 1) & (count - 1);
		slots[slot] = e->slots[i];
	}
	free(e->slots);
	e->slots = slots;
	e->slot_count = count;
	return true;
}

static enum err append(struct encoder *e, const struct cell *cell)
{
	size_t need = e->heap_len + cell->len + 3;
	if (need > LIMIT_BLOCK_BYTES)
		return ERR_LIMIT;
	if (need > e->heap_cap) {
		size_t cap = e->heap_cap < 4096 ? 4096 : e->heap_cap * 2;
		uint8_t *bigger = realloc(e->heap, cap < need ? need : cap);
		if (bigger == NULL)
			return ERR_NOMEM;
		e->heap = bigger;
		e->heap_cap = cap < need ? need : cap;
	}
	uint8_t *at = e->heap + e->heap_len;
	at[0] = (uint8_t)cell->len;
	at[1] = (uint8_t)(cell->len >> 8);
	if (cell->len > 0)
		memcpy(at + 2, cell->bytes, cell->len);
	at[2 + cell->len] = 0;
	e->heap_len = need;
	return ERR_OK;
}

/* Where the content is in the heap; put there when it is new. */
static enum err offset_of(struct encoder *e, struct cell *cell)
{
	if (2 * e->kept >= e->slot_count && !grow_slots(e))
		return ERR_NOMEM;
	size_t slot = hash_checksum(cell->bytes, cell->len) & (e->slot_count - 1);
	for (; e->slots[slot] != 0; slot = (slot + 1) & (e->slot_count - 1)) {
		const uint8_t *at = e->heap + e->slots[slot];
		if (column_le(at, 2) == cell->len && memcmp(at + 2, cell->bytes, cell->len) == 0) {
			cell->number = e->slots[slot];
			return ERR_OK;
		}
	}
	cell->number = e->heap_len;
	e->slots[slot] = (uint32_t)e->heap_len;
	e->kept++;
	return append(e, cell);
}

static enum err fill_heap(struct encoder *e)
{
	struct column_draft *d = e->d;
	struct cell none = {.number = 0};
	/* Offset 0 stays none's. */
	enum err err = append(e, &none);
	for (unsigned row = 0; row < d->rows && err == ERR_OK; row++) {
		for (unsigned i = 0; i < d->columns && err == ERR_OK; i++) {
			struct cell *cell = cell_at(d, row, i);
			if (d->infos[i].type <= COLUMN_ID)
				continue;
			cell->number = 0;
			if (cell->bytes != NULL)
				err = offset_of(e, cell);
		}
	}
	return err;
}

static void settle_widths(struct encoder *e)
{
	const struct column_draft *d = e->d;
	for (unsigned i = 0; i < d->columns; i++) {
		uint64_t low = UINT64_MAX, high = 0;
		for (unsigned row = 0; row < d->rows; row++) {
			if (!column_draft_marked(d, row))
				continue;
			uint64_t v = cell_at(d, row, i)->number;
			low = v < low ? v : low;
			high = v > high ? v : high;
		}
		uint64_t range = high > low ? high - low : 0;
		e->columns[i].base = low == UINT64_MAX && high == 0 ? 0 : low;
		e->columns[i].width = range == 0            ? 0
				      : range <= UINT8_MAX  ? 1
				      : range <= UINT16_MAX ? 2
				      : range <= UINT32_MAX ? 4
							    : 8;
		if (d->infos[i].type == COLUMN_ID) {
			e->columns[i].base = 0;
			e->columns[i].width = ID_BYTES;
		}
	}
}

static void put_le(uint8_t *at, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static void write_array(const struct encoder *e, unsigned column, uint8_t *at)
{
	const struct column_draft *d = e->d;
	unsigned width = e->columns[column].width;
	for (unsigned row = 0; row < d->rows; row++, at += width) {
		const struct cell *cell = cell_at(d, row, column);
		if (!column_draft_marked(d, row))
			continue;
		if (width != ID_BYTES)
			put_le(at, cell->number - e->columns[column].base, width);
		else if (cell->len == ID_BYTES)
			memcpy(at, cell->bytes, ID_BYTES);
	}
}

static size_t body_bytes(const struct encoder *e, size_t *ret_arrays)
{
	const struct column_draft *d = e->d;
	size_t bytes =
	    COLUMN_HEAD_BYTES + (size_t)d->columns * COLUMN_DESCRIPTOR_BYTES + column_presence_bytes(d->rows);
	if (d->delta)
		bytes += 4 * (size_t)d->rows;
	*ret_arrays = bytes;
	for (unsigned i = 0; i < d->columns; i++)
		bytes += (size_t)e->columns[i].width * d->rows;
	return bytes + e->heap_len;
}

static void write_body(const struct encoder *e, uint64_t commit, uint8_t *body, size_t arrays, size_t bytes)
{
	const struct column_draft *d = e->d;
	body[0] = COLUMN_VERSION;
	body[1] = (uint8_t)d->group;
	put_le(body + 2, d->rows, 2);
	put_le(body + 4, d->columns, 2);
	body[6] = d->delta ? COLUMN_FLAG_DELTA : 0;
	put_le(body + 8, commit, 8);
	put_le(body + 16, bytes - e->heap_len, 4);
	put_le(body + 20, e->heap_len, 4);
	uint8_t *present = body + COLUMN_HEAD_BYTES + (size_t)d->columns * COLUMN_DESCRIPTOR_BYTES;
	memcpy(present, d->present, column_presence_bytes(d->rows));
	for (unsigned row = 0; d->delta && row < d->rows; row++)
		put_le(present + column_presence_bytes(d->rows) + 4 * (size_t)row, d->numbers[row], 4);
	for (unsigned i = 0; i < d->columns; i++) {
		uint8_t *at = body + COLUMN_HEAD_BYTES + (size_t)i * COLUMN_DESCRIPTOR_BYTES;
		put_le(at, arrays, 4);
		at[4] = e->columns[i].width;
		put_le(at + 8, e->columns[i].base, 8);
		write_array(e, i, body + arrays);
		arrays += (size_t)e->columns[i].width * d->rows;
	}
	memcpy(body + arrays, e->heap, e->heap_len);
}

static enum err encode(struct encoder *e, const struct row_key *key, uint64_t commit, uint8_t **ret,
		       size_t *ret_len)
{
	size_t arrays;
	enum err err = fill_heap(e);
	if (err != ERR_OK)
		return err;
	settle_widths(e);
	size_t bytes = body_bytes(e, &arrays);
	if (bytes + COLUMN_CHECKSUM_BYTES > LIMIT_BLOCK_BYTES)
		return ERR_LIMIT;
	uint8_t *whole = calloc(1, bytes + COLUMN_CHECKSUM_BYTES);
	if (whole == NULL)
		return ERR_NOMEM;
	write_body(e, commit, whole, arrays, bytes);
	put_le(whole + bytes, column_checksum(key, whole, bytes), COLUMN_CHECKSUM_BYTES);
	*ret = whole;
	*ret_len = bytes + COLUMN_CHECKSUM_BYTES;
	return ERR_OK;
}

enum err column_encode(struct column_draft *d, const struct row_key *key, uint64_t commit, uint8_t **ret,
		       size_t *ret_len)
{
	struct encoder e = {.d = d};
	enum err err = d->failed              ? ERR_NOMEM
		       : d->rows > UINT16_MAX ? ERR_LIMIT
					      : encode(&e, key, commit, ret, ret_len);
	free(e.heap);
	free(e.slots);
	return err;
}
