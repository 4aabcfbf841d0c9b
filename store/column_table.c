#include "store/column_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

struct loaded {
	struct snapshot_block taken;
	bool there, damaged; /* neither: there is no such block */
};

/* Newest delta row of a number. */
struct newer {
	uint32_t delta; /* index + 1; 0: none */
	uint32_t row;
};

struct column_table {
	struct column_table_front front; /* must be first */
	struct column_source source;
	enum column_group group;
	struct loaded **blocks; /* NULL: not asked for yet */
	uint32_t block_count;
	struct snapshot_block *deltas;
	size_t delta_count, delta_cap;
	struct newer **newer; /* by block: COLUMN_BLOCK_ROWS of them, NULL where no delta has any */
	bool deltas_damaged;  /* nobody knows whose rows they had, so no row is known */
};

static enum err take_delta(void *context, const struct row_key *key, struct snapshot_block *taken)
{
	struct column_table *t = context;
	(void)key;
	if (taken->damaged || taken->block.numbers == NULL) {
		t->deltas_damaged = true;
		snapshot_block_free(taken);
		return ERR_OK;
	}
	if (t->delta_count == t->delta_cap) {
		size_t cap = t->delta_cap == 0 ? 16 : t->delta_cap * 2;
		struct snapshot_block *more = realloc(t->deltas, cap * sizeof(*more));
		if (more == NULL) {
			snapshot_block_free(taken);
			return ERR_NOMEM;
		}
		t->deltas = more;
		t->delta_cap = cap;
	}
	t->deltas[t->delta_count++] = *taken;
	return ERR_OK;
}

/* In the order of their commits, so that the newest row of a number stands. */
static enum err note_newer(struct column_table *t)
{
	for (size_t i = 0; i < t->delta_count; i++) {
		const struct column_block *b = &t->deltas[i].block;
		for (unsigned row = 0; row < b->rows; row++) {
			uint32_t number = column_number(b, row);
			if (number >= t->front.end)
				continue;
			struct newer **block = &t->newer[number / COLUMN_BLOCK_ROWS];
			if (*block == NULL)
				*block = calloc(COLUMN_BLOCK_ROWS, sizeof(**block));
			if (*block == NULL)
				return ERR_NOMEM;
			(*block)[number % COLUMN_BLOCK_ROWS] = (struct newer){(uint32_t)i + 1, row};
		}
	}
	return ERR_OK;
}

enum err column_table_open_from(const struct column_source *source, enum column_group group, uint32_t end,
				struct column_table **ret)
{
	struct column_table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return ERR_NOMEM;
	t->source = *source;
	t->group = group;
	t->front.end = end;
	t->block_count = (end + COLUMN_BLOCK_ROWS - 1) / COLUMN_BLOCK_ROWS;
	t->blocks = calloc((size_t)t->block_count + 1, sizeof(*t->blocks));
	t->newer = calloc((size_t)t->block_count + 1, sizeof(*t->newer));
	t->front.plain = calloc((size_t)t->block_count + 1, sizeof(*t->front.plain));
	struct row_key first = row_key_delta(group, 0);
	bool room = t->blocks != NULL && t->newer != NULL && t->front.plain != NULL;
	enum err err = room ? t->source.each(t->source.context, first.bytes, 2, take_delta, t) : ERR_NOMEM;
	if (err == ERR_OK)
		err = note_newer(t);
	if (err != ERR_OK) {
		column_table_close(t);
		return err;
	}
	*ret = t;
	return ERR_OK;
}

static enum err get_of_snapshot(void *context, const struct row_key *key, struct snapshot_block *ret)
{
	return snapshot_block(context, key, ret);
}

static enum err each_of_snapshot(void *context, const uint8_t *prefix, size_t prefix_len, column_take take,
				 void *take_context)
{
	return snapshot_each_block(context, prefix, prefix_len, take, take_context);
}

enum err column_table_open(struct snapshot *r, enum column_group group, struct column_table **ret)
{
	const struct store_meta *meta = snapshot_meta(r);
	const struct column_source source = {r, get_of_snapshot, each_of_snapshot};
	if (meta->schema < STORE_SCHEMA_BLOCKS)
		return ERR_VERSION;
	return column_table_open_from(&source, group, meta->ends[group], ret);
}

void column_table_close(struct column_table *t)
{
	if (t == NULL)
		return;
	for (uint32_t i = 0; t->blocks != NULL && i < t->block_count; i++) {
		if (t->blocks[i] != NULL)
			snapshot_block_free(&t->blocks[i]->taken);
		free(t->blocks[i]);
	}
	for (uint32_t i = 0; t->newer != NULL && i < t->block_count; i++)
		free(t->newer[i]);
	for (size_t i = 0; i < t->delta_count; i++)
		snapshot_block_free(&t->deltas[i]);
	free(t->blocks);
	free(t->deltas);
	free(t->newer);
	free(t->front.plain);
	free(t);
}

static enum err load(struct column_table *t, uint32_t index)
{
	struct row_key key = row_key_block(t->group, index);
	struct loaded *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return ERR_NOMEM;
	enum err err = t->source.get(t->source.context, &key, &l->taken);
	if (err != ERR_OK && err != ERR_NOT_FOUND) {
		free(l);
		return err;
	}
	t->blocks[index] = l;
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	l->there = !l->taken.damaged && l->taken.block.group == (unsigned)t->group &&
		   l->taken.block.rows == COLUMN_BLOCK_ROWS && l->taken.block.numbers == NULL;
	l->damaged = !l->there;
	if (l->there && t->newer[index] == NULL && !t->deltas_damaged)
		t->front.plain[index] = &l->taken.block;
	return ERR_OK;
}

/* The newest delta's row, if it is newer than what the block has. A block that was written after the delta
 * has its row already, or a later one. */
static bool is_newer(const struct column_table *t, const struct loaded *l, uint32_t number, bool has_block,
		     struct column_row *ret)
{
	const struct newer *block = t->newer[number / COLUMN_BLOCK_ROWS];
	const struct newer *newer = block != NULL ? &block[number % COLUMN_BLOCK_ROWS] : NULL;
	if (newer == NULL || newer->delta == 0 || l->damaged)
		return false;
	const struct column_block *delta = &t->deltas[newer->delta - 1].block;
	if (has_block && delta->commit <= l->taken.block.commit)
		return false;
	*ret = (struct column_row){delta, newer->row};
	return true;
}

enum err column_table_find(struct column_table *t, uint32_t number, struct column_row *ret)
{
	struct column_row row = {.block = NULL};
	if (number >= t->front.end || t->deltas_damaged) {
		*ret = row;
		return ERR_OK;
	}
	uint32_t index = number / COLUMN_BLOCK_ROWS;
	enum err err = t->blocks[index] != NULL ? ERR_OK : load(t, index);
	if (err != ERR_OK)
		return err;
	const struct loaded *l = t->blocks[index];
	if (l->there)
		row = (struct column_row){&l->taken.block, number % COLUMN_BLOCK_ROWS};
	(void)is_newer(t, l, number, row.block != NULL, &row);
	if (row.block != NULL && !column_present(row.block, row.row))
		row.block = NULL;
	*ret = row;
	return ERR_OK;
}

bool column_table_damaged(const struct column_table *t, uint32_t number)
{
	const struct loaded *l = number < t->front.end ? t->blocks[number / COLUMN_BLOCK_ROWS] : NULL;
	return number < t->front.end && (t->deltas_damaged || (l != NULL && l->damaged));
}
