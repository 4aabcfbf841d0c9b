/* What nobody refers to any more, as far as it has a number: rows of the component index, and hosts. Numbers
 * are free for others from the next commit on; whoever reads an older state has an older transaction.
 *
 * Happy path: blobs were deleted (sweep.c says which), so it is time to look. A manifest stays while a host
 * names it or its blob is here, a chunk while a manifest has it or its blob is here, an entry while a chunk
 * has it. Fails: where a block is damaged nobody can tell what it named, so nothing goes until it is made
 * anew. */
#include <stdlib.h>
#include <string.h>

#include "store/column_table.h"
#include "store/lmdb_backend.h"

#define INDEX_MS  (120 * CLOCK_MINUTE_MS) /* where no blob went: what was named and never came */
#define ROWS_MOST 4096                    /* of a group that go in one commit */

/* --- hosts --- */

static enum err any_key(struct commit *c, const struct row_key *prefix, bool *ret)
{
	MDB_cursor *cursor;
	MDB_val k = {prefix->len, (void *)prefix->bytes}, v;
	int rc = mdb_cursor_open(c->txn, c->l->e.dbi, &cursor);
	if (rc != 0)
		return lmdb_error(rc, "read", c->l->e.data_path, c->info);
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	*ret = rc == 0 && k.mv_size >= prefix->len && memcmp(k.mv_data, prefix->bytes, prefix->len) == 0;
	mdb_cursor_close(cursor);
	return rc == 0 || rc == MDB_NOTFOUND ? ERR_OK : lmdb_error(rc, "read", c->l->e.data_path, c->info);
}

/* Whoever keeps rows under a host's number elsewhere looks for them here. */
static enum err anything_left(struct commit *c, uint32_t number, const struct id *host, bool *ret)
{
	struct row_key state = row_key_id(TABLE_HOST_STATES, host);
	state = host_key_stored(&state, number);
	enum err err = any_key(c, &state, ret);
	for (unsigned kind = RECORD_CERTIFICATE; kind <= RECORD_GOODBYE && err == ERR_OK && !*ret; kind++) {
		struct row_key prefix = host_key_prefix((uint8_t)kind, number);
		err = any_key(c, &prefix, ret);
	}
	return err;
}

enum err lmdb_sweep_hosts(struct commit *c)
{
	size_t free_again = 0;
	enum err err = ERR_OK;
	for (size_t i = 0; i < c->gone_count && err == ERR_OK; i++) {
		const struct id *host = numbers_id(&c->l->hosts, c->gone[i]);
		bool left = true;
		if (host != NULL)
			err = anything_left(c, c->gone[i], host, &left);
		if (err != ERR_OK || left)
			continue;
		struct row_key key = row_key_id(TABLE_NUMBERS, host);
		err = lmdb_put(c, &key, &key, NULL, 0);
		c->gone[free_again++] = c->gone[i];
	}
	c->gone_count = free_again;
	return err;
}

/* --- the component index --- */

struct sweeping {
	struct commit *c;
	uint8_t *marks; /* by number, of the group at hand */
	uint32_t marks_end;
};

static void mark(struct sweeping *s, uint32_t number)
{
	if (number < s->marks_end)
		s->marks[number] = 1;
}

static void mark_list(struct sweeping *s, struct column_row row, unsigned column)
{
	size_t len = 0;
	const uint8_t *bytes = column_row_bytes(row, column, &len);
	for (size_t i = 0; i + 4 <= len; i += 4)
		mark(s, (uint32_t)column_le(bytes + i, 4));
}

static void mark_named_by(struct sweeping *s, enum column_group group, struct column_row row)
{
	if (group == GROUP_COMPONENTS)
		mark(s, (uint32_t)column_row_u64(row, C_COMPONENTS_MANIFEST) - 1);
	else if (group == GROUP_MANIFEST)
		mark_list(s, row, C_MANIFEST_CHUNKS);
	else
		mark_list(s, row, C_CHUNK_ENTRIES);
}

/* What the rows of a group name. ERR_CHECKSUM: some of them are not known. */
static enum err mark_group(struct sweeping *s, enum column_group by, enum column_group of)
{
	struct lmdb_source from = {s->c->l, s->c->txn};
	uint32_t end = s->c->meta.ends[by];
	struct column_table *t;
	free(s->marks);
	s->marks_end = s->c->meta.ends[of];
	s->marks = calloc(1, s->marks_end + 1);
	enum err err = s->marks != NULL ? lmdb_table_open(&from, by, end, &t) : ERR_NOMEM;
	if (err != ERR_OK)
		return err;
	for (uint32_t i = 0; i < end && err == ERR_OK; i++) {
		struct column_row row;
		err = column_table_row(t, i, &row);
		if (err == ERR_OK && row.block != NULL)
			mark_named_by(s, by, row);
		else if (err == ERR_OK && column_table_damaged(t, i))
			err = ERR_CHECKSUM;
	}
	column_table_close(t);
	return err;
}

static enum err write_absent(struct commit *c, enum column_group group, const struct block_row *rows,
			     size_t count)
{
	struct column_draft *d;
	enum err err = column_draft_new(group, (unsigned)count, &d);
	if (err != ERR_OK)
		return err;
	err = lmdb_blocks_write(c, group, d, rows, count);
	column_draft_free(d);
	return err;
}

/* Those of a group that are not marked, and have no blob. */
static enum err drop_rest(struct sweeping *s, enum column_group group, struct numbers *n)
{
	struct block_row *rows = malloc(ROWS_MOST * sizeof(*rows));
	enum err err = rows != NULL ? ERR_OK : ERR_NOMEM;
	size_t count = 0;
	for (uint32_t i = 0; i < n->end && i < s->marks_end && err == ERR_OK; i++) {
		const struct id *id = numbers_id(n, i);
		bool here = false;
		if (id == NULL || s->marks[i] != 0)
			continue;
		struct row_key key = row_key_id(TABLE_BLOBS, id);
		if (group != GROUP_ENTRY)
			err = any_key(s->c, &key, &here);
		if (err != ERR_OK || here)
			continue;
		if (count == ROWS_MOST) {
			s->c->l->index.left = true;
			break;
		}
		rows[count] = (struct block_row){i, (uint32_t)count};
		count++;
	}
	if (err == ERR_OK && count > 0)
		err = write_absent(s->c, group, rows, count);
	for (size_t i = 0; err == ERR_OK && i < count; i++)
		numbers_drop(n, rows[i].number);
	if (err == ERR_OK)
		s->c->work.swept += count;
	free(rows);
	return err;
}

/* Manifests that are gone wait for nothing. */
static void stop_waiting(struct index_state *index)
{
	size_t kept = 0;
	for (size_t i = 0; i < index->waiting_count; i++) {
		if (numbers_id(&index->manifests, index->waiting[i].manifest) != NULL)
			index->waiting[kept++] = index->waiting[i];
		else
			lmdb_index_entered(index, index->waiting[i].manifest);
	}
	index->waiting_count = kept;
}

/* Each group after what names it, as that was left. */
static enum err sweep(struct sweeping *s)
{
	struct index_state *index = &s->c->l->index;
	size_t manifests = index->manifests.count;
	enum err err = mark_group(s, GROUP_COMPONENTS, GROUP_MANIFEST);
	if (err == ERR_CHECKSUM) {
		s->c->repair |= lmdb_bit(GROUP_COMPONENTS);
		index->left = true;
		return ERR_OK;
	}
	if (err == ERR_OK)
		err = drop_rest(s, GROUP_MANIFEST, &index->manifests);
	if (err != ERR_OK)
		return err;
	stop_waiting(index);
	if (index->unnumbered && index->manifests.count < manifests) {
		index->unnumbered = false;
		s->c->repair |= lmdb_bit(GROUP_COMPONENTS);
	}
	err = mark_group(s, GROUP_MANIFEST, GROUP_CHUNK);
	if (err == ERR_OK)
		err = drop_rest(s, GROUP_CHUNK, &index->chunks);
	if (err == ERR_OK)
		err = mark_group(s, GROUP_CHUNK, GROUP_ENTRY);
	return err == ERR_OK ? drop_rest(s, GROUP_ENTRY, &index->entries) : err;
}

static bool is_due(struct commit *c)
{
	struct index_state *index = &c->l->index;
	if (c->blobs_gone || index->left)
		return true;
	if (c->now == 0 || !index->grown)
		return false;
	if (index->swept == 0)
		index->swept = c->now;
	return c->now >= index->swept + INDEX_MS;
}

enum err lmdb_sweep_index(struct commit *c)
{
	struct index_state *index = &c->l->index;
	struct sweeping s = {.c = c};
	if (!is_due(c))
		return ERR_OK;
	/* What this commit has written of a group already keeps its place: this is written behind it. */
	c->meta.commit++;
	index->left = index->grown = false;
	index->swept = c->now;
	enum err err = sweep(&s);
	/* Of a full table there is room for those that were left out. */
	index->retry = index->retry || c->work.swept > 0;
	free(s.marks);
	return err;
}
