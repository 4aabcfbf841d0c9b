#include "tests/faults/calls.h"

#include <errno.h>
#include <lmdb.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

/* The linker's replacements have no context to keep this in. */
static struct {
	bool armed;
	uint64_t count, fails;
	const char *failed;
	sqlite3_mem_methods sqlite;
} calls;

static bool fails(const char *name)
{
	if (!calls.armed || ++calls.count != calls.fails)
		return false;
	calls.failed = name;
	return true;
}

void calls_arm(uint64_t number)
{
	calls.armed = true;
	calls.count = 0;
	calls.fails = number;
	calls.failed = NULL;
}

uint64_t calls_disarm(void)
{
	calls.armed = false;
	return calls.count;
}

const char *calls_failed(void)
{
	return calls.failed;
}

/* --- allocations --- */

void *__real_malloc(size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_malloc(size_t len)
{
	return fails("malloc") ? NULL : __real_malloc(len);
}

void *__real_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_calloc(size_t count, size_t len)
{
	return fails("calloc") ? NULL : __real_calloc(count, len);
}

void *__real_realloc(void *old, size_t len);
void *__wrap_realloc(void *old, size_t len);
void *__wrap_realloc(void *old, size_t len)
{
	return fails("realloc") ? NULL : __real_realloc(old, len);
}

static void *sqlite_malloc(int len)
{
	return fails("SQLite's malloc") ? NULL : calls.sqlite.xMalloc(len);
}

static void *sqlite_realloc(void *old, int len)
{
	return fails("SQLite's realloc") ? NULL : calls.sqlite.xRealloc(old, len);
}

bool calls_begin(void)
{
	sqlite3_mem_methods counted;
	if (sqlite3_config(SQLITE_CONFIG_GETMALLOC, &calls.sqlite) != SQLITE_OK)
		return false;
	counted = calls.sqlite;
	counted.xMalloc = sqlite_malloc;
	counted.xRealloc = sqlite_realloc;
	return sqlite3_config(SQLITE_CONFIG_MALLOC, &counted) == SQLITE_OK;
}

/* --- LMDB --- */

#define WRAP(name, code, parameters, arguments)                                                              \
	int __real_##name parameters;                                                                        \
	int __wrap_##name parameters;                                                                        \
	int __wrap_##name parameters                                                                         \
	{                                                                                                    \
		return fails(#name) ? (code) : __real_##name arguments;                                      \
	}

WRAP(mdb_env_create, ENOMEM, (MDB_env * *env), (env))
WRAP(mdb_env_set_assert, EINVAL, (MDB_env * env, MDB_assert_func *call), (env, call))
WRAP(mdb_env_set_mapsize, ENOMEM, (MDB_env * env, size_t size), (env, size))
WRAP(mdb_env_info, EINVAL, (MDB_env * env, MDB_envinfo *ret), (env, ret))
WRAP(mdb_reader_check, ENOMEM, (MDB_env * env, int *dead), (env, dead))
WRAP(mdb_reader_list, EIO, (MDB_env * env, MDB_msg_func *line, void *context), (env, line, context))
WRAP(mdb_stat, EINVAL, (MDB_txn * txn, MDB_dbi dbi, MDB_stat *ret), (txn, dbi, ret))
WRAP(mdb_txn_begin, ENOMEM, (MDB_env * env, MDB_txn *parent, unsigned flags, MDB_txn **ret),
     (env, parent, flags, ret))
WRAP(mdb_dbi_open, ENOMEM, (MDB_txn * txn, const char *name, unsigned flags, MDB_dbi *ret),
     (txn, name, flags, ret))
WRAP(mdb_get, EIO, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *ret), (txn, dbi, key, ret))
WRAP(mdb_put, ENOMEM, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value, unsigned flags),
     (txn, dbi, key, value, flags))
WRAP(mdb_del, EIO, (MDB_txn * txn, MDB_dbi dbi, MDB_val *key, MDB_val *value), (txn, dbi, key, value))
WRAP(mdb_cursor_open, ENOMEM, (MDB_txn * txn, MDB_dbi dbi, MDB_cursor **ret), (txn, dbi, ret))
WRAP(mdb_cursor_get, EIO, (MDB_cursor * cursor, MDB_val *key, MDB_val *ret, MDB_cursor_op op),
     (cursor, key, ret, op))

/* One that fails has ended its transaction all the same. */
int __real_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn);
int __wrap_mdb_txn_commit(MDB_txn *txn)
{
	if (!fails("mdb_txn_commit"))
		return __real_mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return ENOSPC;
}

/* Beside failing, it can be told to leave out waiting for the disk (power_cut.c). */
unsigned calls_open_flags;
int __real_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode);
int __wrap_mdb_env_open(MDB_env *env, const char *path, unsigned flags, mdb_mode_t mode)
{
	return fails("mdb_env_open") ? ENOMEM
				     : __real_mdb_env_open(env, path, flags | calls_open_flags, mode);
}
