#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/row.h"

/* Index of the first row whose key is not below `key`. */
static size_t lower_bound(const struct row_set *set, const struct row_key *key)
{
	size_t low = 0, high = set->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (row_key_compare(&set->rows[middle]->key, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool holds(const struct row_set *set, size_t index, const struct row_key *key)
{
	return index < set->count && row_key_compare(&set->rows[index]->key, key) == 0;
}

static enum err reserve(struct row_set *set, size_t count)
{
	if (count <= set->capacity)
		return ERR_OK;
	size_t capacity = set->capacity < 16 ? 16 : set->capacity * 2;
	if (capacity < count)
		capacity = count;
	struct row **rows = realloc(set->rows, capacity * sizeof(struct row *));
	if (rows == NULL)
		return ERR_NOMEM;
	set->rows = rows;
	set->capacity = capacity;
	return ERR_OK;
}

enum err row_set_put(struct row_set *set, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct row *row = malloc(sizeof(*row) + len);
	if (row == NULL || reserve(set, set->count + 1) != ERR_OK) {
		free(row);
		return ERR_NOMEM;
	}
	row->key = *key;
	row->turn = ++set->turn;
	row->urgent = set->urgent;
	row->len = len;
	if (len > 0)
		memcpy(row->bytes, bytes, len);
	size_t at = lower_bound(set, key);
	if (holds(set, at, key)) {
		set->bytes -= set->rows[at]->len;
		row->urgent = row->urgent || set->rows[at]->urgent;
		free(set->rows[at]);
	} else {
		memmove(set->rows + at + 1, set->rows + at, (set->count - at) * sizeof(struct row *));
		set->count++;
	}
	set->rows[at] = row;
	set->bytes += len;
	return ERR_OK;
}

const struct row *row_set_find(const struct row_set *set, const struct row_key *key)
{
	size_t at = lower_bound(set, key);
	return holds(set, at, key) ? set->rows[at] : NULL;
}

const struct row *row_set_after(const struct row_set *set, const struct row_key *key)
{
	size_t at = lower_bound(set, key);
	if (holds(set, at, key))
		at++;
	return at < set->count ? set->rows[at] : NULL;
}

enum err row_set_split(struct row_set *from, struct row_set *into)
{
	size_t urgent = 0, kept = 0;
	for (size_t i = 0; i < from->count; i++)
		urgent += from->rows[i]->urgent;
	if (reserve(into, urgent) != ERR_OK)
		return ERR_NOMEM;
	for (size_t i = 0; i < from->count; i++) {
		struct row *row = from->rows[i];
		if (!row->urgent) {
			from->rows[kept++] = row;
			continue;
		}
		into->rows[into->count++] = row;
		into->bytes += row->len;
		from->bytes -= row->len;
	}
	from->count = kept;
	return ERR_OK;
}

enum err row_set_merge(struct row_set *into, struct row_set *from)
{
	struct row_set all = {0};
	size_t a = 0, b = 0;
	if (reserve(&all, into->count + from->count) != ERR_OK)
		return ERR_NOMEM;
	while (a < into->count || b < from->count) {
		int order = a == into->count   ? 1
			    : b == from->count ? -1
					       : row_key_compare(&into->rows[a]->key, &from->rows[b]->key);
		struct row *row = order <= 0 ? into->rows[a++] : from->rows[b++];
		if (order == 0)
			free(from->rows[b++]);
		all.rows[all.count++] = row;
		all.bytes += row->len;
	}
	free(into->rows);
	free(from->rows);
	all.turn = into->turn > from->turn ? into->turn : from->turn;
	all.urgent = into->urgent;
	*into = all;
	*from = (struct row_set){0};
	return ERR_OK;
}

void row_set_clear(struct row_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		free(set->rows[i]);
	free(set->rows);
	*set = (struct row_set){0};
}

/* A chunk's row: key length u8, value length u16 in the machine's order, key, value. */
#define CHUNK_ROW_HEADER 3

void row_chunk_begin(struct row_chunk *chunk, const struct row_key *after)
{
	chunk->at = *after;
	row_chunk_reset(chunk);
}

void row_chunk_reset(struct row_chunk *chunk)
{
	chunk->len = chunk->pos = 0;
	chunk->last = false;
}

bool row_chunk_push(struct row_chunk *chunk, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	CHECK(len <= ROW_BYTES);
	if (sizeof(chunk->data) - chunk->len < CHUNK_ROW_HEADER + key->len + len)
		return false;
	uint8_t *at = chunk->data + chunk->len;
	uint16_t len16 = (uint16_t)len;
	at[0] = (uint8_t)key->len;
	memcpy(at + 1, &len16, 2);
	memcpy(at + CHUNK_ROW_HEADER, key->bytes, key->len);
	if (len > 0)
		memcpy(at + CHUNK_ROW_HEADER + key->len, bytes, len);
	chunk->len += CHUNK_ROW_HEADER + key->len + len;
	return true;
}

static size_t value_len(const uint8_t *at)
{
	uint16_t len;
	memcpy(&len, at + 1, 2);
	return len;
}

bool row_chunk_peek(const struct row_chunk *chunk, struct row_key *ret_key, const uint8_t **ret_bytes,
		    size_t *ret_len)
{
	if (chunk->pos == chunk->len)
		return false;
	const uint8_t *at = chunk->data + chunk->pos;
	ret_key->len = at[0];
	memcpy(ret_key->bytes, at + CHUNK_ROW_HEADER, at[0]);
	*ret_bytes = at + CHUNK_ROW_HEADER + at[0];
	*ret_len = value_len(at);
	return true;
}

void row_chunk_take(struct row_chunk *chunk)
{
	const uint8_t *at = chunk->data + chunk->pos;
	CHECK(chunk->pos < chunk->len);
	chunk->pos += CHUNK_ROW_HEADER + at[0] + value_len(at);
}
