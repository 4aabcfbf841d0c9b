/* What the writing backend and the read-only snapshot share of LMDB: opening with distrust, guarded access,
 * error codes. LMDB has no checksums and trusts its file, so every touch of the map runs guarded, and after
 * the first structural damage an environment answers ERR_CORRUPT to everything. */
#ifndef MESH_STORE_LMDB_ENV_H
#define MESH_STORE_LMDB_ENV_H

#include <lmdb.h>
#include <stdatomic.h>

#include "base/limits.h"
#include "store/host_key.h"
#include "store/row.h"

/* The one place where LMDB's codes and the system's become ours. `verb` and `path` are for the text. */
enum err lmdb_error(int code, const char *verb, const char *path, struct err_info *info);

/* Before anything is mapped: both meta pages are this project's and claim no more than the file holds.
 * ERR_NOT_FOUND (none, or empty), ERR_CORRUPT, ERR_DENIED, ERR_IO. */
enum err lmdb_check_file(const char *path, uint64_t *ret_size, struct err_info *info);

struct lmdb_env {
	MDB_env *env;
	MDB_dbi dbi;
	atomic_bool broken;
	char data_path[LIMIT_PATH_BYTES];
};

/* `flags` of mdb_env_open. On failure nothing is left open. */
enum err lmdb_env_open(struct lmdb_env *e, const char *folder, uint64_t map_bytes, unsigned flags,
		       struct err_info *info);
void lmdb_env_close(struct lmdb_env *e);

/* Guarded run; a fault or an error that tells of damage marks the environment broken. */
enum err lmdb_env_run(struct lmdb_env *e, enum err (*work)(void *context), void *context);

/* Unguarded parts, to be called from within lmdb_env_run. */
enum err lmdb_get(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, struct row_value *ret);
/* A value of any size, behind its key's length and the key, as column_open wants it. Into ret->bytes,
 * malloc'd, which the caller frees also after a failure or a fault; it must be NULL before. ERR_LIMIT for one
 * that is longer than any block: damage. */
struct lmdb_value {
	uint8_t *bytes;
	size_t prefix_bytes, len;
};
enum err lmdb_get_value(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, struct lmdb_value *ret);
/* The first row after `key` whose key starts with the same `prefix_len` bytes; `key` becomes its key. */
enum err lmdb_next_value(MDB_txn *txn, MDB_dbi dbi, struct row_key *key, size_t prefix_len,
			 struct lmdb_value *ret);
/* As these two, but where the value stands in the map, for as long as the transaction. */
enum err lmdb_get_place(MDB_txn *txn, MDB_dbi dbi, const struct row_key *key, MDB_val *ret);
enum err lmdb_next_place(MDB_txn *txn, MDB_dbi dbi, struct row_key *key, size_t prefix_len, MDB_val *ret);
/* Where the map begins. ERR_UNSUPPORTED when that cannot be told. */
enum err lmdb_map(const struct lmdb_env *e, MDB_txn *txn, const void **ret_start, size_t *ret_bytes);
/* Behind ret->at. Keys of hosts' rows come with the ids that `hosts` knows; others of them are left out. */
enum err lmdb_chunk(MDB_txn *txn, MDB_dbi dbi, const struct numbers *hosts, struct row_chunk *ret);

#endif
