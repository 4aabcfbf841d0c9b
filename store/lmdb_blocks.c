/* Changed rows become deltas, or, where many of one block changed, the block; when the deltas of a group have
 * grown, all go into their blocks. A block carries the commit it was written in: deltas before it are in it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/lmdb_backend.h"

struct writing {
	struct commit *c;
	enum column_group group;
	const struct column_draft *rows;
	const struct block_row *changed;
	size_t count;
	struct lmdb_block *deltas;
	size_t delta_count, delta_cap;
	bool deltas_loaded;
};

static bool is_of_hosts(enum column_group group)
{
	return group <= GROUP_CRASHES;
}

static void free_deltas(struct writing *w)
{
	for (size_t i = 0; i < w->delta_count; i++)
		free(w->deltas[i].value.bytes);
	free(w->deltas);
	w->deltas = NULL;
	w->delta_count = w->delta_cap = 0;
}

static enum err keep_delta(struct writing *w, const struct lmdb_value *value)
{
	struct lmdb_block delta = {.value = *value};
	if (column_open(value->bytes, value->prefix_bytes, value->len, &delta.block) != ERR_OK ||
	    delta.block.numbers == NULL) {
		free(value->bytes);
		return ERR_CHECKSUM;
	}
	if (w->delta_count == w->delta_cap) {
		size_t cap = w->delta_cap == 0 ? 16 : w->delta_cap * 2;
		struct lmdb_block *more = realloc(w->deltas, cap * sizeof(*more));
		if (more == NULL) {
			free(value->bytes);
			return ERR_NOMEM;
		}
		w->deltas = more;
		w->delta_cap = cap;
	}
	w->deltas[w->delta_count++] = delta;
	return ERR_OK;
}

static enum err load_deltas(struct writing *w)
{
	struct row_key key = row_key_delta(w->group, 0);
	if (w->deltas_loaded)
		return ERR_OK;
	for (;;) {
		struct lmdb_value value = {.bytes = NULL};
		enum err err = lmdb_next_value(w->c->txn, w->c->l->e.dbi, &key, 2, &value);
		if (err == ERR_NOT_FOUND)
			break;
		if (err == ERR_LIMIT)
			err = ERR_CHECKSUM;
		if (err == ERR_OK)
			err = keep_delta(w, &value);
		else
			free(value.bytes);
		if (err != ERR_OK)
			return err;
	}
	w->deltas_loaded = true;
	return ERR_OK;
}

static enum err put_block(struct writing *w, const struct row_key *key, struct column_draft *d,
			  size_t *ret_len)
{
	uint8_t *bytes = NULL;
	enum err err = column_encode(d, key, w->c->meta.commit, &bytes, ret_len);
	if (err == ERR_OK)
		err = lmdb_put(w->c, key, key, bytes, *ret_len);
	w->c->work.blocks += err == ERR_OK;
	free(bytes);
	return err;
}

static enum err rebuild_rows(struct writing *w, uint32_t block, struct column_draft *d)
{
	enum err err = ERR_OK;
	w->c->work.rebuilt++;
	for (uint32_t i = 0; i < COLUMN_BLOCK_ROWS && err == ERR_OK; i++) {
		uint32_t number = block * COLUMN_BLOCK_ROWS + i;
		if (numbers_id(&w->c->l->hosts, number) != NULL)
			err = lmdb_derive_row(w->c, w->group, number, d, i);
	}
	return err;
}

/* As it was, with its deltas. `old` keeps bytes that the draft borrows. */
static enum err fill_draft(struct writing *w, uint32_t block, struct lmdb_block *old, struct column_draft *d)
{
	struct row_key key = row_key_block(w->group, block);
	enum err err = lmdb_read_block(w->c, &key, old);
	bool damaged = err == ERR_CHECKSUM || (err == ERR_OK && old->block.rows != COLUMN_BLOCK_ROWS);
	if (damaged && !is_of_hosts(w->group))
		return ERR_CHECKSUM;
	if (damaged)
		return rebuild_rows(w, block, d);
	uint64_t commit = 0;
	if (err == ERR_OK) {
		commit = old->block.commit;
		for (unsigned i = 0; i < COLUMN_BLOCK_ROWS; i++)
			column_draft_copy(d, i, &old->block, i);
	} else if (err != ERR_NOT_FOUND) {
		return err;
	}
	for (size_t i = 0; i < w->delta_count; i++) {
		const struct column_block *delta = &w->deltas[i].block;
		for (unsigned row = 0; row < delta->rows && delta->commit > commit; row++) {
			if (column_number(delta, row) / COLUMN_BLOCK_ROWS == block)
				column_draft_copy(d, column_number(delta, row) % COLUMN_BLOCK_ROWS, delta,
						  row);
		}
	}
	return ERR_OK;
}

/* `first` to `end` of the changed rows are of this block. */
static enum err write_block(struct writing *w, uint32_t block, size_t first, size_t end)
{
	struct column_draft *d;
	struct lmdb_block old = {.value = {.bytes = NULL}};
	struct row_key key = row_key_block(w->group, block);
	size_t len;
	enum err err = load_deltas(w);
	if (err == ERR_OK)
		err = column_draft_new(w->group, COLUMN_BLOCK_ROWS, &d);
	if (err != ERR_OK)
		return err;
	err = fill_draft(w, block, &old, d);
	for (size_t i = first; i < end && err == ERR_OK; i++)
		column_draft_take(d, w->changed[i].number % COLUMN_BLOCK_ROWS, w->rows, w->changed[i].row);
	if (err == ERR_OK)
		err = put_block(w, &key, d, &len);
	column_draft_free(d);
	free(old.value.bytes);
	return err;
}

static uint32_t block_of(const struct writing *w, size_t i)
{
	return w->changed[i].number / COLUMN_BLOCK_ROWS;
}

static size_t end_of_block(const struct writing *w, size_t first)
{
	size_t end = first;
	while (end < w->count && block_of(w, end) == block_of(w, first))
		end++;
	return end;
}

/* The rows that are few in their block, as a delta. */
static enum err write_delta(struct writing *w, size_t rows)
{
	struct column_draft *d;
	struct row_key key = row_key_delta(w->group, w->c->meta.commit);
	struct delta_tally *tally = &w->c->deltas[w->group];
	size_t len = 0;
	unsigned row = 0;
	enum err err = column_draft_new(w->group, (unsigned)rows, &d);
	if (err != ERR_OK)
		return err;
	for (size_t first = 0, end; first < w->count; first = end) {
		end = end_of_block(w, first);
		if (end - first >= DENSE_ROWS)
			continue;
		for (size_t i = first; i < end; i++, row++) {
			column_draft_take(d, row, w->rows, w->changed[i].row);
			column_draft_number(d, row, w->changed[i].number);
		}
	}
	err = put_block(w, &key, d, &len);
	column_draft_free(d);
	tally->rows += rows;
	tally->bytes += len;
	tally->count++;
	return err;
}

static enum err drop_deltas(struct writing *w)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < w->delta_count && err == ERR_OK; i++) {
		struct row_key key;
		const struct lmdb_value *value = &w->deltas[i].value;
		err = row_key_of(value->bytes + 1, value->bytes[0], &key);
		if (err == ERR_OK)
			err = lmdb_put(w->c, &key, &key, NULL, 0);
	}
	w->c->deltas[w->group] = (struct delta_tally){.rows = 0};
	return err;
}

static bool has_delta_rows(const struct writing *w, uint32_t block)
{
	for (size_t i = 0; i < w->delta_count; i++) {
		const struct column_block *delta = &w->deltas[i].block;
		for (unsigned row = 0; row < delta->rows; row++) {
			if (column_number(delta, row) / COLUMN_BLOCK_ROWS == block)
				return true;
		}
	}
	return false;
}

/* Every block that something changed in, deltas included, which then are done with. */
static enum err fold(struct writing *w)
{
	uint32_t end = w->c->meta.ends[w->group];
	size_t first = 0;
	enum err err = load_deltas(w);
	for (uint32_t block = 0; block * COLUMN_BLOCK_ROWS < end && err == ERR_OK; block++) {
		size_t behind = first;
		if (first < w->count && block_of(w, first) == block)
			behind = end_of_block(w, first);
		if (behind > first || has_delta_rows(w, block))
			err = write_block(w, block, first, behind);
		first = behind;
	}
	return err == ERR_OK ? drop_deltas(w) : err;
}

static enum err write_sparsely(struct writing *w)
{
	size_t few = 0;
	for (size_t first = 0, end; first < w->count; first = end) {
		end = end_of_block(w, first);
		if (end - first < DENSE_ROWS) {
			few += end - first;
			continue;
		}
		enum err err = write_block(w, block_of(w, first), first, end);
		if (err != ERR_OK)
			return err;
	}
	return few > 0 ? write_delta(w, few) : ERR_OK;
}

/* Of a group of hosts everything can be derived again. */
static enum err rewrite_group(struct writing *w)
{
	struct commit *c = w->c;
	uint32_t end = c->meta.ends[w->group];
	enum err err = lmdb_blocks_drop(c, w->group);
	c->work.rebuilt++;
	for (uint32_t block = 0; block * COLUMN_BLOCK_ROWS < end && err == ERR_OK; block++) {
		struct column_draft *d;
		struct row_key key = row_key_block(w->group, block);
		size_t len;
		err = column_draft_new(w->group, COLUMN_BLOCK_ROWS, &d);
		if (err != ERR_OK)
			break;
		err = rebuild_rows(w, block, d);
		if (err == ERR_OK)
			err = put_block(w, &key, d, &len);
		column_draft_free(d);
	}
	return err;
}

enum err lmdb_blocks_rewrite(struct commit *c, enum column_group group)
{
	struct writing w = {.c = c, .group = group};
	CHECK(is_of_hosts(group));
	return rewrite_group(&w);
}

enum err lmdb_blocks_write(struct commit *c, enum column_group group, const struct column_draft *rows,
			   const struct block_row *changed, size_t count)
{
	struct writing w = {.c = c, .group = group, .rows = rows, .changed = changed, .count = count};
	const struct delta_tally *tally = &c->deltas[group];
	if (count == 0)
		return ERR_OK;
	if (changed[count - 1].number >= c->meta.ends[group])
		c->meta.ends[group] = changed[count - 1].number + 1;
	bool full = tally->rows + count > DELTA_ROWS_MAX || tally->bytes > DELTA_BYTES_MAX ||
		    tally->count >= DELTA_COUNT_MAX;
	enum err err = full ? fold(&w) : write_sparsely(&w);
	/* A delta beyond a block's size: blocks have room for it. */
	if (err == ERR_LIMIT && !full && c->code == 0)
		err = fold(&w);
	/* A damaged delta: nobody knows whose rows it had. */
	if (err == ERR_CHECKSUM && is_of_hosts(group))
		err = rewrite_group(&w);
	free_deltas(&w);
	return err;
}

enum err lmdb_drop_rows(struct commit *c, struct row_key prefix)
{
	struct row_key key = prefix;
	for (;;) {
		struct lmdb_value value = {.bytes = NULL};
		enum err err = lmdb_next_value(c->txn, c->l->e.dbi, &key, prefix.len, &value);
		free(value.bytes);
		if (err == ERR_NOT_FOUND)
			return ERR_OK;
		if (err == ERR_OK || err == ERR_LIMIT)
			err = lmdb_put(c, &key, &key, NULL, 0);
		if (err != ERR_OK)
			return err;
	}
}

enum err lmdb_blocks_drop(struct commit *c, enum column_group group)
{
	const struct row_key blocks = {.bytes = {TABLE_BLOCKS, (uint8_t)group}, .len = 2},
			     deltas = {.bytes = {TABLE_DELTAS, (uint8_t)group}, .len = 2};
	enum err err = lmdb_drop_rows(c, blocks);
	if (err == ERR_OK)
		err = lmdb_drop_rows(c, deltas);
	c->deltas[group] = (struct delta_tally){.rows = 0};
	return err;
}
