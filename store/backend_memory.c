/* Rows in memory, for the simulator and tests. Commits merge whole batches, so that a row costs no search. */
#include <stdlib.h>
#include <string.h>
#include <threads.h>

#include "base/check.h"
#include "store/backend.h"

struct memory {
	struct backend backend;
	mtx_t lock; /* commit runs beside get and chunk */
	struct row_set rows;
};

static struct memory *memory_of(struct backend *b)
{
	return (struct memory *)b;
}

static enum err memory_get(struct backend *b, const struct row_key *key, struct row_value *ret)
{
	struct memory *m = memory_of(b);
	mtx_lock(&m->lock);
	const struct row *row = row_set_find(&m->rows, key);
	if (row != NULL) {
		memcpy(ret->bytes, row->bytes, row->len);
		ret->len = row->len;
	}
	mtx_unlock(&m->lock);
	return row != NULL ? ERR_OK : ERR_NOT_FOUND;
}

static enum err memory_chunk(struct backend *b, struct row_chunk *ret)
{
	struct memory *m = memory_of(b);
	mtx_lock(&m->lock);
	row_chunk_reset(ret);
	const struct row *row = row_set_after(&m->rows, &ret->at);
	while (row != NULL && row->key.bytes[0] == ret->at.bytes[0] &&
	       row_chunk_push(ret, &row->key, row->bytes, row->len)) {
		ret->at = row->key;
		row = row_set_after(&m->rows, &row->key);
	}
	ret->last = row == NULL || row->key.bytes[0] != ret->at.bytes[0];
	mtx_unlock(&m->lock);
	return ERR_OK;
}

static void drop_deleted(struct row_set *set)
{
	size_t kept = 0;
	for (size_t i = 0; i < set->count; i++) {
		if (set->rows[i]->len > 0)
			set->rows[kept++] = set->rows[i];
		else
			free(set->rows[i]);
	}
	set->count = kept;
}

static enum err memory_commit(struct backend *b, const struct row_set *batch, wall_ms now,
			      struct err_info *info)
{
	struct memory *m = memory_of(b);
	struct row_set copy = {0};
	enum err err = ERR_OK;
	(void)now;
	for (size_t i = 0; i < batch->count && err == ERR_OK; i++)
		err = row_set_put(&copy, &batch->rows[i]->key, batch->rows[i]->bytes, batch->rows[i]->len);
	mtx_lock(&m->lock);
	if (err == ERR_OK)
		err = row_set_merge(&copy, &m->rows);
	if (err == ERR_OK) {
		m->rows = copy;
		drop_deleted(&m->rows);
	}
	mtx_unlock(&m->lock);
	if (err == ERR_OK)
		return ERR_OK;
	row_set_clear(&copy);
	return err_set(info, err, "cannot keep %zu rows: out of memory", batch->count);
}

static void memory_settle(struct backend *b, enum err commit_result)
{
	(void)b;
	(void)commit_result;
}

static void memory_count(const struct backend *b, struct backend_count *ret)
{
	const struct memory *m = (const struct memory *)b;
	*ret = (struct backend_count){.rows = m->rows.count};
}

static void memory_close(struct backend *b)
{
	struct memory *m = memory_of(b);
	row_set_clear(&m->rows);
	mtx_destroy(&m->lock);
	free(m);
}

enum err backend_memory_open(const struct id *estate, const struct id *self, struct backend **ret)
{
	static const struct backend_ops ops = {memory_get,    memory_chunk, memory_commit,
					       memory_settle, memory_count, memory_close};
	struct memory *m = calloc(1, sizeof(*m));
	(void)estate;
	(void)self;
	if (m == NULL)
		return ERR_NOMEM;
	m->backend.ops = &ops;
	CHECK(mtx_init(&m->lock, mtx_plain) == thrd_success);
	*ret = &m->backend;
	return ERR_OK;
}
