/* From schemas 1 and 2: rows of hosts move from keys with ids to keys with numbers, values and all; what is
 * derived comes with the commits that move them. Between two commits the file is whole: the meta row says
 * that it is being converted, and the next open goes on. */
#include <string.h>

#include "store/lmdb_backend.h"

#define ROWS_PER_COMMIT 8192

struct moving {
	struct row_key at; /* of the last row that was looked at */
	size_t moved;
	bool done;
	uint32_t schema; /* to be noted */
	bool migrating;
};

/* The next row of a host under its old key. ERR_NOT_FOUND at the end. */
static enum err next_old(struct commit *c, struct row_key *at, struct id *ret_host, struct row_value *ret)
{
	MDB_cursor *cursor;
	MDB_val k = {at->len, at->bytes}, v;
	struct row_key key;
	int rc = mdb_cursor_open(c->txn, c->l->e.dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", c->l->e.data_path, c->info);
	enum err err = ERR_NOT_FOUND;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK) {
			err = ERR_CORRUPT;
			break;
		}
		if (key.bytes[0] > TABLE_HOST_STATES)
			break;
		if (row_key_compare(&key, at) <= 0 || !host_key_of(&key, ret_host))
			continue;
		*at = key;
		ret->len = v.mv_size <= ROW_BYTES ? v.mv_size : 0;
		memcpy(ret->bytes, v.mv_data, ret->len);
		err = ERR_OK;
		break;
	}
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? err : lmdb_error(rc, "read", c->l->e.data_path, c->info);
}

static enum err move_rows(struct commit *c)
{
	struct moving *m = c->context;
	enum err err = ERR_OK;
	c->meta.schema = STORE_SCHEMA;
	c->meta.migrating = true;
	for (m->moved = 0; m->moved < ROWS_PER_COMMIT; m->moved++) {
		struct row_value value;
		struct id host;
		err = next_old(c, &m->at, &host, &value);
		if (err != ERR_OK)
			break;
		err = lmdb_put(c, &m->at, &m->at, NULL, 0);
		/* A damaged one stays behind: peers have it. */
		if (err == ERR_OK && row_check(&m->at, value.bytes, value.len) == ERR_OK)
			err = lmdb_put_host_row(c, &m->at, &host, value.bytes, value.len);
		if (err != ERR_OK)
			break;
	}
	m->done = err == ERR_NOT_FOUND;
	if (m->done)
		c->meta.migrating = false;
	return m->done ? ERR_OK : err;
}

enum err lmdb_migrate(struct lmdb *l, const struct store_progress *progress, struct err_info *info)
{
	struct moving m = {.at = row_key_first(TABLE_RECORDS)};
	struct row_set none = {.count = 0};
	uint64_t moved = 0;
	while (!m.done) {
		struct row_key before = m.at;
		enum err err = lmdb_commit_with(l, &none, 0, move_rows, &m, info);
		if (err == ERR_LIMIT && lmdb_grow_map(l) == ERR_OK) {
			m.at = before;
			m.done = false;
			continue;
		}
		if (err != ERR_OK)
			return err;
		moved += m.moved;
		if (progress != NULL && progress->migrated != NULL)
			progress->migrated(progress->context, moved, l->meta.rows, m.done);
	}
	return ERR_OK;
}
