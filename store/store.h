/* The replica of one node: a port with two backends (LMDB, memory) and one behaviour suite over both.
 *
 * Write-behind: puts go to a filling batch on the loop's thread; store_freeze closes it, store_commit writes
 * it in one synced transaction on any thread, store_thaw (loop's thread again) lets go of it, or merges it
 * back when the commit failed. Reads see the filling batch, then the frozen one, then the backend. Every row
 * carries a checksum over key and value; a row that fails it is never returned: it counts as absent, is
 * reported in `damaged` and deleted with the next commit, so that reconciliation brings it back. */
#ifndef MESH_STORE_STORE_H
#define MESH_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/authlog.h"
#include "crypto/record.h"
#include "record/state.h"

struct store;

/* LMDB in folder `path` (created with mode 0750). A file that is damaged beyond opening is set aside and
 * a fresh one made: ret_set_aside (may be NULL) says so. ERR_ESTATE when it holds another estate, ERR_VERSION
 * for a newer schema, ERR_DENIED, ERR_DISK_FULL, ERR_BUSY. */
enum err store_open(const char *path, const struct id *estate, const struct id *self, struct store **ret,
		    bool *ret_set_aside, struct err_info *info);
/* What takes long while opening, as it goes on. `migrated`: rows moved so far from an older schema, of about
 * so many; `done` once. */
struct store_progress {
	void (*migrated)(void *context, uint64_t rows, uint64_t of, bool done);
	void *context;
	size_t step; /* rows moved in one commit; 0: as many as is good */
};
enum err store_open_with(const char *path, const struct id *estate, const struct id *self,
			 const struct store_progress *progress, struct store **ret, bool *ret_set_aside,
			 struct err_info *info);
/* Nothing outlives store_close. */
enum err store_open_memory(const struct id *estate, const struct id *self, struct store **ret);
/* Does not commit what is still in the filling batch. */
void store_close(struct store *s);

/* All puts copy. ERR_NOMEM; ERR_LIMIT when the filling batch is full (LIMIT_BATCH_ROWS): freeze and commit.
 */
enum err store_put_record(struct store *s, const struct record_key *key, const uint8_t *bytes, size_t len,
			  wall_ms received);
/* Nothing happens when there is none. */
enum err store_drop_record(struct store *s, const struct record_key *key);
enum err store_put_blob(struct store *s, const struct id *id, const uint8_t *bytes, size_t len);
enum err store_put_host_state(struct store *s, const struct host_state *state);
enum err store_put_site_state(struct store *s, const struct site_state *state);
/* One that is over loses its row and its proofs; one without proofs keeps those it had. ERR_ARG for a kind
 * that is none. */
enum err store_put_issue(struct store *s, const struct issue *issue);
/* Makes the rows of operators say what the log says: puts those that changed, drops those it does not name.
 * ERR_LIMIT may come in the middle: call again. */
enum err store_put_operators(struct store *s, const struct authlog *log);

/* What happens to this node itself. Every commit logs how the states that it holds differ from those before;
 * this says where the log has gaps. */
enum store_mark {
	STORE_MARK_START, /* it watches from here on, and did not since the last commit */
	STORE_MARK_PAUSE, /* likewise, since `until`: it was suspended, or its clock was set */
	STORE_MARK_STOP,  /* its clean end */
};
enum err store_put_mark(struct store *s, enum store_mark mark, wall_ms until);

/* Whether what is put from now on is urgent: goes with the next commit of either kind. At first it is not. */
void store_hurry(struct store *s, bool urgent);
/* The next commit, even one without rows, renews the replica's age. */
void store_stamp(struct store *s);
/* Rows in the filling batch; with a stamp at least one. */
size_t store_pending(const struct store *s);
/* ERR_BUSY while a frozen batch is not thawed yet; ERR_NOT_FOUND when there is nothing to commit. */
enum err store_freeze(struct store *s);
/* Of the filling batch only the urgent rows. */
enum err store_freeze_urgent(struct store *s);
/* One synced transaction, stamped with `now` as the replica's age. ERR_DISK_FULL, ERR_IO, ERR_CORRUPT (until
 * the store is opened again, which sets the file aside), ERR_LIMIT (the map was full: thaw makes it larger,
 * so commit again). */
enum err store_commit(struct store *s, wall_ms now, struct err_info *info);
void store_thaw(struct store *s, enum err commit_result);
/* freeze, commit, thaw in one go, for start, stop and tools. */
enum err store_flush(struct store *s, wall_ms now, struct err_info *info);

/* ERR_NOT_FOUND. `ret` holds LIMIT_RECORD_BYTES or LIMIT_BLOB_BYTES. */
enum err store_get_record(struct store *s, const struct record_key *key, uint8_t *ret, size_t *ret_len,
			  wall_ms *ret_received);
enum err store_get_blob(struct store *s, const struct id *id, uint8_t *ret, size_t *ret_len);

/* Every row once, records by kind, certificates first. Stops when `each` returns false. What is put during an
 * iteration may or may not be seen. */
enum err store_each_record(struct store *s,
			   bool (*each)(void *context, const uint8_t *bytes, size_t len, wall_ms received),
			   void *context);
/* Of one kind, which is not one of hosts' records. */
enum err store_each_record_of(struct store *s, uint8_t kind,
			      bool (*each)(void *context, const uint8_t *bytes, size_t len, wall_ms received),
			      void *context);
enum err store_each_blob(struct store *s, bool (*each)(void *context, const struct id *id), void *context);
enum err store_each_host_state(struct store *s, bool (*each)(void *context, const struct host_state *state),
			       void *context);
enum err store_each_site_state(struct store *s, bool (*each)(void *context, const struct site_state *state),
			       void *context);
enum err store_each_operator(struct store *s, bool (*each)(void *context, const struct operator_state *state),
			     void *context);
/* `issue->proof` is valid during the call. */
enum err store_each_issue(struct store *s, bool (*each)(void *context, const struct issue *issue),
			  void *context);

/* Retention: a blob that no record refers to any more, nor anything that is below one, goes after two looks
 * that found it so; the time between them is its grace. A look runs while no commit does.
 *
 *    if (store_sweep_wanted(s)) {
 *            store_sweep_begin(s);
 *            err = store_sweep_look(s, roots, count);        on any thread
 *            store_sweep_end(s, err);
 *    }
 *    while ((n = store_sweep_due(s, ids, MAX)) > 0)          a slice a commit
 *            ... forgotten by the core ... store_drop_blob(s, &ids[i]) ...
 *
 * What is put in between is heeded. */
/* Whether a look may find something: something referred was put since the last, or that one found something.
 */
bool store_sweep_wanted(const struct store *s);
void store_sweep_begin(struct store *s);
/* `roots`: blobs that are named by what is not in the replica. ERR_NOMEM, ERR_CORRUPT, ERR_IO. */
enum err store_sweep_look(struct store *s, const struct id *roots, size_t root_count);
void store_sweep_end(struct store *s, enum err look_result);
/* The next that are due, which are not told again. Lists before what they name. */
size_t store_sweep_due(struct store *s, struct id *ret, size_t max);
/* ERR_NOMEM, ERR_LIMIT. */
enum err store_drop_blob(struct store *s, const struct id *id);

/* A process that reads an older state of the replica than the newest: pages that changed since cannot be used
 * again, so the file grows while it does. */
struct store_reader {
	uint64_t pid;     /* 0: none */
	wall_ms since;    /* when a commit first met it there */
	uint64_t commits; /* so many are newer than what it reads */
};

struct store_stats {
	uint64_t rows; /* that were put, not what is derived of them */
	uint64_t damaged, commits, committed_rows, committed_bytes;
	uint64_t last_commit_us;
	uint64_t file_bytes;
	uint64_t written_bytes; /* that commits wrote since the store was opened, in whole pages */
	uint64_t blocks;        /* column blocks and deltas written */
	uint64_t rebuilt;       /* damaged ones that were made anew */
	uint64_t refused;       /* rows that there was no room for */
	uint64_t beyond_room;   /* commits that wrote where the disk had set no room aside, though it can */
	uint64_t swept;         /* blobs and rows of the index that nobody referred to any more */
	struct store_reader reader; /* the one with the oldest, as of the last commit */
};
void store_stats(const struct store *s, struct store_stats *ret);

#endif
