/* What the backend knows by heart, read from the file; and the file's verification. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/column_table.h"
#include "store/lmdb_backend.h"

/* --- each row under a prefix --- */

typedef enum err (*take_row)(void *context, const struct row_key *key, const MDB_val *v);

static enum err each_row(struct lmdb *l, MDB_txn *txn, const struct row_key *from, size_t prefix_len,
			 take_row take, void *context)
{
	MDB_cursor *cursor;
	struct row_key key, last = {.len = 0};
	MDB_val k = {from->len, (void *)from->bytes}, v;
	int rc = mdb_cursor_open(txn, l->e.dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", l->e.data_path, NULL);
	enum err err = ERR_OK;
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	for (; rc == 0 && err == ERR_OK; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		/* Ascending keys end a walk through pages that point back at each other. */
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK ||
		    (last.len > 0 && row_key_compare(&key, &last) <= 0))
			err = ERR_CORRUPT;
		else if (key.len < prefix_len || memcmp(key.bytes, from->bytes, prefix_len) != 0)
			break;
		else
			err = take(context, &key, &v);
		last = key;
	}
	mdb_cursor_close(cursor);
	if (err != ERR_OK)
		return err;
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : lmdb_error(rc, "read", l->e.data_path, NULL);
}

/* --- host numbers --- */

static enum err take_number(void *context, const struct row_key *key, const MDB_val *v)
{
	struct numbers *hosts = context;
	struct id id;
	uint32_t number;
	if (key->len != 1 + ID_BYTES || row_check(key, v->mv_data, v->mv_size) != ERR_OK ||
	    row_decode_number(v->mv_data, v->mv_size, &number) != ERR_OK || number >= LIMIT_HOST_NUMBERS)
		return ERR_OK;
	memcpy(id.b, key->bytes + 1, ID_BYTES);
	enum err err = numbers_put(hosts, &id, number);
	return err == ERR_NOMEM ? err : ERR_OK;
}

static enum err load_numbers(struct lmdb *l, MDB_txn *txn)
{
	struct numbers hosts = {.count = 0};
	struct row_key first = row_key_first(TABLE_NUMBERS);
	enum err err = each_row(l, txn, &first, 1, take_number, &hosts);
	if (err != ERR_OK) {
		numbers_clear(&hosts);
		return err;
	}
	mtx_lock(&l->hosts_lock);
	numbers_clear(&l->hosts);
	l->hosts = hosts;
	mtx_unlock(&l->hosts_lock);
	return ERR_OK;
}

/* --- blocks --- */

static enum err open_value(struct lmdb_value *value, enum err err, struct snapshot_block *ret)
{
	struct snapshot_block b = {.damaged = true};
	if (err != ERR_OK && err != ERR_LIMIT) {
		free(value->bytes);
		return err;
	}
	if (err == ERR_OK)
		b.damaged = column_open(value->bytes, value->prefix_bytes, value->len, &b.block) != ERR_OK;
	if (b.damaged)
		free(value->bytes);
	else
		b.bytes = value->bytes;
	*ret = b;
	return ERR_OK;
}

static enum err get_in_txn(void *context, const struct row_key *key, struct snapshot_block *ret)
{
	struct lmdb_source *s = context;
	struct lmdb_value value = {.bytes = NULL};
	return open_value(&value, lmdb_get_value(s->txn, s->l->e.dbi, key, &value), ret);
}

static enum err each_in_txn(void *context, const uint8_t *prefix, size_t prefix_len, column_take take,
			    void *take_context)
{
	struct lmdb_source *s = context;
	struct row_key key;
	enum err err = row_key_of(prefix, prefix_len, &key);
	while (err == ERR_OK) {
		struct lmdb_value value = {.bytes = NULL};
		struct snapshot_block taken;
		err = open_value(&value, lmdb_next_value(s->txn, s->l->e.dbi, &key, prefix_len, &value),
				 &taken);
		if (err == ERR_OK)
			err = take(take_context, &key, &taken);
	}
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err lmdb_table_open(struct lmdb_source *from, enum column_group group, uint32_t end,
			 struct column_table **ret)
{
	const struct column_source source = {from, get_in_txn, each_in_txn};
	return column_table_open_from(&source, group, end, ret);
}

/* --- tallies --- */

static enum err take_tally(void *context, const struct row_key *key, const MDB_val *v)
{
	struct lmdb *l = context;
	unsigned group = key->len > 1 ? key->bytes[1] : 0;
	if (group < COLUMN_GROUP_FIRST || group > COLUMN_GROUP_LAST)
		return ERR_OK;
	l->deltas[group].count++;
	l->deltas[group].bytes += v->mv_size;
	/* As many as are stated: a damaged one is noticed when it is read. */
	if (v->mv_size > 4)
		l->deltas[group].rows += column_le((const uint8_t *)v->mv_data + 2, 2);
	return ERR_OK;
}

/* --- the index --- */

static enum err load_entry(struct index_state *index, uint32_t number, struct column_row row)
{
	struct id id = numbers_short(column_row_u64(row, C_ENTRY_ID));
	return numbers_put(&index->entries, &id, number);
}

static enum err load_chunk(struct index_state *index, uint32_t number, struct column_row row)
{
	struct id id;
	size_t len = 0;
	if (!column_row_id(row, C_CHUNK_ID, &id))
		return ERR_FORMAT;
	(void)column_row_bytes(row, C_CHUNK_ENTRIES, &len);
	enum err err = numbers_put(&index->chunks, &id, number);
	if (err == ERR_OK)
		err = lmdb_index_fact(
		    index, number,
		    (struct index_chunk){(uint16_t)(len / 4), column_row_u64(row, C_CHUNK_COMPLETE) != 0});
	return err;
}

static enum err load_manifest(struct index_state *index, uint32_t number, struct column_row row)
{
	struct id id, unknown = {{0}};
	if (!column_row_id(row, C_MANIFEST_ID, &id))
		return ERR_FORMAT;
	enum err err = numbers_put(&index->manifests, &id, number);
	if (err == ERR_OK && column_row_u64(row, C_MANIFEST_COMPLETE) == 0)
		err = lmdb_index_wait(index, number, &unknown);
	return err;
}

/* Anything odd makes the whole index suspect. */
static enum err load_group(struct lmdb *l, MDB_txn *txn, enum column_group group, uint32_t end,
			   enum err (*load)(struct index_state *index, uint32_t number,
					    struct column_row row))
{
	struct lmdb_source from = {l, txn};
	struct column_table *t;
	enum err err = lmdb_table_open(&from, group, end, &t);
	if (err != ERR_OK)
		return err;
	for (uint32_t i = 0; i < end && err == ERR_OK; i++) {
		struct column_row row;
		err = column_table_row(t, i, &row);
		if (err == ERR_OK && row.block != NULL)
			err = load(&l->index, i, row);
		if (err == ERR_OK && column_table_damaged(t, i))
			err = ERR_CHECKSUM;
	}
	column_table_close(t);
	if (err == ERR_CHECKSUM || err == ERR_FORMAT || err == ERR_EXISTS || err == ERR_ARG) {
		l->repair |= lmdb_bit(group);
		err = ERR_OK;
	}
	return err;
}

static enum err load_index(struct lmdb *l, MDB_txn *txn, const struct store_meta *meta)
{
	lmdb_index_clear(&l->index);
	enum err err = load_group(l, txn, GROUP_ENTRY, meta->ends[GROUP_ENTRY], load_entry);
	if (err == ERR_OK)
		err = load_group(l, txn, GROUP_CHUNK, meta->ends[GROUP_CHUNK], load_chunk);
	if (err == ERR_OK)
		err = load_group(l, txn, GROUP_MANIFEST, meta->ends[GROUP_MANIFEST], load_manifest);
	l->index.retry = l->index.grown = l->lists_wait = true;
	return err;
}

/* --- site counts and names --- */

static enum err load_counted_group(struct lmdb *l, MDB_txn *txn, enum column_group group, uint32_t end)
{
	struct lmdb_source from = {l, txn};
	struct column_table *t;
	enum err err = lmdb_table_open(&from, group, end, &t);
	if (err != ERR_OK)
		return err;
	for (uint32_t i = 0; i < end && err == ERR_OK; i++) {
		struct column_row row;
		err = column_table_row(t, i, &row);
		if (err == ERR_OK && row.block != NULL)
			err = lmdb_counts_note_row(&l->counts, group, i, row);
		if (err == ERR_OK && row.block != NULL && group == GROUP_COMPONENTS &&
		    column_row_u64(row, C_COMPONENTS_MANIFEST) == INDEX_NO_ROOM)
			l->index.unnumbered = true;
		if (err == ERR_OK && column_table_damaged(t, i))
			l->repair |= lmdb_bit(group);
	}
	column_table_close(t);
	return err;
}

struct counts_sum {
	uint64_t rows, digest;
	bool damaged;
};

static enum err sum_counts(void *context, const struct row_key *key, const MDB_val *v)
{
	struct counts_sum *sum = context;
	bool good = row_check(key, v->mv_data, v->mv_size) == ERR_OK;
	sum->rows++;
	sum->digest += good ? row_checksum(v->mv_data) : 0;
	sum->damaged = sum->damaged || !good;
	return ERR_OK;
}

/* What blocks say of hosts; rows that say anything else are made anew. */
static enum err load_counts(struct lmdb *l, MDB_txn *txn, const struct store_meta *meta)
{
	static const enum column_group groups[] = {GROUP_HOST, GROUP_STATE, GROUP_PROFILE, GROUP_COMPONENTS};
	struct row_key counts = row_key_first(TABLE_SITE_COUNTS), names = row_key_first(TABLE_NAMES);
	struct counts_sum have = {.rows = 0};
	uint64_t rows, digest;
	enum err err = ERR_OK;
	lmdb_counts_clear(&l->counts);
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups) && err == ERR_OK; i++)
		err = load_counted_group(l, txn, groups[i], meta->ends[groups[i]]);
	if (err == ERR_OK)
		err = each_row(l, txn, &counts, 1, sum_counts, &have);
	if (err == ERR_OK)
		err = each_row(l, txn, &names, 1, sum_counts, &have);
	lmdb_counts_sum(&l->counts, &rows, &digest);
	if (have.damaged || have.rows != rows || have.digest != digest)
		l->repair |= meta->schema >= STORE_SCHEMA_LISTS ? REPAIR_COUNTS : 0;
	return err;
}

enum err lmdb_load(struct lmdb *l, MDB_txn *txn, const struct store_meta *meta)
{
	struct row_key deltas = row_key_first(TABLE_DELTAS);
	memset(l->deltas, 0, sizeof(l->deltas));
	enum err err = load_numbers(l, txn);
	if (err == ERR_OK)
		err = each_row(l, txn, &deltas, 1, take_tally, l);
	if (err == ERR_OK)
		err = load_index(l, txn, meta);
	return err == ERR_OK ? load_counts(l, txn, meta) : err;
}

/* --- verification --- */

struct verifying {
	struct lmdb *l;
	uint64_t rows, data_rows, digest;
	bool damaged;
	struct row_set *orphans; /* stored keys: rows of a host whose number nobody knows */
};

static enum err verify_row(void *context, const struct row_key *stored, const MDB_val *v)
{
	struct verifying *w = context;
	struct row_key known = *stored;
	uint32_t number;
	if (stored->bytes[0] == TABLE_META || host_key_is_fence(stored))
		return ERR_OK;
	w->rows++;
	w->data_rows += !store_table_is_derived(stored->bytes[0]);
	if (host_key_number(stored, &number) &&
	    host_key_known(stored, numbers_id(&w->l->hosts, number), &known) != ERR_OK) {
		w->damaged = true;
		return row_set_put(w->orphans, stored, NULL, 0);
	}
	if (lmdb_is_good(stored, &known, v->mv_data, v->mv_size)) {
		w->digest += lmdb_checksum(stored, v->mv_data, v->mv_size);
		return ERR_OK;
	}
	w->damaged = true;
	/* Nobody else has it; that one is missing shows in the numbers of the others. */
	if (stored->bytes[0] == TABLE_TRANSITIONS)
		return row_set_put(w->orphans, stored, NULL, 0);
	if ((stored->bytes[0] == TABLE_BLOCKS || stored->bytes[0] == TABLE_DELTAS) && stored->len > 1 &&
	    stored->bytes[1] >= COLUMN_GROUP_FIRST && stored->bytes[1] <= COLUMN_GROUP_LAST)
		w->l->repair |= lmdb_bit((enum column_group)stored->bytes[1]);
	return ERR_OK;
}

static enum err verify_in_guard(void *context)
{
	struct verifying *w = context;
	struct row_key first = row_key_first(TABLE_META);
	MDB_txn *txn;
	int rc = mdb_txn_begin(w->l->e.env, NULL, MDB_RDONLY, &txn);
	if (rc != 0)
		return lmdb_error(rc, "read", w->l->e.data_path, NULL);
	enum err err = lmdb_load(w->l, txn, &w->l->meta);
	if (err == ERR_OK)
		err = each_row(w->l, txn, &first, 0, verify_row, w);
	mdb_txn_abort(txn);
	return err;
}

/* Rows of a host whose number nobody knows: peers have them. */
static enum err drop_orphans(struct commit *c)
{
	const struct row_set *orphans = c->context;
	enum err err = ERR_OK;
	for (size_t i = 0; i < orphans->count && err == ERR_OK; i++) {
		c->work.lost += orphans->rows[i]->key.bytes[0] == TABLE_TRANSITIONS;
		err = lmdb_put(c, &orphans->rows[i]->key, NULL, NULL, 0);
	}
	return err;
}

enum err lmdb_verify(struct lmdb *l)
{
	struct row_set orphans = {.count = 0}, none = {.count = 0};
	struct verifying w = {.l = l, .orphans = &orphans};
	enum err err = lmdb_env_run(&l->e, verify_in_guard, &w);
	if (err == ERR_OK && l->meta.digest_known &&
	    (w.rows != l->meta.rows || (!w.damaged && w.digest != l->meta.digest)))
		err = ERR_CORRUPT;
	if (err == ERR_OK) {
		l->meta.rows = w.rows;
		l->data_rows = w.data_rows;
		l->meta.digest = w.digest;
		l->meta.digest_known = !w.damaged;
		/* What cannot be mended now, as the disk is full, is mended by the first commit that
		 * succeeds. */
		if ((orphans.count > 0 || l->repair != 0) &&
		    lmdb_commit_with(l, &none, 0, drop_orphans, &orphans, NULL) == ERR_CORRUPT)
			err = ERR_CORRUPT;
	}
	row_set_clear(&orphans);
	return err;
}
