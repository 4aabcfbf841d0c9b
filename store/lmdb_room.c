/* The file's next pages are on the disk before LMDB writes into them: a full disk is found while nothing is
 * written yet. LMDB does not tell how many pages a transaction will write, so that is bounded from above: as
 * if none of the free ones could be used again. */
#include "os/file.h"
#include "store/lmdb_backend.h"

#define STEP_BYTES  (256 * 1024)
#define NODE_BYTES  2038 /* the most that stays on a leaf page of 4096 bytes: head, key and value */
#define NODE_HEAD   8
#define PAGE_HEAD   16
#define SPARE_BYTES (4 * 1024 * 1024) /* what may stay set aside between commits */
#define SLACK_PAGES 16 /* meta pages, the list of free pages, a tree that grows by a level */

void lmdb_room_note(struct commit *c, size_t key_len, size_t old_len, size_t len)
{
	c->room.puts++;
	if (NODE_HEAD + key_len + len > NODE_BYTES) {
		c->room.large++;
		c->room.large_bytes += PAGE_HEAD + len;
	} else if (len > old_len) {
		c->room.grown++;
		c->room.grown_bytes += len - old_len + (old_len == 0 ? NODE_HEAD + key_len : 0);
	}
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Pages that the transaction may write behind the last one. */
static uint64_t pages_needed(const struct commit *c, const MDB_stat *s)
{
	uint64_t leaves = least(c->room.puts, s->ms_leaf_pages);
	uint64_t splits = least(c->room.grown, s->ms_leaf_pages + 2 * c->room.grown_bytes / s->ms_psize);
	uint64_t large = c->room.large_bytes / s->ms_psize + c->room.large;
	uint64_t pages = leaves + splits + large + s->ms_branch_pages + splits / 64;
	/* A number of 8 bytes for each page that is free now. */
	return pages + (pages + s->ms_overflow_pages) * 8 / s->ms_psize + SLACK_PAGES;
}

static void trim(struct lmdb *l)
{
	uint64_t end;
	if (os_file_trim(l->e.data_path, &end) == ERR_OK)
		l->room_bytes = end;
}

enum err lmdb_room_ensure(struct commit *c)
{
	struct lmdb *l = c->l;
	MDB_envinfo e;
	MDB_stat s;
	if (l->room_bytes == UINT64_MAX || mdb_env_info(l->e.env, &e) != 0 ||
	    mdb_stat(c->txn, l->e.dbi, &s) != 0)
		return ERR_OK;
	c->room.page_bytes = s.ms_psize;
	uint64_t needed = (e.me_last_pgno + 1 + pages_needed(c, &s)) * s.ms_psize;
	needed = least((needed + STEP_BYTES - 1) / STEP_BYTES * STEP_BYTES, l->map_bytes);
	if (needed <= l->room_bytes)
		return ERR_OK;
	enum err err = os_file_preallocate(l->e.data_path, needed, c->info);
	if (err == ERR_OK)
		l->room_bytes = needed;
	if (err == ERR_UNSUPPORTED)
		l->room_bytes = UINT64_MAX;
	/* A part of it would only make the disk fuller. */
	if (err == ERR_DISK_FULL)
		trim(l);
	/* Anything else than a full disk is told by the write itself. */
	return err == ERR_DISK_FULL ? err : ERR_OK;
}

void lmdb_room_settle(struct commit *c)
{
	struct lmdb *l = c->l;
	MDB_envinfo e;
	if (mdb_env_info(l->e.env, &e) != 0)
		return;
	if (l->room_bytes == UINT64_MAX)
		return;
	uint64_t end = (e.me_last_pgno + 1) * c->room.page_bytes;
	c->work.beyond_room += end > l->room_bytes;
	if (l->room_bytes > end + SPARE_BYTES)
		trim(l);
}
