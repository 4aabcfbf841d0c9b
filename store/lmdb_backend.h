/* What the files of the LMDB backend share. Private to them.
 *
 * A commit, in one transaction: rows of the batch under their stored keys (lmdb_commit.c), then what follows
 * from them: host rows of the column groups (lmdb_derive.c), the component index (lmdb_index.c), both written
 * as blocks and deltas (lmdb_blocks.c), then what nobody refers to any more (lmdb_sweep.c), then the meta
 * row. Each write goes through lmdb_put, which keeps count and digest. */
#ifndef MESH_STORE_LMDB_BACKEND_H
#define MESH_STORE_LMDB_BACKEND_H

#include <threads.h>

#include "store/backend.h"
#include "store/column_table.h"
#include "store/host_key.h"
#include "store/lmdb_env.h"
#include "store/numbers.h"
#include "store/site_counts.h"

/* Rows that deltas of one group may hold before they are folded into blocks. */
#define DELTA_ROWS_MAX  8192
#define DELTA_BYTES_MAX (2 * 1024 * 1024)
#define DELTA_COUNT_MAX 256
/* So many changed rows of one block are written as the block itself. */
#define DENSE_ROWS 48

struct delta_tally {
	uint64_t rows, bytes;
	uint32_t count;
};

/* A manifest that is not complete: a blob is not here yet, or there was no room. */
struct index_waiting {
	uint32_t manifest;
	struct id blob; /* zero: not known which */
};

struct index_chunk {
	uint16_t entries;
	bool complete;
};

/* Of the component index, what the committing thread knows by heart. */
struct index_state {
	struct numbers entries, chunks, manifests;
	struct index_chunk *facts; /* by chunk number */
	uint32_t fact_cap;
	struct index_waiting *waiting;
	size_t waiting_count, waiting_cap;
	/* By manifest number: it waits for nothing in particular, but for room, or a host that counts. */
	uint8_t *left_out;
	uint32_t left_out_cap, left_out_count;
	bool unnumbered; /* hosts name manifests that there was no number for */
	bool retry;      /* those that are left out: there may be room now */
	bool forgotten;  /* all of it, in this commit: it is made anew */
	bool grown;      /* since it was swept */
	bool left;       /* more to sweep than one commit takes */
	wall_ms swept;   /* 0: not since it was loaded */
};

/* What site counts and names are made of. */
struct host_fact {
	uint64_t seen;
	uint32_t site; /* number; valid with a row of GROUP_HOST */
	uint32_t name; /* hash; 0: none */
	uint32_t has;  /* a bit a group: there is a row */
	uint8_t status, standing;
};

struct counted_site {
	struct site_counts counts;
	bool dirty; /* a host of it has changed since it was counted */
	bool named; /* by any host */
};

struct changed_name {
	uint32_t hash, number;
};

struct counts_state {
	struct host_fact *facts; /* by host number */
	uint32_t cap;
	struct numbers sites;
	struct counted_site *by_number;
	uint32_t site_cap;
	struct changed_name *changed; /* names that a host has or had, since the last commit */
	size_t changed_count, changed_cap;
};

struct lmdb {
	struct backend backend;
	struct lmdb_env e;
	struct os_lock *lock;
	uint64_t map_bytes;
	uint64_t history_bytes;     /* of the log of transitions; a test has less than LIMIT_HISTORY_BYTES */
	struct backend_count count; /* the loop's copy, taken in settle */
	mtx_t hosts_lock;           /* the loop reads while a commit allots */
	struct numbers hosts;
	/* The committing thread's from here on. */
	struct store_meta meta; /* of the last commit */
	struct backend_work total;
	uint64_t written_bytes;
	uint64_t room_bytes; /* of the file, that the disk has set aside; UINT64_MAX: it cannot */
	struct store_reader reader;
	uint64_t reader_txn; /* that it reads */
	uint64_t data_rows;  /* without what is derived */
	struct delta_tally deltas[COLUMN_GROUP_LAST + 1];
	struct index_state index;
	struct counts_state counts;
	bool lists_wait; /* a blob may be missing that policy or inventory name */
	bool stale;      /* a commit failed: numbers and index are read anew */
	uint32_t
	    repair; /* a bit a group that is to be made anew by the next commit, as it was found damaged */
};

/* Rows of column groups to derive anew. */
struct touched {
	uint32_t number;
	uint32_t groups; /* a bit a group */
};

struct commit;
/* What else belongs into a commit, after the batch's rows and before what is derived. */
typedef enum err (*lmdb_also)(struct commit *c);

struct commit {
	struct lmdb *l;
	MDB_txn *txn;
	const struct row_set *batch;
	struct store_meta meta;
	struct backend_work work;
	uint64_t data_rows;
	struct delta_tally deltas[COLUMN_GROUP_LAST + 1];
	struct touched *touched;
	size_t touched_count, touched_cap;
	struct index_news *news;      /* of the index, not written yet */
	struct history_news *history; /* of the log, likewise */
	uint32_t *gone; /* host numbers of which rows went; free again after the commit where none is left */
	size_t gone_count, gone_cap;
	struct {
		uint64_t puts;  /* and deletions: each may touch a leaf page of its own … */
		uint64_t grown; /* … and those that make a row longer, split it */
		uint64_t grown_bytes;
		uint64_t large, large_bytes; /* values on pages of their own, heads included */
		uint64_t page_bytes;
	} room;
	uint32_t repair; /* for the next commit, see struct lmdb */
	bool new_blobs, blobs_gone, issuers_changed;
	bool machines_changed;
	bool lists_changed; /* a policy, an inventory, or what the log says of operators */
	wall_ms now;
	lmdb_also also;
	void *context; /* also's */
	struct err_info *info;
	int code;        /* LMDB's, of the step that failed */
	enum err unread; /* a read that failed: what was derived since lacks it, so there is no commit */
};

/* --- lmdb_write.c --- */

/* `known`: the key with ids, which the checksum covers; of others `stored` itself. `len` 0 deletes. */
enum err lmdb_put(struct commit *c, const struct row_key *stored, const struct row_key *known,
		  const uint8_t *bytes, size_t len);
/* Best into a file that is empty. */
enum err lmdb_put_fences(struct commit *c);
/* A host's row, by the key with its id. ERR_NOT_FOUND, also when it fails its checksum. Any other error ends
 * the commit, whatever the caller makes of it. */
enum err lmdb_read(struct commit *c, const struct row_key *known, struct row_value *ret);
/* ERR_NOT_FOUND. */
enum err lmdb_read_blob(struct commit *c, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
			size_t *ret_len);
/* A good block or delta, which the caller frees; ERR_NOT_FOUND, ERR_CHECKSUM. */
struct lmdb_block {
	struct column_block block;
	struct lmdb_value value;
};
enum err lmdb_read_block(struct commit *c, const struct row_key *key, struct lmdb_block *ret);
/* Checksum that the digest counts; 0 for a value that has none. */
uint64_t lmdb_checksum(const struct row_key *stored, const uint8_t *bytes, size_t len);
bool lmdb_is_good(const struct row_key *stored, const struct row_key *known, const uint8_t *bytes,
		  size_t len);

/* --- lmdb_room.c --- */

/* Notes what putting a value over one of `old_len` (0: none) may take. */
void lmdb_room_note(struct commit *c, size_t key_len, size_t old_len, size_t len);
/* Before the transaction is committed: room on the disk for all it may write. ERR_DISK_FULL, with text. */
enum err lmdb_room_ensure(struct commit *c);
/* After it: whether that was enough; what is too much is given back. */
void lmdb_room_settle(struct commit *c);

/* --- lmdb_commit.c --- */

enum err lmdb_commit(struct lmdb *l, const struct row_set *batch, wall_ms now, struct err_info *info);
/* `now` 0: the replica's age stays as it is. `also` may be NULL. */
enum err lmdb_commit_with(struct lmdb *l, const struct row_set *batch, wall_ms now, lmdb_also also,
			  void *context, struct err_info *info);
enum err lmdb_touch(struct commit *c, uint32_t number, uint32_t groups);
/* Room for one more of `size` bytes each. */
enum err lmdb_reserve(void **array, size_t *cap, size_t count, size_t size);
/* Room for one more of `size` bytes each. */
enum err lmdb_reserve(void **array, size_t *cap, size_t count, size_t size);
static inline uint32_t lmdb_bit(enum column_group group)
{
	return 1u << group;
}

/* --- lmdb_blocks.c --- */

/* A row that changed: its number, and where it stands in a draft. */
struct block_row {
	uint32_t number;
	uint32_t row;
};
/* Rows of a group that changed, by ascending number. ERR_CHECKSUM: a block of the catalogue is damaged. */
enum err lmdb_blocks_write(struct commit *c, enum column_group group, const struct column_draft *rows,
			   const struct block_row *changed, size_t count);
/* A group of hosts, from what it is derived of. */
enum err lmdb_blocks_rewrite(struct commit *c, enum column_group group);
/* Drops all blocks and deltas of a group. */
enum err lmdb_blocks_drop(struct commit *c, enum column_group group);
/* Drops all rows whose keys begin with the prefix. */
enum err lmdb_drop_rows(struct commit *c, struct row_key prefix);

/* --- lmdb_readers.c --- */

/* Before a commit: clears the places of readers that were killed, and finds the one that reads the oldest
 * state. */
void lmdb_readers_look(struct lmdb *l, wall_ms now);

/* --- lmdb_scrub.c --- */

/* Notes in l->repair which groups have something damaged in what this commit looks at. */
enum err lmdb_scrub(struct commit *c);

/* --- lmdb_derive.c --- */

/* Everything that was touched. */
enum err lmdb_derive(struct commit *c);
/* The row of one host. */
enum err lmdb_derive_row(struct commit *c, enum column_group group, uint32_t number, struct column_draft *d,
			 unsigned row);

/* --- lmdb_history.c --- */

/* A row of any table is put in place of `old` (NULL: there was none); `len` 0: it goes. Notes what became of
 * a host's or site's state. ERR_NOMEM. */
enum err lmdb_history_note(struct commit *c, const struct row_key *known, const MDB_val *old,
			   const uint8_t *bytes, size_t len);
/* What the node did itself (history_mark_key). */
enum err lmdb_history_mark(struct commit *c, const struct row_key *key);
/* What was noted becomes rows of the log, and its oldest ones go when there are too many. */
enum err lmdb_history_write(struct commit *c);
void lmdb_history_free(struct commit *c);

/* --- lmdb_index.c --- */

#define INDEX_NO_ROOM UINT32_MAX
/* The number of a manifest that a host names, INDEX_NO_ROOM when there are too many; what a new one names is
 * read by lmdb_index_settle. `good`: the host counts. */
enum err lmdb_index_manifest(struct commit *c, const struct id *root, bool good, uint32_t *ret);
/* ERR_CHECKSUM: a block of it is damaged. */
enum err lmdb_index_settle(struct commit *c);
/* Forgets all of it; hosts' rows that name its numbers must be derived again. */
enum err lmdb_index_drop(struct commit *c);
void lmdb_index_clear(struct index_state *index);
void lmdb_index_news_free(struct commit *c);
/* For loading. ERR_NOMEM. */
enum err lmdb_index_fact(struct index_state *index, uint32_t chunk, struct index_chunk fact);
enum err lmdb_index_wait(struct index_state *index, uint32_t manifest, const struct id *blob);
/* A manifest is left out no longer: it was read, waits for a blob, or is gone. */
void lmdb_index_entered(struct index_state *index, uint32_t manifest);
/* Whether one that is left out is to be read now, and is not yet going to be. */
bool lmdb_index_read_again(struct index_state *index, uint32_t manifest);
/* Whether what waits is to be read now; its blob has `come`, if it waits for one. `*ret_keep`: it keeps its
 * place on the list. */
bool lmdb_index_wakes(struct index_state *index, const struct index_waiting *w, bool come, bool *ret_keep);

/* --- lmdb_lists.c --- */

/* The rows of policy and inventory, where others are in force than those that stand there. */
enum err lmdb_lists(struct commit *c);

/* --- lmdb_machines.c --- */

/* A host's row that is about to be put: whether other machines of the inventory may be enrolled by it. */
void lmdb_machines_note(struct commit *c, const struct row *row);
/* Counts them where that may have changed; after the rows of hosts and the inventory's. */
enum err lmdb_machines(struct commit *c);

/* --- lmdb_sweep.c --- */

/* Of hosts that lost rows: their numbers, where nothing else is left of them. */
enum err lmdb_sweep_hosts(struct commit *c);
/* Rows of the index whose blob is gone and that nothing names, where it is time to look for them. After
 * everything else was derived. ERR_CHECKSUM: a block of the index is damaged. */
enum err lmdb_sweep_index(struct commit *c);

/* --- lmdb_counts.c --- */

#define COUNTED_GROUPS (1u << GROUP_HOST | 1u << GROUP_STATE | 1u << GROUP_PROFILE | 1u << GROUP_COMPONENTS)
#define REPAIR_COUNTS  1u /* in l->repair, beside a bit a group */
_Static_assert(COLUMN_GROUP_FIRST > 0, "bit 0 is no group's");

void lmdb_counts_clear(struct counts_state *s);
/* What a row of a host says now. Rows of other groups are passed over. ERR_NOMEM. */
enum err lmdb_counts_note_draft(struct counts_state *s, enum column_group group, uint32_t number,
				const struct column_draft *d, unsigned row);
enum err lmdb_counts_note_row(struct counts_state *s, enum column_group group, uint32_t number,
			      struct column_row row);
/* Writes the rows that have changed. After everything was derived. */
enum err lmdb_counts_settle(struct commit *c);
/* Count and digest of all rows that there should be, after everything was noted; nothing has changed then. */
void lmdb_counts_sum(struct counts_state *s, uint64_t *ret_rows, uint64_t *ret_digest);

/* --- lmdb_load.c --- */

/* A group as it is in a transaction; `from` outlives the table. */
struct lmdb_source {
	struct lmdb *l;
	MDB_txn *txn;
};
struct column_table;
enum err lmdb_table_open(struct lmdb_source *from, enum column_group group, uint32_t end,
			 struct column_table **ret);

/* Host numbers, tallies of deltas and index from the file, in place of those in memory. Groups that are
 * damaged are noted in l->repair. */
enum err lmdb_load(struct lmdb *l, MDB_txn *txn, const struct store_meta *meta);
/* Every row once, against the count and digest of the meta row: a page that was swapped for an older one
 * holds valid rows, and only the sum gives it away. After lmdb_load. ERR_CORRUPT. */
enum err lmdb_verify(struct lmdb *l);

/* --- lmdb_migrate.c --- */

/* From an older schema, in commits of bounded size; picks up where an earlier try ended. */
enum err lmdb_migrate(struct lmdb *l, const struct store_progress *progress, struct err_info *info);

/* --- backend_lmdb.c --- */

/* Twice as large. While no transaction is open. */
enum err lmdb_grow_map(struct lmdb *l);

#endif
