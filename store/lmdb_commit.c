/* One batch in one synced transaction: rows first, then what is derived of them, then the meta row. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "os/file.h"
#include "store/derive.h"
#include "store/lmdb_backend.h"

#define PROBE_BYTES (256 * 1024) /* as much as LMDB writes at once */
#define FREE_PAGES  0            /* LMDB's table of free pages by transaction */

enum err lmdb_reserve(void **array, size_t *cap, size_t count, size_t size)
{
	if (count < *cap)
		return ERR_OK;
	size_t wanted = *cap == 0 ? 64 : *cap * 2;
	void *more = realloc(*array, wanted * size);
	if (more == NULL)
		return ERR_NOMEM;
	*array = more;
	*cap = wanted;
	return ERR_OK;
}

enum err lmdb_touch(struct commit *c, uint32_t number, uint32_t groups)
{
	enum err err =
	    lmdb_reserve((void **)&c->touched, &c->touched_cap, c->touched_count, sizeof(*c->touched));
	if (err == ERR_OK)
		c->touched[c->touched_count++] = (struct touched){number, groups};
	return err;
}

static uint32_t groups_of(uint8_t kind)
{
	switch (kind) {
	case RECORD_CERTIFICATE:
		return lmdb_bit(GROUP_HOST) | lmdb_bit(GROUP_STATE);
	case RECORD_PROFILE:
		return lmdb_bit(GROUP_PROFILE);
	case RECORD_HEALTH:
		return lmdb_bit(GROUP_HEALTH);
	case RECORD_COMPONENTS:
		return lmdb_bit(GROUP_COMPONENTS) | lmdb_bit(GROUP_CHANGES);
	case RECORD_CRASHES:
		return lmdb_bit(GROUP_CRASHES);
	case RECORD_GOODBYE:
		return lmdb_bit(GROUP_STATE);
	default:
		return 0;
	}
}

/* --- numbers --- */

static enum err allot(struct commit *c, const struct id *host, uint32_t *ret)
{
	struct lmdb *l = c->l;
	struct row_key key = row_key_id(TABLE_NUMBERS, host);
	struct row_value row;
	mtx_lock(&l->hosts_lock);
	uint32_t number = numbers_free(&l->hosts);
	enum err err = l->hosts.count < LIMIT_HOST_NUMBERS ? numbers_put(&l->hosts, host, number) : ERR_LIMIT;
	mtx_unlock(&l->hosts_lock);
	if (err != ERR_OK)
		return err;
	row_encode_number(&key, number, &row);
	*ret = number;
	return lmdb_put(c, &key, &key, row.bytes, row.len);
}

/* --- rows --- */

/* Another issuer named by the state makes another certificate count; of a host that begins to count, what was
 * left out of the component index may enter. */
static uint32_t groups_of_state(struct commit *c, const struct row *row)
{
	const uint32_t left_out = c->l->index.left_out_count > 0 ? lmdb_bit(GROUP_COMPONENTS) : 0;
	struct row_value old;
	struct host_state was, is;
	if (row->len == 0 || lmdb_read(c, &row->key, &old) != ERR_OK ||
	    row_decode_host(&row->key, old.bytes, old.len, &was) != ERR_OK ||
	    row_decode_host(&row->key, row->bytes, row->len, &is) != ERR_OK)
		return lmdb_bit(GROUP_STATE) | lmdb_bit(GROUP_HOST) | left_out;
	return lmdb_bit(GROUP_STATE) | (id_equal(&was.issuer, &is.issuer) ? 0 : lmdb_bit(GROUP_HOST)) |
	       (derive_counts(&is) && !derive_counts(&was) ? left_out : 0);
}

static enum err put_host_row(struct commit *c, const struct row_key *stored, const struct row *row)
{
	uint32_t number = 0, groups;
	CHECK(host_key_number(stored, &number));
	if (stored->bytes[0] == TABLE_RECORDS)
		groups = groups_of(stored->bytes[1]);
	else
		groups = groups_of_state(c, row);
	lmdb_machines_note(c, row);
	enum err err = lmdb_put(c, stored, &row->key, row->bytes, row->len);
	if (err == ERR_OK && row->len == 0)
		err = lmdb_reserve((void **)&c->gone, &c->gone_cap, c->gone_count, sizeof(*c->gone));
	if (err == ERR_OK && row->len == 0)
		c->gone[c->gone_count++] = number;
	return err == ERR_OK ? lmdb_touch(c, number, groups) : err;
}

/* What the authority says of a host or an issuer begins or ends. */
static enum err note_issue(struct commit *c, const struct row *row)
{
	struct row_value old;
	struct id subject;
	uint32_t number;
	enum issue_kind kind = (enum issue_kind)row->key.bytes[1];
	if (row->key.len != 2 + ID_BYTES || (lmdb_read(c, &row->key, &old) == ERR_OK) == (row->len > 0))
		return ERR_OK;
	memcpy(subject.b, row->key.bytes + 2, ID_BYTES);
	if (kind == ISSUE_ISSUER_REVOKED || kind == ISSUE_GRANT_ENDED)
		c->issuers_changed = true;
	c->machines_changed = c->machines_changed || kind == ISSUE_HOST_REVOKED;
	if (kind == ISSUE_HOST_REVOKED && numbers_find(&c->l->hosts, &subject, &number))
		return lmdb_touch(c, number, lmdb_bit(GROUP_STATE));
	return ERR_OK;
}

/* --- the batch --- */

struct placed {
	struct row_key stored;
	const struct row *row; /* NULL: it has no place */
	bool of_host;
};

static enum err place(struct commit *c, const struct row *row, struct placed *ret)
{
	struct id host;
	uint32_t number;
	*ret = (struct placed){.stored = row->key, .row = row, .of_host = host_key_of(&row->key, &host)};
	if (!ret->of_host)
		return ERR_OK;
	enum err err = ERR_OK;
	if (!numbers_find(&c->l->hosts, &host, &number))
		err = row->len > 0 ? allot(c, &host, &number) : ERR_NOT_FOUND;
	if (err == ERR_OK) {
		ret->stored = host_key_stored(&row->key, number);
		return ERR_OK;
	}
	/* Nothing to delete; or more hosts than any estate has, which are not kept, and counted. */
	ret->row = NULL;
	c->work.refused += err == ERR_LIMIT;
	return err == ERR_LIMIT || err == ERR_NOT_FOUND ? ERR_OK : err;
}

static int by_stored(const void *a, const void *b)
{
	return row_key_compare(&((const struct placed *)a)->stored, &((const struct placed *)b)->stored);
}

static enum err put_placed(struct commit *c, const struct placed *p)
{
	enum err err = ERR_OK;
	if (p->of_host)
		return put_host_row(c, &p->stored, p->row);
	if (p->stored.bytes[0] == TABLE_TRANSITIONS)
		return lmdb_history_mark(c, &p->stored);
	if (p->stored.bytes[0] == TABLE_ISSUES)
		err = note_issue(c, p->row);
	c->lists_changed = c->lists_changed || p->stored.bytes[0] == TABLE_OPERATORS ||
			   (p->stored.bytes[0] == TABLE_RECORDS &&
			    (p->stored.bytes[1] == RECORD_POLICY || p->stored.bytes[1] == RECORD_INVENTORY));
	if (p->stored.bytes[0] == TABLE_BLOBS && p->row->len > 0)
		c->new_blobs = true;
	if (p->stored.bytes[0] == TABLE_BLOBS && p->row->len == 0)
		c->blobs_gone = true;
	return err == ERR_OK ? lmdb_put(c, &p->stored, &p->stored, p->row->bytes, p->row->len) : err;
}

/* In the order in which they are stored: pages that are filled from one end stay full, and each is found
 * once. */
static enum err put_batch(struct commit *c)
{
	struct placed *placed = malloc((c->batch->count + 1) * sizeof(*placed));
	enum err err = placed != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = 0; i < c->batch->count && err == ERR_OK; i++)
		err = place(c, c->batch->rows[i], &placed[i]);
	if (err == ERR_OK && c->batch->count > 0)
		qsort(placed, c->batch->count, sizeof(*placed), by_stored);
	for (size_t i = 0; i < c->batch->count && err == ERR_OK; i++) {
		if (placed[i].row != NULL)
			err = put_placed(c, &placed[i]);
	}
	free(placed);
	return err;
}

/* --- the whole --- */

static enum err put_meta(struct commit *c)
{
	struct row_key key = row_key_first(TABLE_META);
	struct row_value row;
	row_encode_meta(&key, &c->meta, &row);
	MDB_val k = {key.len, key.bytes}, v = {row.len, row.bytes};
	c->code = mdb_put(c->txn, c->l->e.dbi, &k, &v, 0);
	return lmdb_error(c->code, "write", c->l->e.data_path, c->info);
}

static enum err write_all(struct commit *c)
{
	enum err err = ERR_OK;
	if (c->l->stale)
		err = lmdb_load(c->l, c->txn, &c->meta);
	memcpy(c->deltas, c->l->deltas, sizeof(c->deltas));
	c->l->stale = true; /* until it is committed */
	if (err == ERR_OK)
		err = put_batch(c);
	if (err == ERR_OK && c->also != NULL)
		err = c->also(c);
	if (err == ERR_OK)
		err = lmdb_sweep_hosts(c);
	if (err == ERR_OK)
		err = lmdb_derive(c);
	if (err == ERR_OK)
		err = lmdb_history_write(c);
	if (err == ERR_OK)
		err = lmdb_counts_settle(c);
	return err == ERR_OK ? put_meta(c) : err;
}

/* --- how much was written --- */

static uint64_t pages_of(MDB_txn *txn, MDB_dbi dbi, uint64_t *ret_page_bytes)
{
	MDB_stat s;
	if (mdb_stat(txn, dbi, &s) != 0)
		return 0;
	*ret_page_bytes = s.ms_psize;
	return s.ms_branch_pages + s.ms_leaf_pages + s.ms_overflow_pages;
}

/* LMDB writes each page that it changes to a new place and lists the old ones as free: those listed under the
 * transaction, what the tables grew by, and its own list and meta page. */
static void count_written(struct commit *c, size_t id, uint64_t before)
{
	MDB_txn *txn;
	MDB_cursor *cursor;
	MDB_val k = {sizeof(id), &id}, v;
	uint64_t page_bytes = 0;
	if (mdb_txn_begin(c->l->e.env, NULL, MDB_RDONLY, &txn) != 0)
		return;
	uint64_t after = pages_of(txn, c->l->e.dbi, &page_bytes);
	size_t freed = 0;
	/* That table is open to cursors alone. */
	if (mdb_cursor_open(txn, FREE_PAGES, &cursor) == 0) {
		if (mdb_cursor_get(cursor, &k, &v, MDB_SET) == 0 && v.mv_size >= sizeof(freed))
			memcpy(&freed, v.mv_data, sizeof(freed));
		mdb_cursor_close(cursor);
	}
	mdb_txn_abort(txn);
	lmdb_room_settle(c);
	c->l->written_bytes += (freed + (after > before ? after - before : 0) + 1) * page_bytes;
}

static enum err commit_in_guard(void *context)
{
	struct commit *c = context;
	uint64_t page_bytes;
	lmdb_readers_look(c->l, c->meta.as_of);
	c->code = mdb_txn_begin(c->l->e.env, NULL, 0, &c->txn);
	if (c->code != 0)
		return lmdb_error(c->code, "write", c->l->e.data_path, c->info);
	uint64_t before = pages_of(c->txn, c->l->e.dbi, &page_bytes);
	size_t id = mdb_txn_id(c->txn);
	enum err err = write_all(c);
	if (err == ERR_OK)
		err = c->unread;
	if (err == ERR_OK)
		err = lmdb_room_ensure(c);
	if (err != ERR_OK) {
		mdb_txn_abort(c->txn);
		return err;
	}
	c->code = mdb_txn_commit(c->txn);
	if (c->code == 0)
		count_written(c, id, before);
	return lmdb_error(c->code, "write", c->l->e.data_path, c->info);
}

static void take_over(struct commit *c)
{
	struct lmdb *l = c->l;
	l->meta = c->meta;
	l->data_rows = c->data_rows;
	memcpy(l->deltas, c->deltas, sizeof(l->deltas));
	l->stale = false;
	l->repair = c->repair;
	mtx_lock(&l->hosts_lock);
	for (size_t i = 0; i < c->gone_count; i++)
		numbers_drop(&l->hosts, c->gone[i]);
	mtx_unlock(&l->hosts_lock);
	l->total.blocks += c->work.blocks;
	l->total.bytes += c->work.bytes;
	l->total.rebuilt += c->work.rebuilt;
	l->total.refused += c->work.refused;
	l->total.swept += c->work.swept;
	l->total.beyond_room += c->work.beyond_room;
	l->total.lost += c->work.lost;
}

static enum err explain(struct commit *c, enum err err)
{
	const char *path = c->l->e.data_path;
	/* LMDB calls a write that the disk took only in part an I/O error; the next byte tells. */
	if (err == ERR_IO) {
		struct err_info probe;
		if (os_file_can_grow(path, PROBE_BYTES, &probe) == ERR_DISK_FULL)
			return err_set(c->info, ERR_DISK_FULL, "%s", probe.text);
	}
	if (err == ERR_CORRUPT)
		return err_set(
		    c->info, err,
		    "cannot write \"%s\": it is damaged; restart meshd, which sets it aside and fills a "
		    "new one from its peers",
		    path);
	if (err == ERR_NOMEM)
		return err_set(c->info, err, "cannot write \"%s\": out of memory", path);
	return err;
}

enum err lmdb_commit_with(struct lmdb *l, const struct row_set *batch, wall_ms now, lmdb_also also,
			  void *context, struct err_info *info)
{
	struct commit *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return err_set(info, ERR_NOMEM, "cannot write \"%s\": out of memory", l->e.data_path);
	c->l = l;
	c->batch = batch;
	c->meta = l->meta;
	c->meta.commit++;
	c->data_rows = l->data_rows;
	c->now = now;
	c->also = also;
	c->context = context;
	c->info = info;
	if (now != 0)
		c->meta.as_of = now;
	enum err err = lmdb_env_run(&l->e, commit_in_guard, c);
	if (err == ERR_OK)
		take_over(c);
	else
		err = explain(c, err);
	lmdb_index_news_free(c);
	lmdb_history_free(c);
	free(c->touched);
	free(c->gone);
	free(c);
	return err;
}

enum err lmdb_commit(struct lmdb *l, const struct row_set *batch, wall_ms now, struct err_info *info)
{
	return lmdb_commit_with(l, batch, now, NULL, NULL, info);
}
