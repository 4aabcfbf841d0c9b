/* Happy path: check the file, open it read-only, register as a reader, keep one read transaction, so that
 * every answer and its coverage see one state. Who may not write the lock file reads without registering;
 * then pages of the snapshot may be taken for new ones by the third commit after it, so the snapshot is given
 * up (ERR_BUSY) once a second one is seen (docs/decisions/0003-reading-without-a-lock.md). */
#include "store/snapshot.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "os/guard.h"
#include "store/lmdb_env.h"

#define DAMAGED_MAX 4096

struct snapshot {
	struct lmdb_env e;
	MDB_txn *txn;
	size_t commit; /* number of the last commit in it */
	bool unlocked;
	struct store_meta meta;
	struct numbers hosts; /* for scans of hosts' rows; loaded when first needed */
	bool hosts_loaded;
	struct row_set damaged; /* keys only */
	const void *lent;       /* the map, when blocks are read in place */
	size_t lent_bytes;
	atomic_bool faulted; /* the map was cut meanwhile */
};

static enum err begin_in_guard(void *context)
{
	struct snapshot *r = context;
	int rc = mdb_txn_begin(r->e.env, NULL, MDB_RDONLY, &r->txn);
	if (rc == 0)
		r->commit = mdb_txn_id(r->txn);
	return lmdb_error(rc, "read", r->e.data_path, NULL);
}

static enum err end_in_guard(void *context)
{
	struct snapshot *r = context;
	mdb_txn_abort(r->txn);
	return ERR_OK;
}

struct read_work {
	struct snapshot *r;
	const struct row_key *key;
	struct row_value *value; /* one of the two */
	struct row_chunk *chunk;
};

static bool overtaken(struct snapshot *r)
{
	MDB_envinfo now;
	return r->unlocked && (mdb_env_info(r->e.env, &now) != 0 || now.me_last_txnid - r->commit > 1);
}

static enum err read_in_guard(void *context)
{
	struct read_work *w = context;
	enum err err = w->value != NULL ? lmdb_get(w->r->txn, w->r->e.dbi, w->key, w->value)
					: lmdb_chunk(w->r->txn, w->r->e.dbi, &w->r->hosts, w->chunk);
	/* Whatever was read is void then, damage included. */
	return overtaken(w->r) ? ERR_BUSY : err;
}

static enum err load_meta(struct snapshot *r, struct err_info *info)
{
	struct row_key key = row_key_first(TABLE_META);
	struct row_value row;
	enum err err = snapshot_get(r, &key, &row);
	if (err == ERR_OK)
		err = row_decode_meta(row.bytes, row.len, &r->meta);
	if (err == ERR_OK && r->meta.schema > STORE_SCHEMA)
		err = ERR_VERSION;
	if (err == ERR_VERSION)
		return err_set(
		    info, err,
		    "\"%s\" was written by a newer meshd (this program knows schema %u); install the "
		    "newer mesh",
		    r->e.data_path, (unsigned)STORE_SCHEMA);
	if (err == ERR_OK && r->meta.migrating)
		return err_set(info, ERR_BUSY,
			       "\"%s\" is being converted to a newer layout by meshd; ask again in a minute "
			       "(or start meshd, if it is stopped)",
			       r->e.data_path);
	/* No replica is without one that can be read. */
	if (err == ERR_NOT_FOUND || err == ERR_FORMAT)
		err = ERR_CORRUPT;
	return snapshot_error(r, err, info);
}

static enum err denied(const char *folder, struct err_info *info)
{
	char group[64];
	if (os_file_group(folder, group, sizeof(group)) != ERR_OK)
		memcpy(group, "mesh", sizeof("mesh"));
	return err_set(
	    info, ERR_DENIED,
	    "may not read \"%s\": join the group \"%s\" (usermod -aG %s USER, then log in again), or "
	    "run as its owner",
	    folder, group, group);
}

static enum err open_env(struct snapshot *r, const char *folder, struct err_info *info)
{
	uint64_t size;
	char path[LIMIT_PATH_BYTES];
	enum err err = os_path_join(path, sizeof(path), folder, STORE_DATA_FILE);
	if (err == ERR_OK)
		err = lmdb_check_file(path, &size, info);
	if (err == ERR_NOT_FOUND)
		return err_set(
		    info, err,
		    "no replica in \"%s\": enrol this machine (mesh enroll) and start meshd, or name "
		    "its folder with --state",
		    folder);
	if (err == ERR_OK)
		err = lmdb_env_open(&r->e, folder, 0, MDB_RDONLY, info);
	/* No right or no room to enter among the readers: then without. */
	if (err == ERR_DENIED || err == ERR_DISK_FULL) {
		r->unlocked = true;
		err = lmdb_env_open(&r->e, folder, 0, MDB_RDONLY | MDB_NOLOCK, info);
	}
	return err == ERR_DENIED ? denied(folder, info) : err;
}

bool snapshot_maps(const struct snapshot *r, const void *bytes)
{
	return (uintptr_t)bytes - (uintptr_t)r->lent < r->lent_bytes;
}

/* Blocks are read in place where the map's pages stay what they are for as long as the snapshot is held. */
static enum err lend_in_guard(void *context)
{
	struct snapshot *r = context;
	const void *start;
	size_t bytes;
	enum err err = lmdb_map(&r->e, r->txn, &start, &bytes);
	if (err == ERR_OK && os_guard_lend(start, bytes, &r->faulted))
		r->lent = start;
	r->lent_bytes = r->lent != NULL ? bytes : 0;
	return err;
}

enum err snapshot_open(const char *state, struct snapshot **ret, struct err_info *info)
{
	char folder[LIMIT_PATH_BYTES];
	struct snapshot *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return err_set(info, ERR_NOMEM, "cannot open \"%s\": out of memory", state);
	enum err err = os_path_join(folder, sizeof(folder), state, STORE_FOLDER);
	if (err != ERR_OK)
		err_set(info, err, "the path \"%s\" is too long; choose a shorter one", state);
	else
		err = open_env(r, folder, info);
	if (err == ERR_OK) {
		err = lmdb_env_run(&r->e, begin_in_guard, r);
		err = err == ERR_OK ? load_meta(r, info) : snapshot_error(r, err, info);
		/* Without a lock pages are taken for others meanwhile. */
		if (err == ERR_OK && !r->unlocked)
			(void)lmdb_env_run(&r->e, lend_in_guard, r);
	}
	if (err != ERR_OK) {
		snapshot_close(r);
		return err;
	}
	*ret = r;
	return ERR_OK;
}

void snapshot_close(struct snapshot *r)
{
	if (r == NULL)
		return;
	if (r->lent != NULL)
		os_guard_take_back(r->lent);
	if (r->txn != NULL)
		(void)lmdb_env_run(&r->e, end_in_guard, r);
	lmdb_env_close(&r->e);
	row_set_clear(&r->damaged);
	numbers_clear(&r->hosts);
	free(r);
}

const struct store_meta *snapshot_meta(const struct snapshot *r)
{
	return &r->meta;
}

void snapshot_count_damaged(struct snapshot *r, const struct row_key *key)
{
	if (r->damaged.count < DAMAGED_MAX)
		(void)row_set_put(&r->damaged, key, NULL, 0);
}

uint64_t snapshot_damaged(const struct snapshot *r)
{
	return r->damaged.count;
}

static bool has_numbers(const struct snapshot *r)
{
	return r->meta.schema >= STORE_SCHEMA_BLOCKS;
}

enum err snapshot_get(struct snapshot *r, const struct row_key *key, struct row_value *ret)
{
	struct row_key stored = *key;
	struct id host;
	uint32_t number;
	if (has_numbers(r) && host_key_of(key, &host)) {
		enum err err = snapshot_number(r, &host, &number);
		if (err != ERR_OK)
			return err;
		stored = host_key_stored(key, number);
	}
	struct read_work work = {r, &stored, ret, NULL};
	enum err err = lmdb_env_run(&r->e, read_in_guard, &work);
	if (err == ERR_OK && row_check(key, ret->bytes, ret->len) != ERR_OK) {
		snapshot_count_damaged(r, key);
		return ERR_NOT_FOUND;
	}
	return err;
}

struct block_work {
	struct snapshot *r;
	struct row_key key;
	size_t prefix_len; /* 0: the key itself, else the next one behind it */
	struct snapshot_block *ret;
	uint8_t *copy;
};

/* Also the check: it is what touches the pages first. */
static enum err read_block_in_guard(void *context)
{
	struct block_work *w = context;
	MDB_val v;
	enum err err = w->prefix_len == 0
			   ? lmdb_get_place(w->r->txn, w->r->e.dbi, &w->key, &v)
			   : lmdb_next_place(w->r->txn, w->r->e.dbi, &w->key, w->prefix_len, &v);
	if (overtaken(w->r))
		return ERR_BUSY;
	if (err != ERR_OK)
		return err;
	const uint8_t *stored = v.mv_data;
	if (w->r->lent == NULL) {
		w->copy = malloc(v.mv_size + 1);
		if (w->copy == NULL)
			return ERR_NOMEM;
		memcpy(w->copy, v.mv_data, v.mv_size);
		stored = w->copy;
		if (overtaken(w->r))
			return ERR_BUSY;
	}
	w->ret->damaged = column_open_stored(&w->key, stored, v.mv_size, &w->ret->block) != ERR_OK;
	return ERR_OK;
}

static enum err read_block(struct block_work *w, struct snapshot_block *ret)
{
	struct snapshot_block b = {.damaged = true};
	w->ret = &b;
	w->copy = NULL;
	enum err err = lmdb_env_run(&w->r->e, read_block_in_guard, w);
	/* An impossible length is one block's damage. */
	if (err == ERR_LIMIT)
		err = ERR_OK;
	if (err != ERR_OK || b.damaged) {
		free(w->copy);
		w->copy = NULL;
	}
	if (err != ERR_OK)
		return err;
	if (b.damaged)
		snapshot_count_damaged(w->r, &w->key);
	b.bytes = w->copy;
	*ret = b;
	return ERR_OK;
}

enum err snapshot_block(struct snapshot *r, const struct row_key *key, struct snapshot_block *ret)
{
	struct block_work work = {.r = r, .key = *key};
	return read_block(&work, ret);
}

enum err snapshot_trusted(struct snapshot *r)
{
	if (atomic_load(&r->faulted))
		atomic_store(&r->e.broken, true);
	return atomic_load(&r->e.broken) ? ERR_CORRUPT : ERR_OK;
}

void snapshot_block_free(struct snapshot_block *b)
{
	free(b->bytes);
	b->bytes = NULL;
}

enum err snapshot_each_block(struct snapshot *r, const uint8_t *prefix, size_t prefix_len,
			     enum err (*take)(void *context, const struct row_key *key,
					      struct snapshot_block *taken),
			     void *context)
{
	struct block_work work = {.r = r, .prefix_len = prefix_len};
	CHECK(prefix_len >= 1 && row_key_of(prefix, prefix_len, &work.key) == ERR_OK);
	for (;;) {
		struct snapshot_block taken;
		enum err err = read_block(&work, &taken);
		if (err == ERR_OK)
			err = take(context, &work.key, &taken);
		if (err != ERR_OK)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
	}
}

enum err snapshot_number(struct snapshot *r, const struct id *host, uint32_t *ret)
{
	struct row_key key = row_key_id(TABLE_NUMBERS, host);
	struct row_value row;
	if (r->hosts_loaded)
		return numbers_find(&r->hosts, host, ret) ? ERR_OK : ERR_NOT_FOUND;
	enum err err = snapshot_get(r, &key, &row);
	if (err == ERR_OK && row_decode_number(row.bytes, row.len, ret) != ERR_OK)
		err = ERR_NOT_FOUND;
	return err;
}

static enum err load_hosts(struct snapshot *r)
{
	const uint8_t prefix[] = {TABLE_NUMBERS};
	struct snapshot_scan scan;
	struct row_key key;
	struct id id;
	const uint8_t *bytes;
	size_t len;
	uint32_t number;
	enum err err = snapshot_scan_open(r, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		if (key.len != 1 + ID_BYTES || row_decode_number(bytes, len, &number) != ERR_OK ||
		    number >= LIMIT_HOST_NUMBERS)
			continue;
		memcpy(id.b, key.bytes + 1, ID_BYTES);
		if (numbers_put(&r->hosts, &id, number) == ERR_NOMEM) {
			err = ERR_NOMEM;
			break;
		}
	}
	snapshot_scan_close(&scan);
	r->hosts_loaded = err == ERR_NOT_FOUND;
	return r->hosts_loaded ? ERR_OK : err;
}

/* Rows whose keys are stored with the host's number, and known by its id. What operators say is not. */
static bool are_numbered(const uint8_t *prefix, size_t prefix_len)
{
	if (prefix[0] != TABLE_RECORDS)
		return prefix[0] == TABLE_HOST_STATES;
	return prefix_len < 2 || record_class_of(prefix[1]) == RECORD_CLASS_HOST;
}

enum err snapshot_scan_open(struct snapshot *r, const uint8_t *prefix, size_t prefix_len,
			    struct snapshot_scan *ret)
{
	struct snapshot_scan scan = {.snapshot = r, .prefix_len = prefix_len};
	CHECK(prefix_len >= 1 && row_key_of(prefix, prefix_len, &scan.at) == ERR_OK);
	bool of_hosts = are_numbered(prefix, prefix_len);
	/* Behind the first two bytes their stored keys are others than those asked with. */
	CHECK(!of_hosts || prefix_len <= 2);
	enum err err = of_hosts && has_numbers(r) && !r->hosts_loaded ? load_hosts(r) : ERR_OK;
	if (err != ERR_OK)
		return err;
	scan.chunk = malloc(sizeof(*scan.chunk));
	if (scan.chunk == NULL)
		return ERR_NOMEM;
	row_chunk_begin(scan.chunk, &scan.at);
	*ret = scan;
	return ERR_OK;
}

enum err snapshot_scan_next(struct snapshot_scan *scan, struct row_key *ret_key, const uint8_t **ret_bytes,
			    size_t *ret_len)
{
	for (;;) {
		if (!row_chunk_peek(scan->chunk, ret_key, ret_bytes, ret_len)) {
			if (scan->chunk->last)
				return ERR_NOT_FOUND;
			struct read_work work = {scan->snapshot, NULL, NULL, scan->chunk};
			enum err err = lmdb_env_run(&scan->snapshot->e, read_in_guard, &work);
			if (err != ERR_OK)
				return err;
			continue;
		}
		if (memcmp(ret_key->bytes, scan->at.bytes, scan->prefix_len) != 0)
			return ERR_NOT_FOUND;
		row_chunk_take(scan->chunk);
		if (row_check(ret_key, *ret_bytes, *ret_len) == ERR_OK)
			return ERR_OK;
		snapshot_count_damaged(scan->snapshot, ret_key);
	}
}

void snapshot_scan_close(struct snapshot_scan *scan)
{
	free(scan->chunk);
	scan->chunk = NULL;
}

enum err snapshot_error(const struct snapshot *r, enum err err, struct err_info *info)
{
	switch (err) {
	case ERR_OK:
		return ERR_OK;
	case ERR_CORRUPT:
		return err_set(
		    info, err,
		    "\"%s\" is damaged: restart meshd, which sets it aside and fills a new one from "
		    "its peers; meanwhile ask another host",
		    r->e.data_path);
	case ERR_VERSION:
		return err_set(
		    info, err,
		    "\"%s\" was written by an older meshd: start the new meshd once, which converts it",
		    r->e.data_path);
	case ERR_BUSY:
		return err_set(info, err,
			       "\"%s\" changed while it was read, and its lock file may not be written; ask "
			       "again",
			       r->e.data_path);
	case ERR_NOMEM:
		return err_set(info, err, "out of memory while reading \"%s\"", r->e.data_path);
	default:
		return err_set(info, err, "cannot read \"%s\": %s", r->e.data_path, err_text(err));
	}
}
