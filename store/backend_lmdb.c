/* The replica on disk. One thread commits while the loop's thread reads; each read has its own short
 * transaction. What is found damaged at open is set aside; what is found damaged later answers ERR_CORRUPT
 * until the next open. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "store/backend.h"
#include "store/lmdb_env.h"
#include "store/lmdb_pages.h"

#define PROBE_BYTES (256 * 1024) /* as much as LMDB writes at once */

struct lmdb {
	struct backend backend;
	struct lmdb_env e;
	struct os_lock *lock;
	struct store_meta meta; /* of the last commit; the committing thread's */
	uint64_t map_bytes;
	uint64_t file_bytes;
	uint64_t rows; /* the loop's copies, taken in settle */
};

static struct lmdb *lmdb_of(struct backend *b)
{
	return (struct lmdb *)b;
}

struct read_work {
	struct lmdb *l;
	const struct row_key *key;
	struct row_value *value; /* one of the two */
	struct row_chunk *chunk;
};

static enum err read_in_guard(void *context)
{
	struct read_work *w = context;
	MDB_txn *txn;
	int rc = mdb_txn_begin(w->l->e.env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return lmdb_error(rc, "read", "", NULL);
	enum err err = w->value != NULL ? lmdb_get(txn, w->l->e.dbi, w->key, w->value)
					: lmdb_chunk(txn, w->l->e.dbi, w->key, w->chunk);
	mdb_txn_abort(txn);
	return err;
}

static enum err backend_get(struct backend *b, const struct row_key *key, struct row_value *ret)
{
	struct read_work work = {lmdb_of(b), key, ret, NULL};
	return lmdb_env_run(&work.l->e, read_in_guard, &work);
}

static enum err backend_chunk(struct backend *b, const struct row_key *after, struct row_chunk *ret)
{
	struct read_work work = {lmdb_of(b), after, NULL, ret};
	return lmdb_env_run(&work.l->e, read_in_guard, &work);
}

/* Damage needs no text: the file is set aside. */
static enum err say_why(const struct lmdb *l, enum err err, struct err_info *info)
{
	if (err == ERR_OK || err == ERR_CORRUPT)
		return err;
	return err_set(info, err, "cannot read \"%s\": %s", l->e.data_path, err_text(err));
}

struct commit_work {
	struct lmdb *l;
	const struct row_set *batch;
	struct store_meta meta;
	struct err_info *info;
	int code; /* LMDB's, of the step that failed */
};

/* Keep count and digest of all rows. A damaged row leaves the digest unknown, as nobody can tell what it was
 * before. */
static enum err account(struct commit_work *w, MDB_txn *txn, const struct row *row)
{
	struct row_value old;
	enum err err = lmdb_get(txn, w->l->e.dbi, &row->key, &old);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return say_why(w->l, err, w->info);
	if (err == ERR_OK) {
		w->meta.rows--;
		if (row_check(&row->key, old.bytes, old.len) == ERR_OK)
			w->meta.digest -= row_checksum(old.bytes);
		else
			w->meta.digest_known = false;
	}
	if (row->len > 0) {
		w->meta.rows++;
		w->meta.digest += row_checksum(row->bytes);
	}
	return ERR_OK;
}

static enum err put_row(struct commit_work *w, MDB_txn *txn, const struct row_key *key, const uint8_t *bytes,
			size_t len)
{
	MDB_val k = {key->len, (void *)key->bytes}, v = {len, (void *)bytes};
	if (len > 0)
		w->code = mdb_put(txn, w->l->e.dbi, &k, &v, 0);
	else
		w->code = mdb_del(txn, w->l->e.dbi, &k, NULL);
	if (w->code == MDB_NOTFOUND)
		w->code = 0;
	return lmdb_error(w->code, "write", w->l->e.data_path, w->info);
}

static enum err commit_in_guard(void *context)
{
	struct commit_work *w = context;
	struct row_key meta_key = row_key_first(TABLE_META);
	struct row_value meta;
	MDB_txn *txn;
	w->code = mdb_txn_begin(w->l->e.env, NULL, 0, &txn);
	if (w->code != 0)
		return lmdb_error(w->code, "write", w->l->e.data_path, w->info);
	enum err err = ERR_OK;
	for (size_t i = 0; i < w->batch->count && err == ERR_OK; i++) {
		const struct row *row = w->batch->rows[i];
		err = account(w, txn, row);
		if (err == ERR_OK)
			err = put_row(w, txn, &row->key, row->bytes, row->len);
	}
	if (err == ERR_OK) {
		row_encode_meta(&meta_key, &w->meta, &meta);
		err = put_row(w, txn, &meta_key, meta.bytes, meta.len);
	}
	if (err != ERR_OK) {
		mdb_txn_abort(txn);
		return err;
	}
	w->code = mdb_txn_commit(txn);
	return lmdb_error(w->code, "write", w->l->e.data_path, w->info);
}

static enum err backend_commit(struct backend *b, const struct row_set *batch, wall_ms now,
			       struct err_info *info)
{
	struct lmdb *l = lmdb_of(b);
	struct commit_work work = {l, batch, l->meta, info, 0};
	work.meta.as_of = now;
	enum err err = lmdb_env_run(&l->e, commit_in_guard, &work);
	/* LMDB calls a write that the disk took only in part an I/O error; the next byte tells. */
	if (err == ERR_IO) {
		struct err_info probe;
		if (os_file_can_grow(l->e.data_path, PROBE_BYTES, &probe) == ERR_DISK_FULL)
			err = err_set(info, ERR_DISK_FULL, "%s", probe.text);
	}
	if (err == ERR_CORRUPT)
		err_set(info, err,
			"cannot write \"%s\": it is damaged; restart meshd, which sets it aside and fills a "
			"new one from its peers",
			l->e.data_path);
	if (err == ERR_OK)
		l->meta = work.meta;
	return err;
}

static void take_size(struct lmdb *l)
{
	uint8_t byte;
	size_t len;
	(void)os_file_peek(l->e.data_path, 0, &byte, 0, &len, &l->file_bytes, NULL);
	l->rows = l->meta.rows;
}

static void backend_settle(struct backend *b, enum err commit_result)
{
	struct lmdb *l = lmdb_of(b);
	/* Only here: no transaction of this process is open. */
	if (commit_result == ERR_LIMIT && mdb_env_set_mapsize(l->e.env, (size_t)(l->map_bytes * 2)) == 0)
		l->map_bytes *= 2;
	take_size(l);
}

static void backend_count(const struct backend *b, uint64_t *ret_rows, uint64_t *ret_file_bytes)
{
	const struct lmdb *l = (const struct lmdb *)b;
	*ret_rows = l->rows;
	*ret_file_bytes = l->file_bytes;
}

static void backend_close(struct backend *b)
{
	struct lmdb *l = lmdb_of(b);
	lmdb_env_close(&l->e);
	os_lock_release(l->lock);
	free(l);
}

/* Sum and number of the good rows of a table. */
static enum err sum_table(struct lmdb *l, enum store_table table, struct row_chunk *chunk,
			  struct store_meta *sum, bool *damaged)
{
	struct row_key at = row_key_first(table);
	const uint8_t *bytes;
	size_t len;
	do {
		enum err err = backend_chunk(&l->backend, &at, chunk);
		if (err != ERR_OK)
			return err;
		for (; row_chunk_peek(chunk, &at, &bytes, &len); row_chunk_take(chunk)) {
			sum->rows++;
			if (row_check(&at, bytes, len) == ERR_OK)
				sum->digest += row_checksum(bytes);
			else
				*damaged = true;
		}
	} while (!chunk->last);
	return ERR_OK;
}

/* Every row once, against the count and digest of the meta row: a page that was swapped for an older one
 * holds valid rows, and only the sum gives it away. */
static enum err verify(struct lmdb *l)
{
	struct store_meta sum = {0};
	bool damaged = false;
	struct row_chunk *chunk = malloc(sizeof(*chunk));
	enum err err = chunk != NULL ? ERR_OK : ERR_NOMEM;
	for (unsigned t = TABLE_RECORDS; t < TABLE_COUNT && err == ERR_OK; t++)
		err = sum_table(l, (enum store_table)t, chunk, &sum, &damaged);
	free(chunk);
	if (err != ERR_OK)
		return err;
	if (l->meta.digest_known && (sum.rows != l->meta.rows || (!damaged && sum.digest != l->meta.digest)))
		return ERR_CORRUPT;
	l->meta.rows = sum.rows;
	l->meta.digest = sum.digest;
	l->meta.digest_known = !damaged;
	return ERR_OK;
}

static enum err load_meta(struct lmdb *l, const struct id *estate, const struct id *self,
			  struct err_info *info)
{
	struct row_key key = row_key_first(TABLE_META);
	struct row_value row;
	enum err err = backend_get(&l->backend, &key, &row);
	if (err == ERR_OK && (row_check(&key, row.bytes, row.len) != ERR_OK ||
			      row_decode_meta(row.bytes, row.len, &l->meta) == ERR_FORMAT))
		return ERR_CORRUPT;
	if (err == ERR_OK && (row.bytes[8] != STORE_ROW_VERSION || l->meta.schema > STORE_SCHEMA))
		return err_set(info, ERR_VERSION,
			       "\"%s\" has schema %u, this program knows up to %u; install the newer mesh",
			       l->e.data_path, (unsigned)l->meta.schema, (unsigned)STORE_SCHEMA);
	if (err == ERR_OK && !id_equal(&l->meta.estate, estate))
		return err_set(info, ERR_ESTATE,
			       "\"%s\" holds another estate; move the folder away to start anew",
			       l->e.data_path);
	if (err == ERR_OK) {
		l->meta.self = *self;
		l->meta.schema = STORE_SCHEMA; /* older rows read as they are */
		return say_why(l, verify(l), info);
	}
	if (err != ERR_NOT_FOUND)
		return say_why(l, err, info);
	/* Rows without a meta row are damage, unless there are none: a file that was just made. */
	l->meta = (struct store_meta){
	    .schema = STORE_SCHEMA, .estate = *estate, .self = *self, .digest_known = true};
	err = say_why(l, verify(l), info);
	struct row_set none = {0};
	return err == ERR_OK ? backend_commit(&l->backend, &none, 0, info) : err;
}

/* One attempt: ERR_CORRUPT leaves everything closed but the lock. */
static enum err open_once(struct lmdb *l, const char *folder, uint64_t map_bytes, const struct id *estate,
			  const struct id *self, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	uint64_t size = 0;
	enum err err = os_path_join(path, sizeof(path), folder, STORE_DATA_FILE);
	if (err == ERR_OK && os_file_exists(path))
		err = lmdb_check_file(path, &size, info);
	if (err == ERR_OK && size > 0)
		err = lmdb_check_pages(path, size, info);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	while (map_bytes < size * 2)
		map_bytes *= 2;
	l->map_bytes = map_bytes;
	err = lmdb_env_open(&l->e, folder, map_bytes, 0, info);
	if (err != ERR_OK)
		return err;
	err = load_meta(l, estate, self, info);
	if (err == ERR_OK)
		take_size(l);
	else
		lmdb_env_close(&l->e);
	return err;
}

static enum err open_locked(struct lmdb *l, const char *folder, uint64_t map_bytes, const struct id *estate,
			    const struct id *self, bool *ret_set_aside, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	enum err err = open_once(l, folder, map_bytes, estate, self, info);
	bool aside = err == ERR_CORRUPT;
	if (aside) {
		err = os_path_join(path, sizeof(path), folder, STORE_DATA_FILE);
		if (err == ERR_OK)
			err = os_file_set_aside(path, NULL, 0, info);
		if (err == ERR_OK)
			err = open_once(l, folder, map_bytes, estate, self, info);
	}
	if (err == ERR_OK && ret_set_aside != NULL)
		*ret_set_aside = aside;
	return err;
}

enum err backend_lmdb_open(const char *folder, uint64_t map_bytes, const struct id *estate,
			   const struct id *self, struct backend **ret, bool *ret_set_aside,
			   struct err_info *info)
{
	static const struct backend_ops ops = {backend_get,    backend_chunk, backend_commit,
					       backend_settle, backend_count, backend_close};
	char path[LIMIT_PATH_BYTES];
	struct lmdb *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_set(info, ERR_NOMEM, "cannot open \"%s\": out of memory", folder);
	l->backend.ops = &ops;
	enum err err = os_dir_make(folder, 0750, info);
	if (err == ERR_OK)
		err = os_path_join(path, sizeof(path), folder, STORE_LOCK_FILE);
	if (err == ERR_OK)
		err = os_lock_take(path, &l->lock, info);
	if (err == ERR_OK)
		err = open_locked(l, folder, map_bytes, estate, self, ret_set_aside, info);
	if (err != ERR_OK) {
		os_lock_release(l->lock);
		free(l);
		return err;
	}
	*ret = &l->backend;
	return ERR_OK;
}
