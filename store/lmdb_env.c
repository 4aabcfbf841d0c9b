#include "store/lmdb_env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "os/guard.h"

/* A meta page of LMDB 0.9 with 64-bit pages, in the machine's order: page header 16, magic 4, version 4,
 * address 8, map size 8, two tables of 48 (page size in the first one's first 4, flags in the next 2), last
 * page 8, transaction 8. */
#define META_BYTES         152
#define META_MAGIC         16
#define META_VERSION       20
#define META_PAGE_BYTES    40
#define META_FREE_FLAGS    44
#define META_MAIN_FLAGS    92
#define META_LAST_PAGE     136
#define META_TRANSACTION   144
#define META_MAGIC_VALUE   0xBEEFC0DEu
#define META_VERSION_VALUE 1
#define META_FREE_VALUE    8 /* integer keys; the others would map the file elsewhere or write it unsynced */
#define FIRST_PAGE_MIN     4096
#define FIRST_PAGE_MAX     65536
#define MAP_PAGE_BYTES     4096u /* which a map begins with a multiple of */
#define CHECK_ATTEMPTS     5

/* Of LMDB's own lock file, with its default of 126 readers. */
#define LOCK_FILE       "lock.mdb"
#define LOCK_FILE_BYTES 8192
/* Both are for the group that may ask, whatever the umask of who starts the node. */
#define FILE_MODE 0640

static uint32_t field_u32(const uint8_t *meta, size_t offset)
{
	uint32_t v;
	memcpy(&v, meta + offset, sizeof(v));
	return v;
}

static uint64_t field_u64(const uint8_t *meta, size_t offset)
{
	uint64_t v;
	memcpy(&v, meta + offset, sizeof(v));
	return v;
}

static const char *meta_fault(const uint8_t *meta, uint32_t page_bytes, uint64_t size)
{
	uint16_t free_flags, main_flags;
	memcpy(&free_flags, meta + META_FREE_FLAGS, 2);
	memcpy(&main_flags, meta + META_MAIN_FLAGS, 2);
	if (field_u32(meta, META_MAGIC) != META_MAGIC_VALUE ||
	    field_u32(meta, META_VERSION) != META_VERSION_VALUE)
		return "its first pages are none of LMDB's";
	if (field_u32(meta, META_PAGE_BYTES) != page_bytes || free_flags != META_FREE_VALUE ||
	    main_flags != 0)
		return "its first pages are damaged";
	if (field_u64(meta, META_LAST_PAGE) >= size / page_bytes)
		return "it is shorter than its first page says";
	return NULL;
}

/* Commits take turns: even ones are noted in page 0, odd ones in page 1. A damaged number would bring an old
 * state back. */
static const char *turn_fault(const uint8_t *meta0, const uint8_t *meta1)
{
	uint64_t even = field_u64(meta0, META_TRANSACTION), odd = field_u64(meta1, META_TRANSACTION);
	if (even == 0 && odd == 0)
		return NULL;
	bool turns = even % 2 == 0 && odd % 2 == 1 && (even - odd == 1 || odd - even == 1);
	return turns ? NULL : "its first pages are damaged";
}

static enum err check_once(const char *path, uint64_t *ret_size, const char **ret_fault,
			   struct err_info *info)
{
	uint8_t meta[2][META_BYTES];
	size_t len;
	enum err err = os_file_peek(path, 0, meta[0], META_BYTES, &len, ret_size, info);
	if (err != ERR_OK)
		return err;
	if (*ret_size == 0)
		return err_set(info, ERR_NOT_FOUND, "\"%s\" is empty", path);
	*ret_fault = "it is shorter than its first pages";
	if (len != META_BYTES)
		return ERR_OK;
	uint32_t page_bytes = field_u32(meta[0], META_PAGE_BYTES);
	*ret_fault = "its first pages are damaged";
	if (page_bytes < FIRST_PAGE_MIN || page_bytes > FIRST_PAGE_MAX ||
	    (page_bytes & (page_bytes - 1)) != 0)
		return ERR_OK;
	err = os_file_peek(path, page_bytes, meta[1], META_BYTES, &len, ret_size, info);
	if (err != ERR_OK)
		return err;
	*ret_fault = len == META_BYTES ? NULL : "it is shorter than its first pages";
	for (size_t i = 0; i < 2 && *ret_fault == NULL; i++)
		*ret_fault = meta_fault(meta[i], page_bytes, *ret_size);
	if (*ret_fault == NULL)
		*ret_fault = turn_fault(meta[0], meta[1]);
	return ERR_OK;
}

enum err lmdb_check_file(const char *path, uint64_t *ret_size, struct err_info *info)
{
	const char *fault = NULL;
	uint64_t size = 0;
	/* A commit of another process may fall between the two reads. */
	for (int attempt = 0; attempt < CHECK_ATTEMPTS && (attempt == 0 || fault != NULL); attempt++) {
		enum err err = check_once(path, &size, &fault, info);
		if (err != ERR_OK)
			return err;
	}
	if (fault != NULL)
		return err_set(info, ERR_CORRUPT, "\"%s\" is damaged: %s", path, fault);
	*ret_size = size;
	return ERR_OK;
}

/* LMDB would print and abort. */
static void on_assert(MDB_env *env, const char *message)
{
	(void)env;
	(void)message;
	os_guard_leave();
}

struct open_work {
	struct lmdb_env *e;
	const char *folder;
	unsigned flags;
	struct err_info *info;
};

/* A writer that was killed between its last write and the note of it in the lock file leaves that note one
 * commit behind for as long as a reader keeps the lock file alive. Readers live with it; who writes on from
 * what it read would mix two states. LMDB mends the note when the next writer takes the lock. */
static int take_over(MDB_env *env)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	return rc;
}

static enum err open_in_guard(void *context)
{
	struct open_work *w = context;
	MDB_txn *txn = NULL;
	int rc = mdb_env_open(w->e->env, w->folder, w->flags, FILE_MODE);
	if (rc == 0)
		rc = mdb_txn_begin(w->e->env, NULL, MDB_RDONLY, &txn);
	if (rc == MDB_MAP_RESIZED) {
		rc = mdb_env_set_mapsize(w->e->env, 0);
		if (rc == 0)
			rc = mdb_txn_begin(w->e->env, NULL, MDB_RDONLY, &txn);
	}
	if (rc == 0)
		rc = mdb_dbi_open(txn, NULL, 0, &w->e->dbi);
	/* Committed, or the handle would not be kept. */
	if (rc == 0)
		rc = mdb_txn_commit(txn);
	else if (txn != NULL)
		mdb_txn_abort(txn);
	if (rc == 0 && (w->flags & MDB_RDONLY) == 0)
		rc = take_over(w->e->env);
	if (rc == 0 && (w->flags & MDB_NOLOCK) == 0) {
		int dead = 0;
		rc = mdb_reader_check(w->e->env, &dead);
	}
	return lmdb_error(rc, "open", w->e->data_path, w->info);
}

/* LMDB maps its lock file without asking for room: on a full disk that is a fault, which would pass for
 * damage of the replica. Other errors are told by LMDB itself. */
static enum err reserve_lock(const char *folder, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	struct err_info why = {0};
	enum err err = os_path_join(path, sizeof(path), folder, LOCK_FILE);
	if (err != ERR_OK || os_file_reserve(path, LOCK_FILE_BYTES, FILE_MODE, &why) != ERR_DISK_FULL)
		return err;
	return err_set(info, ERR_DISK_FULL, "%s", why.text);
}

enum err lmdb_env_open(struct lmdb_env *e, const char *folder, uint64_t map_bytes, unsigned flags,
		       struct err_info *info)
{
	*e = (struct lmdb_env){0};
	enum err err = os_path_join(e->data_path, sizeof(e->data_path), folder, STORE_DATA_FILE);
	if (err == ERR_OK)
		err = os_guard_install(info);
	if (err == ERR_OK && (flags & MDB_NOLOCK) == 0)
		err = reserve_lock(folder, info);
	if (err == ERR_OK && (flags & MDB_RDONLY) == 0)
		err = os_file_reserve(e->data_path, 0, FILE_MODE, info);
	if (err != ERR_OK)
		return err;
	int rc = mdb_env_create(&e->env);
	if (rc == 0)
		rc = mdb_env_set_assert(e->env, on_assert);
	if (rc == 0 && map_bytes > 0)
		rc = mdb_env_set_mapsize(e->env, (size_t)map_bytes);
	err = lmdb_error(rc, "open", e->data_path, info);
	struct open_work work = {e, folder, flags, info};
	if (err == ERR_OK)
		err = lmdb_env_run(e, open_in_guard, &work);
	if (err == ERR_OK)
		return ERR_OK;
	if (err == ERR_CORRUPT)
		err_set(info, err, "cannot open \"%s\": it is damaged; restart meshd, which sets it aside",
			e->data_path);
	lmdb_env_close(e);
	return err;
}

static enum err close_in_guard(void *context)
{
	struct lmdb_env *e = context;
	mdb_env_close(e->env);
	return ERR_OK;
}

void lmdb_env_close(struct lmdb_env *e)
{
	if (e->env == NULL)
		return;
	/* After a fault its inner state is not to be relied on; what is left open then ends with the process.
	 */
	(void)os_guard_run(close_in_guard, e);
	e->env = NULL;
}

enum err lmdb_env_run(struct lmdb_env *e, enum err (*work)(void *context), void *context)
{
	if (atomic_load(&e->broken))
		return ERR_CORRUPT;
	enum err err = os_guard_run(work, context);
	if (err == ERR_CORRUPT)
		atomic_store(&e->broken, true);
	return err;
}

enum err lmdb_get(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, struct row_value *ret)
{
	MDB_val k = {key->len, (void *)key->bytes}, v;
	int rc = mdb_get(txn, dbi, &k, &v);
	if (rc != 0)
		return lmdb_error(rc, "read", "", NULL);
	/* An impossible length is one row's damage: it comes out as a row that fails its checksum. */
	ret->len = v.mv_size <= ROW_BYTES ? v.mv_size : 0;
	memcpy(ret->bytes, v.mv_data, ret->len);
	return ERR_OK;
}

enum err lmdb_get_place(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, MDB_val *ret)
{
	MDB_val k = {key->len, (void *)key->bytes};
	enum err err = lmdb_error(mdb_get(txn, dbi, &k, ret), "read", "", NULL);
	return err == ERR_OK && ret->mv_size > LIMIT_BLOCK_BYTES ? ERR_LIMIT : err;
}

enum err lmdb_next_place(MDB_txn *txn, MDB_dbi dbi, struct row_key *key, size_t prefix_len, MDB_val *ret)
{
	MDB_cursor *cursor;
	struct row_key found;
	MDB_val k = {key->len, (void *)key->bytes};
	int rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", "", NULL);
	rc = mdb_cursor_get(cursor, &k, ret, MDB_SET_RANGE);
	if (rc == 0 && k.mv_size == key->len && memcmp(k.mv_data, key->bytes, key->len) == 0)
		rc = mdb_cursor_get(cursor, &k, ret, MDB_NEXT);
	mdb_cursor_close(cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", "", NULL);
	if (row_key_of(k.mv_data, k.mv_size, &found) != ERR_OK || row_key_compare(&found, key) <= 0)
		return ERR_CORRUPT;
	if (found.len < prefix_len || memcmp(found.bytes, key->bytes, prefix_len) != 0)
		return ERR_NOT_FOUND;
	*key = found;
	return ret->mv_size > LIMIT_BLOCK_BYTES ? ERR_LIMIT : ERR_OK;
}

static enum err copy_value(const struct row_key *key, const MDB_val *v, struct lmdb_value *ret)
{
	/* Kept where the caller finds it even if the copy faults. */
	ret->bytes = malloc(1 + key->len + v->mv_size);
	if (ret->bytes == NULL)
		return ERR_NOMEM;
	ret->bytes[0] = (uint8_t)key->len;
	memcpy(ret->bytes + 1, key->bytes, key->len);
	ret->prefix_bytes = 1 + key->len;
	ret->len = v->mv_size;
	memcpy(ret->bytes + ret->prefix_bytes, v->mv_data, v->mv_size);
	return ERR_OK;
}

enum err lmdb_get_value(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, struct lmdb_value *ret)
{
	MDB_val v;
	enum err err = lmdb_get_place(txn, dbi, key, &v);
	return err == ERR_OK ? copy_value(key, &v, ret) : err;
}

enum err lmdb_next_value(MDB_txn *txn, MDB_dbi dbi, struct row_key *key, size_t prefix_len,
			 struct lmdb_value *ret)
{
	MDB_val v;
	enum err err = lmdb_next_place(txn, dbi, key, prefix_len, &v);
	return err == ERR_OK ? copy_value(key, &v, ret) : err;
}

/* LMDB does not say. But the page of a small value begins with its number. */
enum err lmdb_map(const struct lmdb_env *e, MDB_txn *txn, const void **ret_start, size_t *ret_bytes)
{
	struct row_key key = row_key_first(TABLE_META);
	MDB_envinfo info;
	MDB_stat stat;
	MDB_val v;
	enum err err = lmdb_get_place(txn, e->dbi, &key, &v);
	if (err != ERR_OK)
		return err;
	if (mdb_env_info(e->env, &info) != 0 || mdb_stat(txn, e->dbi, &stat) != 0 ||
	    stat.ms_psize != MAP_PAGE_BYTES)
		return ERR_UNSUPPORTED;
	uintptr_t page = (uintptr_t)v.mv_data & ~(uintptr_t)(MAP_PAGE_BYTES - 1);
	uint64_t number;
	memcpy(&number, (const void *)page, sizeof(number));
	if (number > info.me_last_pgno || number > page / MAP_PAGE_BYTES)
		return ERR_UNSUPPORTED;
	const uint8_t *start = (const uint8_t *)(page - number * MAP_PAGE_BYTES);
	if (field_u32(start, META_MAGIC) != META_MAGIC_VALUE)
		return ERR_UNSUPPORTED;
	*ret_start = start;
	*ret_bytes = info.me_mapsize;
	return ERR_OK;
}

/* Also ends a walk through pages that point back at each other: keys must ascend. */
static enum err take_rows(MDB_cursor *cursor, const struct numbers *hosts, struct row_chunk *ret)
{
	struct row_key key, known;
	uint32_t number;
	MDB_val k = {ret->at.len, ret->at.bytes}, v;
	int rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	if (rc == 0 && k.mv_size == ret->at.len && memcmp(k.mv_data, ret->at.bytes, ret->at.len) == 0)
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	for (; rc == 0; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK || row_key_compare(&key, &ret->at) <= 0)
			return ERR_CORRUPT;
		if (key.bytes[0] != ret->at.bytes[0]) {
			ret->last = true;
			return ERR_OK;
		}
		bool numbered = host_key_number(&key, &number);
		if (!host_key_is_fence(&key) &&
		    host_key_known(&key, numbered ? numbers_id(hosts, number) : NULL, &known) == ERR_OK &&
		    !row_chunk_push(ret, &known, v.mv_data, v.mv_size <= ROW_BYTES ? v.mv_size : 0))
			return ERR_OK;
		ret->at = key;
	}
	ret->last = rc == MDB_NOTFOUND;
	return ret->last ? ERR_OK : lmdb_error(rc, "read", "", NULL);
}

enum err lmdb_chunk(MDB_txn *txn, MDB_dbi dbi, const struct numbers *hosts, struct row_chunk *ret)
{
	MDB_cursor *cursor;
	int rc = mdb_cursor_open(txn, dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", "", NULL);
	row_chunk_reset(ret);
	enum err err = take_rows(cursor, hosts, ret);
	mdb_cursor_close(cursor);
	return err;
}
