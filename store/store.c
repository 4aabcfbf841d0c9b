/* Write-behind over a backend: a filling batch, a frozen one, and reads that look through both.
 *
 * Happy path: puts fill the batch; store_freeze closes it; store_commit writes it on another thread while
 * reads go on; store_thaw drops it. A failed commit leaves the backend as it was and thaw merges the batch
 * back under what was put since. */
#include "store/store.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/clock.h"
#include "record/refs.h"
#include "store/store_private.h"
#include "store/sweep.h"

struct store {
	struct backend *backend;
	struct row_set filling;
	struct row_set frozen;
	bool is_frozen;
	bool stamp, frozen_stamp; /* a commit without rows will do */
	struct store_stats stats;
	uint64_t lost;      /* rows that the backend found damaged itself */
	uint64_t commit_us; /* of the running commit; taken over by thaw */
	struct sweep sweep;
	bool looking;          /* the sweep is another thread's */
	uint64_t look_commits; /* when it began */
	bool refs_changed;     /* since it began */
	uint64_t swept;        /* blobs */
};

static void take_counts(struct store *s)
{
	struct backend_count count;
	s->backend->ops->count(s->backend, &count);
	s->stats.rows = count.rows;
	s->stats.file_bytes = count.file_bytes;
	s->stats.written_bytes = count.written_bytes;
	s->stats.blocks = count.work.blocks;
	s->stats.rebuilt = count.work.rebuilt;
	s->stats.refused = count.work.refused;
	s->stats.beyond_room = count.work.beyond_room;
	s->stats.swept = count.work.swept + s->swept;
	s->stats.reader = count.reader;
	s->lost = count.work.lost;
}

enum err store_over(struct backend *backend, struct store **ret)
{
	struct store *s = calloc(1, sizeof(*s));
	if (s == NULL) {
		backend->ops->close(backend);
		return ERR_NOMEM;
	}
	s->backend = backend;
	s->refs_changed = true;
	take_counts(s);
	*ret = s;
	return ERR_OK;
}

enum err store_open_with(const char *path, const struct id *estate, const struct id *self,
			 const struct store_progress *progress, struct store **ret, bool *ret_set_aside,
			 struct err_info *info)
{
	struct backend *backend;
	enum err err = backend_lmdb_open(path, LIMIT_REPLICA_MAP_BYTES, estate, self, progress, &backend,
					 ret_set_aside, info);
	if (err != ERR_OK)
		return err;
	err = store_over(backend, ret);
	return err == ERR_OK ? err : err_set(info, err, "cannot open \"%s\": %s", path, err_text(err));
}

enum err store_open(const char *path, const struct id *estate, const struct id *self, struct store **ret,
		    bool *ret_set_aside, struct err_info *info)
{
	return store_open_with(path, estate, self, NULL, ret, ret_set_aside, info);
}

enum err store_open_memory(const struct id *estate, const struct id *self, struct store **ret)
{
	struct backend *backend;
	enum err err = backend_memory_open(estate, self, &backend);
	return err == ERR_OK ? store_over(backend, ret) : err;
}

void store_close(struct store *s)
{
	if (s == NULL)
		return;
	s->backend->ops->close(s->backend);
	row_set_clear(&s->filling);
	row_set_clear(&s->frozen);
	sweep_clear(&s->sweep);
	free(s);
}

/* A key that is in the batch already takes no more room, so it is never refused. */
enum err store_put_row(struct store *s, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	bool full = s->filling.count >= LIMIT_BATCH_ROWS ||
		    s->filling.count + s->frozen.count >= 2 * LIMIT_BATCH_ROWS;
	if (full && row_set_find(&s->filling, key) == NULL)
		return ERR_LIMIT;
	s->refs_changed = s->refs_changed || key->bytes[0] == TABLE_BLOBS ||
			  (key->bytes[0] == TABLE_RECORDS && record_refs_kind(key->bytes[1]));
	if (!s->looking)
		sweep_spare(&s->sweep, key, bytes, len);
	return row_set_put(&s->filling, key, bytes, len);
}

enum err store_put_record(struct store *s, const struct record_key *key, const uint8_t *bytes, size_t len,
			  wall_ms received)
{
	struct row_key at = row_key_record(key);
	struct row_value row;
	enum err err = row_encode_record(&at, bytes, len, received, &row);
	return err == ERR_OK ? store_put_row(s, &at, row.bytes, row.len) : err;
}

enum err store_drop_record(struct store *s, const struct record_key *key)
{
	struct row_key at = row_key_record(key);
	return store_put_row(s, &at, NULL, 0);
}

enum err store_put_blob(struct store *s, const struct id *id, const uint8_t *bytes, size_t len)
{
	struct row_key at = row_key_id(TABLE_BLOBS, id);
	struct row_value row;
	enum err err = row_encode_blob(&at, bytes, len, &row);
	return err == ERR_OK ? store_put_row(s, &at, row.bytes, row.len) : err;
}

enum err store_put_host_state(struct store *s, const struct host_state *state)
{
	struct row_key at = row_key_id(TABLE_HOST_STATES, &state->host);
	struct row_value row;
	enum err err = row_encode_host(&at, state, &row);
	return err == ERR_OK ? store_put_row(s, &at, row.bytes, row.len) : err;
}

enum err store_put_site_state(struct store *s, const struct site_state *state)
{
	struct row_key at = row_key_id(TABLE_SITE_STATES, &state->site);
	struct row_value row;
	enum err err = row_encode_site(&at, state, &row);
	return err == ERR_OK ? store_put_row(s, &at, row.bytes, row.len) : err;
}

/* Deletes the row where there is one, so that no batch fills with deletions of nothing. */
static enum err delete_row(struct store *s, const struct row_key *key)
{
	struct row_value row;
	enum err err = store_get_row(s, key, &row);
	if (err == ERR_OK)
		return store_put_row(s, key, NULL, 0);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err put_proofs(struct store *s, const struct issue *issue)
{
	enum err err = ERR_OK;
	for (unsigned i = 0; i < ISSUE_PROOFS && err == ERR_OK; i++) {
		struct row_key at = row_key_proof(issue->kind, &issue->subject, i);
		struct row_value row;
		if (issue->over) {
			err = delete_row(s, &at);
		} else if (issue->proof_len[i] > 0) {
			err = row_encode_proof(&at, issue->proof[i], issue->proof_len[i], &row);
			err = err == ERR_OK ? store_put_row(s, &at, row.bytes, row.len) : err;
		}
	}
	return err;
}

enum err store_put_issue(struct store *s, const struct issue *issue)
{
	struct row_key at = row_key_issue(issue->kind, &issue->subject);
	struct row_value row;
	if (issue_kind_name(issue->kind) == NULL)
		return ERR_ARG;
	enum err err = row_encode_issue(&at, issue, &row);
	/* Proofs first: after a batch that was full, the caller tries the whole issue again. */
	if (err == ERR_OK)
		err = put_proofs(s, issue);
	if (err != ERR_OK)
		return err;
	return issue->over ? delete_row(s, &at) : store_put_row(s, &at, row.bytes, row.len);
}

void store_hurry(struct store *s, bool urgent)
{
	s->filling.urgent = urgent;
}

void store_stamp(struct store *s)
{
	s->stamp = true;
}

size_t store_pending(const struct store *s)
{
	return s->filling.count == 0 && s->stamp ? 1 : s->filling.count;
}

static void freeze(struct store *s)
{
	s->is_frozen = true;
	s->frozen_stamp = s->stamp;
	s->stamp = false;
}

enum err store_freeze(struct store *s)
{
	if (s->is_frozen)
		return ERR_BUSY;
	if (store_pending(s) == 0)
		return ERR_NOT_FOUND;
	s->frozen = s->filling;
	s->filling = (struct row_set){.turn = s->frozen.turn, .urgent = s->frozen.urgent};
	freeze(s);
	return ERR_OK;
}

enum err store_freeze_urgent(struct store *s)
{
	if (s->is_frozen)
		return ERR_BUSY;
	enum err err = row_set_split(&s->filling, &s->frozen);
	if (err != ERR_OK)
		return err;
	if (s->frozen.count == 0 && !s->stamp) {
		row_set_clear(&s->frozen);
		return ERR_NOT_FOUND;
	}
	freeze(s);
	return ERR_OK;
}

enum err store_commit(struct store *s, wall_ms now, struct err_info *info)
{
	CHECK(s->is_frozen);
	mono_ms start = os_clock_mono();
	enum err err = s->backend->ops->commit(s->backend, &s->frozen, now, info);
	s->commit_us = (os_clock_mono() - start) * 1000;
	return err;
}

void store_thaw(struct store *s, enum err commit_result)
{
	CHECK(s->is_frozen);
	if (commit_result == ERR_OK) {
		s->stats.commits++;
		s->stats.committed_rows += s->frozen.count;
		s->stats.committed_bytes += s->frozen.bytes;
		s->stats.last_commit_us = s->commit_us;
		row_set_clear(&s->frozen);
	} else if (row_set_merge(&s->filling, &s->frozen) != ERR_OK) {
		/* No memory for the list: peers still have the rows. */
		row_set_clear(&s->frozen);
	}
	s->stamp = s->stamp || (s->frozen_stamp && commit_result != ERR_OK);
	s->is_frozen = false;
	s->backend->ops->settle(s->backend, commit_result);
	take_counts(s);
}

enum err store_flush(struct store *s, wall_ms now, struct err_info *info)
{
	enum err err = store_freeze(s);
	if (err == ERR_NOT_FOUND)
		return ERR_OK;
	if (err != ERR_OK)
		return err_set(info, err, "another commit is running");
	err = store_commit(s, now, info);
	store_thaw(s, err);
	/* The map has just doubled; once is enough for any batch. */
	if (err == ERR_LIMIT && store_freeze(s) == ERR_OK) {
		err = store_commit(s, now, info);
		store_thaw(s, err);
	}
	return err;
}

/* Count a row that failed its checksum, and have it deleted with the next commit. */
static void drop_damaged(struct store *s, const struct row_key *key)
{
	s->stats.damaged++;
	(void)store_put_row(s, key, NULL, 0);
}

static const struct row *find_in_batches(const struct store *s, const struct row_key *key)
{
	const struct row *row = row_set_find(&s->filling, key);
	return row != NULL ? row : row_set_find(&s->frozen, key);
}

enum err store_get_row(struct store *s, const struct row_key *key, struct row_value *ret)
{
	const struct row *row = find_in_batches(s, key);
	if (row != NULL) {
		if (row->len == 0)
			return ERR_NOT_FOUND;
		memcpy(ret->bytes, row->bytes, row->len);
		ret->len = row->len;
		return ERR_OK;
	}
	enum err err = s->backend->ops->get(s->backend, key, ret);
	if (err == ERR_OK && row_check(key, ret->bytes, ret->len) != ERR_OK) {
		drop_damaged(s, key);
		return ERR_NOT_FOUND;
	}
	return err;
}

enum err store_get_record(struct store *s, const struct record_key *key, uint8_t *ret, size_t *ret_len,
			  wall_ms *ret_received)
{
	struct row_key at = row_key_record(key);
	struct row_value row;
	const uint8_t *bytes;
	size_t len;
	wall_ms received;
	enum err err = store_get_row(s, &at, &row);
	if (err == ERR_OK)
		err = row_decode_record(row.bytes, row.len, &bytes, &len, &received);
	if (err != ERR_OK)
		return err;
	memcpy(ret, bytes, len);
	*ret_len = len;
	if (ret_received != NULL)
		*ret_received = received;
	return ERR_OK;
}

enum err store_get_blob(struct store *s, const struct id *id, uint8_t *ret, size_t *ret_len)
{
	struct row_key at = row_key_id(TABLE_BLOBS, id);
	struct row_value row;
	const uint8_t *bytes;
	size_t len;
	enum err err = store_get_row(s, &at, &row);
	if (err == ERR_OK)
		err = row_decode_blob(row.bytes, row.len, &bytes, &len);
	if (err != ERR_OK)
		return err;
	memcpy(ret, bytes, len);
	*ret_len = len;
	return ERR_OK;
}

/* The batches' next row of the table, the filling one's where both have it. */
static const struct row *next_in_batches(const struct store *s, const struct row_key *after)
{
	const struct row *a = row_set_after(&s->filling, after);
	const struct row *b = row_set_after(&s->frozen, after);
	if (a == NULL || (b != NULL && row_key_compare(&b->key, &a->key) < 0))
		a = b;
	return a != NULL && a->key.bytes[0] == after->bytes[0] ? a : NULL;
}

struct walk {
	struct store *s;
	store_visit visit;
	void *context;
	struct row_key in_batches; /* rows of the batches are visited up to here */
	uint64_t turn;             /* of the last put before: what the visitor puts itself it does not get */
	struct row_chunk *chunk;
	bool more;
};

/* Rows of the batches whose key starts below `end` (NULL: all). Copied: the visitor may put, which frees
 * rows. */
static void visit_batches(struct walk *w, const struct row_key *end)
{
	const struct row *row;
	while (w->more && (row = next_in_batches(w->s, &w->in_batches)) != NULL) {
		if (end != NULL && memcmp(row->key.bytes, end->bytes, 2) >= 0)
			return;
		struct row_value value = {.len = row->len};
		memcpy(value.bytes, row->bytes, row->len);
		w->in_batches = row->key;
		bool own = row->turn > w->turn && row_set_find(&w->s->filling, &row->key) == row;
		if (value.len > 0 && !own)
			w->more = w->visit(w->context, &w->in_batches, value.bytes, value.len);
	}
}

/* What the batches have is theirs to show. */
static void visit_chunk(struct walk *w)
{
	struct row_key key;
	const uint8_t *bytes;
	struct row_value value;
	for (; w->more && row_chunk_peek(w->chunk, &key, &bytes, &value.len); row_chunk_take(w->chunk)) {
		/* Certificates come first, wherever they are. */
		if (key.bytes[0] == TABLE_RECORDS)
			visit_batches(w, &key);
		if (!w->more || find_in_batches(w->s, &key) != NULL)
			continue;
		memcpy(value.bytes, bytes, value.len);
		if (row_check(&key, value.bytes, value.len) == ERR_OK)
			w->more = w->visit(w->context, &key, value.bytes, value.len);
		else
			drop_damaged(w->s, &key);
	}
}

enum err store_each_row(struct store *s, enum store_table table, store_visit visit, void *context)
{
	struct row_key first = row_key_first(table);
	return store_each_row_from(s, &first, visit, context);
}

enum err store_each_row_from(struct store *s, const struct row_key *first, store_visit visit, void *context)
{
	struct walk w = {.s = s, .visit = visit, .context = context, .more = true, .turn = s->filling.turn};
	enum err err = ERR_OK;
	w.in_batches = *first;
	w.chunk = malloc(sizeof(*w.chunk));
	if (w.chunk == NULL)
		return ERR_NOMEM;
	row_chunk_begin(w.chunk, &w.in_batches);
	do {
		err = s->backend->ops->chunk(s->backend, w.chunk);
		if (err == ERR_OK)
			visit_chunk(&w);
	} while (err == ERR_OK && w.more && !w.chunk->last);
	if (err == ERR_OK)
		visit_batches(&w, NULL);
	free(w.chunk);
	return err;
}

/* --- retention --- */

bool store_sweep_wanted(const struct store *s)
{
	return s->refs_changed || s->sweep.unreached_count > 0;
}

void store_sweep_begin(struct store *s)
{
	s->look_commits = s->stats.commits;
	s->refs_changed = false;
	s->sweep.due_count = 0;
	s->looking = true;
}

enum err store_sweep_look(struct store *s, const struct id *roots, size_t root_count)
{
	return sweep_look(&s->sweep, s->backend, roots, root_count);
}

void store_sweep_end(struct store *s, enum err look_result)
{
	s->looking = false;
	if (look_result != ERR_OK || s->stats.commits != s->look_commits || s->is_frozen) {
		/* Rows may have moved past the look. */
		s->refs_changed = true;
		s->sweep.due_count = 0;
	}
	sweep_spare_all(&s->sweep, &s->filling);
	sweep_spare_all(&s->sweep, &s->frozen);
	for (size_t i = 0; i < s->sweep.damaged_count && i < SWEEP_DAMAGED; i++)
		drop_damaged(s, &s->sweep.damaged[i]);
	s->sweep.damaged_count = 0;
}

size_t store_sweep_due(struct store *s, struct id *ret, size_t max)
{
	return sweep_take(&s->sweep, ret, max);
}

enum err store_drop_blob(struct store *s, const struct id *id)
{
	struct row_key at = row_key_id(TABLE_BLOBS, id);
	enum err err = store_put_row(s, &at, NULL, 0);
	s->swept += err == ERR_OK;
	return err;
}

void store_stats(const struct store *s, struct store_stats *ret)
{
	*ret = s->stats;
	ret->damaged += s->lost;
}
