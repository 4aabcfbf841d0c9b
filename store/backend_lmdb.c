/* The replica on disk. One thread commits while the loop's thread reads; each read has its own short
 * transaction. What is found damaged at open is set aside; what is found damaged later answers ERR_CORRUPT
 * until the next open. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "store/lmdb_backend.h"
#include "store/lmdb_pages.h"

static struct lmdb *lmdb_of(struct backend *b)
{
	return (struct lmdb *)b;
}

struct read_work {
	struct lmdb *l;
	const struct row_key *key; /* stored */
	struct row_value *value;   /* one of the two */
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
					: lmdb_chunk(txn, w->l->e.dbi, &w->l->hosts, w->chunk);
	mdb_txn_abort(txn);
	return err;
}

/* A number that the running commit has just allotted leads to no row yet: the caller has it in its batch. */
static enum err backend_get(struct backend *b, const struct row_key *key, struct row_value *ret)
{
	struct lmdb *l = lmdb_of(b);
	struct row_key stored = *key;
	struct id host;
	uint32_t number;
	if (host_key_of(key, &host)) {
		mtx_lock(&l->hosts_lock);
		bool known = numbers_find(&l->hosts, &host, &number);
		mtx_unlock(&l->hosts_lock);
		if (!known)
			return atomic_load(&l->e.broken) ? ERR_CORRUPT : ERR_NOT_FOUND;
		stored = host_key_stored(key, number);
	}
	struct read_work work = {l, &stored, ret, NULL};
	return lmdb_env_run(&l->e, read_in_guard, &work);
}

static enum err backend_chunk(struct backend *b, struct row_chunk *ret)
{
	struct lmdb *l = lmdb_of(b);
	struct read_work work = {l, NULL, NULL, ret};
	mtx_lock(&l->hosts_lock);
	enum err err = lmdb_env_run(&l->e, read_in_guard, &work);
	mtx_unlock(&l->hosts_lock);
	return err;
}

static enum err backend_commit(struct backend *b, const struct row_set *batch, wall_ms now,
			       struct err_info *info)
{
	return lmdb_commit(lmdb_of(b), batch, now, info);
}

static void take_counts(struct lmdb *l)
{
	uint8_t byte;
	size_t len;
	(void)os_file_peek(l->e.data_path, 0, &byte, 0, &len, &l->count.file_bytes, NULL);
	l->count.rows = l->data_rows;
	l->count.work = l->total;
	l->count.written_bytes = l->written_bytes;
	l->count.reader = l->reader;
}

enum err lmdb_grow_map(struct lmdb *l)
{
	int rc = mdb_env_set_mapsize(l->e.env, (size_t)(l->map_bytes * 2));
	if (rc == 0)
		l->map_bytes *= 2;
	return lmdb_error(rc, "write", l->e.data_path, NULL);
}

static void backend_settle(struct backend *b, enum err commit_result)
{
	struct lmdb *l = lmdb_of(b);
	/* Only here: no transaction of this process is open. */
	if (commit_result == ERR_LIMIT)
		(void)lmdb_grow_map(l);
	take_counts(l);
}

static void backend_count(const struct backend *b, struct backend_count *ret)
{
	*ret = ((const struct lmdb *)b)->count;
}

static void free_tables(struct lmdb *l)
{
	numbers_clear(&l->hosts);
	lmdb_index_clear(&l->index);
	lmdb_counts_clear(&l->counts);
}

static void backend_close(struct backend *b)
{
	struct lmdb *l = lmdb_of(b);
	lmdb_env_close(&l->e);
	os_lock_release(l->lock);
	free_tables(l);
	mtx_destroy(&l->hosts_lock);
	free(l);
}

/* Damage needs no text: the file is set aside. */
static enum err say_why(const struct lmdb *l, enum err err, struct err_info *info)
{
	if (err == ERR_OK || err == ERR_CORRUPT)
		return err;
	return err_set(info, err, "cannot read \"%s\": %s", l->e.data_path, err_text(err));
}

struct opening {
	const char *folder;
	uint64_t map_bytes;
	const struct id *estate, *self;
	const struct store_progress *progress;
	struct err_info *info;
};

static enum err take_meta(struct lmdb *l, const struct opening *o)
{
	if (!id_equal(&l->meta.estate, o->estate))
		return err_set(o->info, ERR_ESTATE,
			       "\"%s\" holds another estate; move the folder away to start anew",
			       l->e.data_path);
	l->meta.self = *o->self;
	enum err err = say_why(l, lmdb_verify(l), o->info);
	if (err == ERR_OK && (l->meta.schema < STORE_SCHEMA || l->meta.migrating))
		err = lmdb_migrate(l, o->progress, o->info);
	return err;
}

static enum err load_meta(struct lmdb *l, const struct opening *o)
{
	struct row_key key = row_key_first(TABLE_META);
	struct row_value row;
	enum err err = backend_get(&l->backend, &key, &row);
	if (err == ERR_OK && (row_check(&key, row.bytes, row.len) != ERR_OK ||
			      row_decode_meta(row.bytes, row.len, &l->meta) == ERR_FORMAT))
		return ERR_CORRUPT;
	if (err == ERR_OK && (row.bytes[8] != STORE_ROW_VERSION || l->meta.schema > STORE_SCHEMA))
		return err_set(o->info, ERR_VERSION,
			       "\"%s\" has schema %u, this program knows up to %u; install the newer mesh",
			       l->e.data_path, (unsigned)l->meta.schema, (unsigned)STORE_SCHEMA);
	if (err == ERR_OK)
		return take_meta(l, o);
	if (err != ERR_NOT_FOUND)
		return say_why(l, err, o->info);
	/* Rows without a meta row are damage, unless there are none: a file that was just made. */
	l->meta = (struct store_meta){
	    .schema = STORE_SCHEMA, .estate = *o->estate, .self = *o->self, .digest_known = true};
	err = say_why(l, lmdb_verify(l), o->info);
	struct row_set none = {0};
	return err == ERR_OK ? lmdb_commit_with(l, &none, 0, lmdb_put_fences, NULL, o->info) : err;
}

/* One attempt: ERR_CORRUPT leaves everything closed but the lock. */
static enum err open_once(struct lmdb *l, const struct opening *o)
{
	char path[LIMIT_PATH_BYTES];
	uint64_t size = 0, map_bytes = o->map_bytes;
	enum err err = os_path_join(path, sizeof(path), o->folder, STORE_DATA_FILE);
	if (err == ERR_OK && os_file_exists(path))
		err = lmdb_check_file(path, &size, o->info);
	if (err == ERR_OK && size > 0)
		err = lmdb_check_pages(path, size, o->info);
	if (err != ERR_OK && err != ERR_NOT_FOUND)
		return err;
	while (map_bytes < size * 2)
		map_bytes *= 2;
	l->map_bytes = map_bytes;
	l->room_bytes = 0;
	err = lmdb_env_open(&l->e, o->folder, map_bytes, 0, o->info);
	if (err != ERR_OK)
		return err;
	err = load_meta(l, o);
	if (err == ERR_OK) {
		take_counts(l);
	} else {
		lmdb_env_close(&l->e);
		free_tables(l);
	}
	return err;
}

static enum err open_locked(struct lmdb *l, const struct opening *o, bool *ret_set_aside)
{
	char path[LIMIT_PATH_BYTES];
	enum err err = open_once(l, o);
	bool aside = err == ERR_CORRUPT;
	if (aside) {
		err = os_path_join(path, sizeof(path), o->folder, STORE_DATA_FILE);
		if (err == ERR_OK)
			err = os_file_set_aside(path, NULL, 0, o->info);
		l->repair = 0;
		l->stale = false;
		if (err == ERR_OK)
			err = open_once(l, o);
	}
	if (err == ERR_OK && ret_set_aside != NULL)
		*ret_set_aside = aside;
	return err;
}

enum err backend_lmdb_open(const char *folder, uint64_t map_bytes, const struct id *estate,
			   const struct id *self, const struct store_progress *progress, struct backend **ret,
			   bool *ret_set_aside, struct err_info *info)
{
	static const struct backend_ops ops = {backend_get,    backend_chunk, backend_commit,
					       backend_settle, backend_count, backend_close};
	const struct opening o = {folder, map_bytes, estate, self, progress, info};
	char path[LIMIT_PATH_BYTES];
	struct lmdb *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return err_set(info, ERR_NOMEM, "cannot open \"%s\": out of memory", folder);
	l->backend.ops = &ops;
	l->history_bytes = LIMIT_HISTORY_BYTES;
	CHECK(mtx_init(&l->hosts_lock, mtx_plain) == thrd_success);
	enum err err = os_dir_make(folder, 0750, info);
	if (err == ERR_OK)
		err = os_path_join(path, sizeof(path), folder, STORE_LOCK_FILE);
	if (err == ERR_OK)
		err = os_lock_take(path, &l->lock, info);
	if (err == ERR_OK)
		err = open_locked(l, &o, ret_set_aside);
	if (err != ERR_OK) {
		os_lock_release(l->lock);
		mtx_destroy(&l->hosts_lock);
		free(l);
		return err;
	}
	*ret = &l->backend;
	return ERR_OK;
}
