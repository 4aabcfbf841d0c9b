/* Which entries a manifest has, by numbers: entries <- chunks <- manifests <- hosts. Hosts of one image share
 * a manifest, images share chunks, so the index is small, and whoever asks for a component's hosts scans it
 * (docs/decisions/0008-column-scans.md).
 *
 * Happy path: a components record names a manifest; it gets a number, its blobs are read, chunks that are new
 * are decoded. Fails: where a blob is not here yet the manifest waits for it; where there is no room it waits
 * for room. Hosts of one image share chunks, whoever invents components shares none: from half of the room
 * on, what costs much, or is named by hosts that do not count, is left out. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/derive.h"
#include "store/lmdb_backend.h"

#define CHEAP_CHUNKS 24 /* new ones of a manifest: a changed driver is one, an image about twenty */

struct news_list {
	struct column_draft *draft;
	struct block_row *rows;
	size_t count, cap;
};

struct index_news {
	struct news_list entries, chunks, manifests;
	struct {
		uint32_t number;
		bool good;
	} * named; /* manifests that were not known */
	size_t named_count, named_cap;
};

/* --- what is new in this commit --- */

static enum err open_news(struct commit *c)
{
	if (c->news != NULL)
		return ERR_OK;
	struct index_news *n = calloc(1, sizeof(*n));
	if (n == NULL)
		return ERR_NOMEM;
	c->news = n;
	enum err err = column_draft_new(GROUP_ENTRY, 0, &n->entries.draft);
	if (err == ERR_OK)
		err = column_draft_new(GROUP_CHUNK, 0, &n->chunks.draft);
	return err == ERR_OK ? column_draft_new(GROUP_MANIFEST, 0, &n->manifests.draft) : err;
}

void lmdb_index_news_free(struct commit *c)
{
	struct index_news *n = c->news;
	if (n == NULL)
		return;
	struct news_list *lists[] = {&n->entries, &n->chunks, &n->manifests};
	for (size_t i = 0; i < 3; i++) {
		column_draft_free(lists[i]->draft);
		free(lists[i]->rows);
	}
	free(n->named);
	free(n);
	c->news = NULL;
}

static enum err add_row(struct news_list *list, uint32_t number, unsigned *ret_row)
{
	if (list->count == list->cap) {
		size_t cap = list->cap == 0 ? 64 : list->cap * 2;
		struct block_row *more = realloc(list->rows, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		list->rows = more;
		list->cap = cap;
	}
	enum err err = column_draft_add(list->draft, ret_row);
	if (err == ERR_OK)
		list->rows[list->count++] = (struct block_row){number, *ret_row};
	return err;
}

static int by_number(const void *a, const void *b)
{
	const struct block_row *x = a, *y = b;
	return (x->number > y->number) - (x->number < y->number);
}

static enum err write_list(struct commit *c, enum column_group group, struct news_list *list)
{
	if (list->count > 0)
		qsort(list->rows, list->count, sizeof(*list->rows), by_number);
	return lmdb_blocks_write(c, group, list->draft, list->rows, list->count);
}

/* --- reading a manifest --- */

struct reading_manifest {
	struct commit *c;
	uint32_t *chunks;
	size_t count, cap;
	uint32_t entries;
	bool complete, left_out, count_only;
	size_t fresh; /* chunks that are not known yet */
	struct id missing;
	/* Of the chunk being decoded. */
	const uint8_t *blob;
	size_t blob_len;
	bool listed;
	uint8_t numbers[LIMIT_BLOB_BYTES * 4];
	size_t number_count;
	enum err failed;
};

enum err lmdb_read_blob(struct commit *c, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	struct row_key key = row_key_id(TABLE_BLOBS, id);
	struct row_value row;
	const uint8_t *blob;
	enum err err = lmdb_read(c, &key, &row);
	if (err == ERR_OK && row_decode_blob(row.bytes, row.len, &blob, ret_len) != ERR_OK)
		return ERR_NOT_FOUND;
	if (err == ERR_OK)
		memcpy(ret, blob, *ret_len);
	return err;
}

/* manifest_read wants a list on top: the chunk is wrapped in one. */
static enum err fetch_chunk(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
			    size_t *ret_len)
{
	struct reading_manifest *m = context;
	if (!m->listed) {
		ret[0] = 1;
		ret[1] = BLOB_LIST;
		memcpy(ret + 2, id->b, ID_BYTES);
		*ret_len = 2 + ID_BYTES;
		m->listed = true;
		return ERR_OK;
	}
	memcpy(ret, m->blob, m->blob_len);
	*ret_len = m->blob_len;
	return ERR_OK;
}

static enum err number_of_entry(struct commit *c, uint64_t entry_id, const struct component *component,
				uint32_t *ret)
{
	struct numbers *entries = &c->l->index.entries;
	struct id id = numbers_short(entry_id);
	unsigned row;
	if (numbers_find(entries, &id, ret))
		return ERR_OK;
	if (entries->count >= LIMIT_ENTRIES)
		return ERR_LIMIT;
	*ret = numbers_free(entries);
	enum err err = numbers_put(entries, &id, *ret);
	if (err == ERR_OK)
		err = add_row(&c->news->entries, *ret, &row);
	if (err == ERR_OK)
		derive_entry(entry_id, component, c->news->entries.draft, row);
	return err;
}

static bool take_entry(void *context, size_t index, uint64_t entry_id, const struct component *component)
{
	struct reading_manifest *m = context;
	uint32_t number;
	(void)index;
	m->failed = number_of_entry(m->c, entry_id, component, &number);
	if (m->failed != ERR_OK || m->number_count >= LIMIT_BLOB_BYTES)
		return false;
	uint8_t *at = m->numbers + 4 * m->number_count++;
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(number >> 8 * i);
	return true;
}

/* A chunk that nobody had yet. ERR_LIMIT: no room for some of it. */
static enum err decode_chunk(struct reading_manifest *m, const struct id *id, const uint8_t *blob, size_t len,
			     uint32_t *ret)
{
	struct numbers *chunks = &m->c->l->index.chunks;
	unsigned row;
	if (chunks->count >= LIMIT_CHUNKS)
		return ERR_LIMIT;
	m->blob = blob;
	m->blob_len = len;
	m->listed = false;
	m->number_count = 0;
	m->failed = ERR_OK;
	bool complete = manifest_read(id, fetch_chunk, m, take_entry, m) == ERR_OK;
	if (m->failed != ERR_OK)
		return m->failed;
	*ret = numbers_free(chunks);
	enum err err = numbers_put(chunks, id, *ret);
	if (err == ERR_OK)
		err = lmdb_index_fact(&m->c->l->index, *ret,
				      (struct index_chunk){(uint16_t)m->number_count, complete});
	if (err == ERR_OK)
		err = add_row(&m->c->news->chunks, *ret, &row);
	if (err != ERR_OK)
		return err;
	struct column_draft *d = m->c->news->chunks.draft;
	column_draft_mark(d, row);
	column_put_id(d, row, C_CHUNK_ID, id);
	column_put_bytes(d, row, C_CHUNK_ENTRIES, m->numbers, 4 * m->number_count);
	column_put_u64(d, row, C_CHUNK_COMPLETE, complete);
	return ERR_OK;
}

static enum err add_chunk(struct reading_manifest *m, uint32_t chunk)
{
	if (m->count == m->cap) {
		size_t cap = m->cap == 0 ? 64 : m->cap * 2;
		uint32_t *more = realloc(m->chunks, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		m->chunks = more;
		m->cap = cap;
	}
	m->chunks[m->count++] = chunk;
	m->entries += m->c->l->index.facts[chunk].entries;
	m->complete = m->complete && m->c->l->index.facts[chunk].complete;
	return ERR_OK;
}

/* Lists to depth two over chunks. Stops quietly, incomplete, at what is missing, malformed or too much. */
static enum err take_blob(struct reading_manifest *m, const struct id *id, unsigned depth)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	const uint8_t *ids;
	size_t len, count;
	uint32_t chunk;
	if (depth > 0 && numbers_find(&m->c->l->index.chunks, id, &chunk))
		return m->count_only ? ERR_OK : add_chunk(m, chunk);
	/* Below lists of lists there are only chunks. */
	if (m->count_only && depth == 2) {
		m->fresh++;
		return ERR_OK;
	}
	enum err err = lmdb_read_blob(m->c, id, blob, &len);
	if (err == ERR_NOT_FOUND) {
		m->complete = false;
		m->missing = *id;
		return ERR_OK;
	}
	if (err != ERR_OK)
		return err;
	if (depth < 2 && blob_list(blob, len, &ids, &count) == ERR_OK) {
		for (size_t i = 0; i < count && m->complete && err == ERR_OK; i++) {
			struct id child;
			memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
			err = take_blob(m, &child, depth + 1);
			m->complete = m->complete && m->entries <= LIMIT_COMPONENTS;
		}
		return err;
	}
	m->complete = m->complete && depth > 0;
	m->fresh += depth > 0;
	if (depth == 0 || m->count_only)
		return ERR_OK;
	err = decode_chunk(m, id, blob, len, &chunk);
	return err == ERR_OK ? add_chunk(m, chunk) : err;
}

static bool half_full(const struct index_state *index)
{
	return index->entries.count > LIMIT_ENTRIES / 2 || index->chunks.count > LIMIT_CHUNKS / 2;
}

/* Whether there is room for it. */
static enum err may_enter(struct reading_manifest *m, const struct id *root, bool good, bool *ret)
{
	*ret = true;
	if (!half_full(&m->c->l->index))
		return ERR_OK;
	m->count_only = true;
	enum err err = take_blob(m, root, 0);
	*ret = good && m->fresh <= CHEAP_CHUNKS;
	m->count_only = false;
	m->complete = true;
	m->fresh = 0;
	return err;
}

static enum err put_manifest(struct reading_manifest *m, uint32_t number, const struct id *root)
{
	struct news_list *list = &m->c->news->manifests;
	unsigned row;
	enum err err = add_row(list, number, &row);
	uint8_t *bytes = malloc(4 * m->count + 1);
	if (err == ERR_OK && bytes == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; i < m->count && err == ERR_OK; i++) {
		for (unsigned k = 0; k < 4; k++)
			bytes[4 * i + k] = (uint8_t)(m->chunks[i] >> 8 * k);
	}
	if (err == ERR_OK) {
		column_draft_mark(list->draft, row);
		column_put_id(list->draft, row, C_MANIFEST_ID, root);
		column_put_u64(list->draft, row, C_MANIFEST_ENTRIES, m->entries);
		column_put_u64(list->draft, row, C_MANIFEST_COMPLETE, m->complete);
		column_put_u64(list->draft, row, C_MANIFEST_LEFT_OUT, m->left_out);
		if (m->count > 0)
			column_put_bytes(list->draft, row, C_MANIFEST_CHUNKS, bytes, 4 * m->count);
	}
	free(bytes);
	return err;
}

static enum err read_manifest(struct commit *c, uint32_t number, bool good)
{
	const struct id *known = numbers_id(&c->l->index.manifests, number);
	bool may;
	if (known == NULL)
		return ERR_OK;
	struct id root = *known;
	struct reading_manifest *m = calloc(1, sizeof(*m));
	if (m == NULL)
		return ERR_NOMEM;
	m->c = c;
	m->complete = true;
	enum err err = may_enter(m, &root, good, &may);
	if (err == ERR_OK && may)
		err = take_blob(m, &root, 0);
	if (err == ERR_LIMIT || (err == ERR_OK && !may)) {
		m->complete = false;
		m->left_out = true;
		err = ERR_OK;
	}
	if (err == ERR_OK && (m->left_out || !id_is_zero(&m->missing)))
		err = lmdb_index_wait(&c->l->index, number, &m->missing);
	else
		lmdb_index_entered(&c->l->index, number);
	if (err == ERR_OK)
		err = put_manifest(m, number, &root);
	free(m->chunks);
	free(m);
	return err;
}

/* A chunk that no manifest names, or not yet; it may be kept for what hosts say of their past (sweep.h). */
static enum err take_left_over(struct reading_manifest *m, const struct row_key *key, const uint8_t *bytes,
			       size_t bytes_len)
{
	const uint8_t *blob;
	size_t len;
	enum blob_type type;
	struct id id;
	uint32_t chunk;
	if (half_full(&m->c->l->index) || row_check(key, bytes, bytes_len) != ERR_OK ||
	    row_decode_blob(bytes, bytes_len, &blob, &len) != ERR_OK ||
	    blob_check(blob, len, &type) != ERR_OK || type != BLOB_COMPONENTS)
		return ERR_OK;
	memcpy(id.b, key->bytes + 1, ID_BYTES);
	if (numbers_find(&m->c->l->index.chunks, &id, &chunk))
		return ERR_OK;
	enum err err = decode_chunk(m, &id, blob, len, &chunk);
	return err == ERR_LIMIT ? ERR_OK : err;
}

/* After all of the index was forgotten. */
static enum err take_all_left_over(struct reading_manifest *m)
{
	struct commit *c = m->c;
	struct row_key first = row_key_first(TABLE_BLOBS), key;
	MDB_cursor *cursor;
	MDB_val k = {first.len, first.bytes}, v;
	enum err err = ERR_OK;
	int rc = mdb_cursor_open(c->txn, c->l->e.dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", c->l->e.data_path, c->info);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	for (; rc == 0 && err == ERR_OK; rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) {
		if (row_key_of(k.mv_data, k.mv_size, &key) != ERR_OK || key.bytes[0] != TABLE_BLOBS)
			break;
		err = take_left_over(m, &key, v.mv_data, v.mv_size);
	}
	mdb_cursor_close(cursor);
	if (err != ERR_OK || rc == 0 || rc == MDB_NOTFOUND)
		return err;
	return lmdb_error(rc, "read", c->l->e.data_path, c->info);
}

static enum err take_left_overs(struct commit *c)
{
	if (!c->new_blobs && !c->l->index.forgotten)
		return ERR_OK;
	struct reading_manifest *m = calloc(1, sizeof(*m));
	enum err err = m != NULL ? open_news(c) : ERR_NOMEM;
	if (err == ERR_OK) {
		m->c = c;
		m->complete = true;
	}
	if (err == ERR_OK && c->l->index.forgotten)
		err = take_all_left_over(m);
	for (size_t i = 0; i < c->batch->count && err == ERR_OK; i++) {
		const struct row *row = c->batch->rows[i];
		if (row->key.bytes[0] == TABLE_BLOBS && row->len > 0)
			err = take_left_over(m, &row->key, row->bytes, row->len);
	}
	free(m);
	return err;
}

/* --- the two doors --- */

static enum err note_named(struct index_news *n, uint32_t number, bool good)
{
	if (n->named_count == n->named_cap) {
		size_t cap = n->named_cap == 0 ? 64 : n->named_cap * 2;
		void *more = realloc(n->named, cap * sizeof(*n->named));
		if (more == NULL)
			return ERR_NOMEM;
		n->named = more;
		n->named_cap = cap;
	}
	n->named[n->named_count].number = number;
	n->named[n->named_count++].good = good;
	return ERR_OK;
}

enum err lmdb_index_manifest(struct commit *c, const struct id *root, bool good, uint32_t *ret)
{
	struct numbers *manifests = &c->l->index.manifests;
	enum err err = ERR_OK;
	if (numbers_find(manifests, root, ret)) {
		bool again = good && lmdb_index_read_again(&c->l->index, *ret);
		if (again)
			err = open_news(c);
		return again && err == ERR_OK ? note_named(c->news, *ret, true) : err;
	}
	*ret = INDEX_NO_ROOM;
	c->l->index.unnumbered = c->l->index.unnumbered || manifests->count >= LIMIT_MANIFESTS;
	if (manifests->count >= LIMIT_MANIFESTS)
		return ERR_OK;
	err = open_news(c);
	uint32_t number = numbers_free(manifests);
	if (err == ERR_OK)
		err = numbers_put(manifests, root, number);
	if (err == ERR_OK)
		err = note_named(c->news, number, good);
	if (err == ERR_OK) {
		*ret = number;
		c->l->index.grown = true;
	}
	return err;
}

/* Those that waited for what the batch brings. Taken off the list: read_manifest puts them back. */
static enum err wake(struct commit *c)
{
	struct index_state *index = &c->l->index;
	size_t kept = 0;
	if ((!c->new_blobs && !index->retry) || index->waiting_count == 0)
		return ERR_OK;
	enum err err = open_news(c);
	for (size_t i = 0; i < index->waiting_count; i++) {
		struct index_waiting w = index->waiting[i];
		struct row_key key = row_key_id(TABLE_BLOBS, &w.blob);
		bool keep;
		if (lmdb_index_wakes(index, &w, row_set_find(c->batch, &key) != NULL, &keep) && err == ERR_OK)
			err = note_named(c->news, w.manifest, true);
		if (keep)
			index->waiting[kept++] = w;
	}
	index->waiting_count = kept;
	index->retry = false;
	return err;
}

enum err lmdb_index_settle(struct commit *c)
{
	enum err err = wake(c);
	struct index_news *n = c->news;
	for (size_t i = 0; n != NULL && i < n->named_count && err == ERR_OK; i++)
		err = read_manifest(c, n->named[i].number, n->named[i].good);
	if (err == ERR_OK)
		err = take_left_overs(c);
	n = c->news;
	if (n != NULL && err == ERR_OK)
		err = write_list(c, GROUP_ENTRY, &n->entries);
	if (n != NULL && err == ERR_OK)
		err = write_list(c, GROUP_CHUNK, &n->chunks);
	if (n != NULL && err == ERR_OK)
		err = write_list(c, GROUP_MANIFEST, &n->manifests);
	lmdb_index_news_free(c);
	c->l->index.forgotten = false;
	return err;
}
