/* From schemas 1 and 2: rows of hosts move from keys with ids to keys with numbers, values and all; what is
 * derived comes with the commits that move them. Between two commits the file is whole: the meta row says
 * that it is being converted, and the next open goes on. From schema 3 nothing moves: what is derived is made
 * anew, in one commit. From schema 4 on nothing is done but saying so. */
#include <string.h>

#include "store/lmdb_backend.h"

#define ROWS_PER_COMMIT 8192
#define ALL_GROUPS      ((1u << (COLUMN_GROUP_LAST + 1)) - (1u << COLUMN_GROUP_FIRST))

struct moving {
	struct lmdb *l;
	struct row_key at; /* of the last row that was looked at */
	size_t step;
	struct row_set rows; /* under their old keys, to be moved */
	struct row_set bad;  /* that fail their checksum: peers have them */
	bool done;
};

static enum err take_old(struct moving *m, const struct row_key *key, const MDB_val *v)
{
	struct id host;
	if (!host_key_of(key, &host))
		return ERR_OK;
	m->at = *key;
	bool good = v->mv_size <= ROW_BYTES && row_check(key, v->mv_data, v->mv_size) == ERR_OK;
	return row_set_put(good ? &m->rows : &m->bad, key, v->mv_data, good ? v->mv_size : 0);
}

static enum err collect_in_guard(void *context)
{
	struct moving *m = context;
	MDB_txn *txn;
	MDB_cursor *cursor = NULL;
	struct row_key key, from = m->at;
	MDB_val k = {from.len, from.bytes}, v;
	int rc = mdb_txn_begin(m->l->e.env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return lmdb_error(rc, "read", m->l->e.data_path, NULL);
	rc = mdb_cursor_open(txn, m->l->e.dbi, &cursor);
	enum err err = lmdb_error(rc, "read", m->l->e.data_path, NULL);
	if (err == ERR_OK)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	m->done = true;
	for (; err == ERR_OK && rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK)
			err = ERR_CORRUPT;
		else if (key.bytes[0] > TABLE_HOST_STATES)
			break;
		else
			err = take_old(m, &key, &v);
		m->done = m->rows.count + m->bad.count < m->step;
		if (err != ERR_OK || !m->done)
			break;
	}
	if (cursor != NULL)
		mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	if (err == ERR_OK && rc != 0 && rc != MDB_NOTFOUND)
		err = lmdb_error(rc, "read", m->l->e.data_path, NULL);
	return err;
}

static enum err drop_old(struct commit *c, const struct row_set *rows)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < rows->count && err == ERR_OK; i++)
		err = lmdb_put(c, &rows->rows[i]->key, &rows->rows[i]->key, NULL, 0);
	return err;
}

/* The batch has put them in their new places. */
static enum err leave_old_places(struct commit *c)
{
	const struct moving *m = c->context;
	enum err err = c->meta.schema < STORE_SCHEMA_BLOCKS ? lmdb_put_fences(c) : ERR_OK;
	c->meta.schema = STORE_SCHEMA;
	c->meta.migrating = !m->done;
	if (err == ERR_OK)
		err = drop_old(c, &m->rows);
	return err == ERR_OK ? drop_old(c, &m->bad) : err;
}

static enum err move_some(struct moving *m, struct err_info *info)
{
	enum err err = lmdb_env_run(&m->l->e, collect_in_guard, m);
	if (err != ERR_OK)
		return err;
	do {
		err = lmdb_commit_with(m->l, &m->rows, 0, leave_old_places, m, info);
	} while (err == ERR_LIMIT && lmdb_grow_map(m->l) == ERR_OK);
	return err;
}

enum err lmdb_migrate(struct lmdb *l, const struct store_progress *progress, struct err_info *info)
{
	struct moving m = {.l = l, .at = row_key_first(TABLE_RECORDS), .step = ROWS_PER_COMMIT};
	uint64_t moved = 0;
	enum err err = ERR_OK;
	if (l->meta.schema == STORE_SCHEMA_BLOCKS)
		l->repair = ALL_GROUPS;
	if (progress != NULL && progress->step > 0)
		m.step = progress->step;
	while (!m.done && err == ERR_OK) {
		err = move_some(&m, info);
		moved += m.rows.count;
		row_set_clear(&m.rows);
		row_set_clear(&m.bad);
		if (err == ERR_OK && progress != NULL && progress->migrated != NULL)
			progress->migrated(progress->context, moved, l->data_rows, m.done);
	}
	return err;
}
