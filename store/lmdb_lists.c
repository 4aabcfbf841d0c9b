/* Rows of policy and inventory: what operators' records in force list, in blocks for questions.
 *
 * Happy path: an operator's record comes, and its root, which stands for all blobs below it; the rows of all
 * records in force are written anew. That is seldom, so nothing is spared. Fails: a record whose root is not
 * here yet neither counts nor replaces; where a blob below a root was lost, what is there is shown, and all
 * is tried again when blobs come. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "store/derive.h"
#include "store/lmdb_backend.h"

struct list_record {
	struct id writer;
	uint64_t slot;
	struct listing body;
	bool here;
};

struct lists {
	struct commit *c;
	uint8_t kind;
	enum column_group group;
	struct list_record *records;
	size_t count, cap;
	bool partial;
	/* Rows being written. */
	const struct list_record *record;
	struct column_draft *draft;
	struct block_row changed[COLUMN_BLOCK_ROWS];
	unsigned filled;
	uint32_t end;
	enum err failed;
};

static bool may_list(struct commit *c, const struct record *r)
{
	struct row_key key = row_key_id(TABLE_OPERATORS, &r->key.writer);
	struct row_value row;
	struct operator_state state;
	return id_equal(&r->key.subject, &c->meta.estate) && lmdb_read(c, &key, &row) == ERR_OK &&
	       row_decode_operator(&key, row.bytes, row.len, &state) == ERR_OK &&
	       state_operator_may(&state, r->key.kind, r->time);
}

static enum err take_record(struct lists *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	const uint8_t *body;
	size_t body_len;
	wall_ms received;
	struct record r;
	struct list_record record;
	struct row_value root;
	if (row_check(key, bytes, len) != ERR_OK ||
	    row_decode_record(bytes, len, &body, &body_len, &received) != ERR_OK ||
	    record_parse(body, body_len, &r) != ERR_OK || !may_list(l->c, &r) ||
	    listing_decode(r.body, r.body_len, &record.body) != ERR_OK)
		return ERR_OK;
	record.writer = r.key.writer;
	record.slot = r.key.slot;
	struct row_key at = row_key_id(TABLE_BLOBS, &record.body.root);
	record.here = lmdb_read(l->c, &at, &root) == ERR_OK;
	l->partial = l->partial || !record.here;
	enum err err = lmdb_reserve((void **)&l->records, &l->cap, l->count, sizeof(*l->records));
	if (err == ERR_OK)
		l->records[l->count++] = record;
	return err;
}

static enum err collect(struct lists *l)
{
	struct row_key key = {.bytes = {TABLE_RECORDS, l->kind}, .len = 2};
	for (;;) {
		struct lmdb_value value = {.bytes = NULL};
		enum err err = lmdb_next_value(l->c->txn, l->c->l->e.dbi, &key, 2, &value);
		if (err == ERR_OK)
			err = take_record(l, &key, value.bytes + value.prefix_bytes, value.len);
		free(value.bytes);
		if (err != ERR_OK)
			return err == ERR_NOT_FOUND ? ERR_OK : err;
	}
}

/* Those that another one replaces whose rows are here go. */
static bool is_replaced(const struct lists *l, size_t index)
{
	for (size_t i = 0; i < l->count; i++) {
		const struct list_record *other = &l->records[i];
		if (i == index || !other->here)
			continue;
		for (size_t k = 0; k < other->body.replace_count; k++) {
			if (other->body.replaces[k] == l->records[index].slot)
				return true;
		}
	}
	return false;
}

static enum err keep_in_force(struct lists *l, uint64_t *ret_digest)
{
	struct list_record *kept = malloc((l->count + 1) * sizeof(*kept));
	size_t count = 0;
	uint64_t digest = 0;
	if (kept == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		const struct list_record *r = &l->records[i];
		uint8_t said[8 + 3 * ID_BYTES] = {0};
		if (!r->here || is_replaced(l, i))
			continue;
		memcpy(said, &digest, 8);
		memcpy(said + 8, r->writer.b, ID_BYTES);
		memcpy(said + 8 + ID_BYTES, r->body.root.b, ID_BYTES);
		memcpy(said + 8 + 2 * ID_BYTES, &r->slot, 8);
		digest = hash_checksum(said, sizeof(said));
		digest = digest > STORE_LIST_PARTIAL ? digest : STORE_LIST_PARTIAL + 1;
		kept[count++] = *r;
	}
	free(l->records);
	l->records = kept;
	l->count = count;
	*ret_digest = digest;
	return ERR_OK;
}

/* --- rows --- */

static enum err flush(struct lists *l)
{
	enum err err = lmdb_blocks_write(l->c, l->group, l->draft, l->changed, l->filled);
	l->filled = 0;
	return err;
}

/* The next row's place in the draft; false when there is no room for more, or something failed. */
static bool next_row(struct lists *l, unsigned *ret)
{
	if (l->filled == COLUMN_BLOCK_ROWS)
		l->failed = flush(l);
	if (l->failed == ERR_OK && l->end == LIMIT_LIST_ROWS)
		l->c->work.refused++;
	if (l->failed != ERR_OK || l->end == LIMIT_LIST_ROWS)
		return false;
	l->changed[l->filled] = (struct block_row){l->end++, l->filled};
	*ret = l->filled++;
	return true;
}

static bool take_policy(void *context, const struct policy_row *p)
{
	struct lists *l = context;
	unsigned row;
	if (!next_row(l, &row))
		return false;
	derive_policy(&l->record->writer, l->record->slot, p, l->draft, row);
	return true;
}

static bool take_inventory(void *context, const struct inventory_row *i)
{
	struct lists *l = context;
	unsigned row;
	if (!next_row(l, &row))
		return false;
	derive_inventory(&l->record->writer, l->record->slot, i, l->draft, row);
	return true;
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	return lmdb_read_blob(context, id, ret, ret_len);
}

/* A root that is no list of such rows has none. */
static enum err write_record(struct lists *l, const struct list_record *record)
{
	enum err err;
	l->record = record;
	if (l->group == GROUP_POLICY)
		err = policy_read(&record->body.root, fetch, l->c, take_policy, l, NULL);
	else
		err = inventory_read(&record->body.root, fetch, l->c, take_inventory, l, NULL);
	l->partial = l->partial || err == ERR_NOT_FOUND;
	return l->failed;
}

static enum err write_rows(struct lists *l)
{
	enum err err = lmdb_blocks_drop(l->c, l->group);
	l->c->meta.ends[l->group] = 0;
	if (err == ERR_OK)
		err = column_draft_new(l->group, COLUMN_BLOCK_ROWS, &l->draft);
	for (size_t i = 0; i < l->count && err == ERR_OK; i++)
		err = write_record(l, &l->records[i]);
	if (err == ERR_OK)
		err = flush(l);
	column_draft_free(l->draft);
	return err;
}

static enum err settle(struct commit *c, uint8_t kind, enum column_group group, uint64_t *stands)
{
	struct lists *l = calloc(1, sizeof(*l));
	uint64_t digest = 0;
	bool damaged = (c->l->repair & lmdb_bit(group)) != 0;
	if (l == NULL)
		return ERR_NOMEM;
	l->c = c;
	l->kind = kind;
	l->group = group;
	enum err err = collect(l);
	if (err == ERR_OK)
		err = keep_in_force(l, &digest);
	bool waits = l->partial;
	l->partial = false;
	if (err == ERR_OK && (digest != *stands || damaged)) {
		c->work.rebuilt += damaged;
		err = write_rows(l);
		*stands = l->partial ? STORE_LIST_PARTIAL : digest;
		c->machines_changed = c->machines_changed || group == GROUP_INVENTORY;
	}
	c->l->lists_wait = c->l->lists_wait || waits || *stands == STORE_LIST_PARTIAL;
	free(l->records);
	free(l);
	return err;
}

enum err lmdb_lists(struct commit *c)
{
	const uint32_t groups = lmdb_bit(GROUP_POLICY) | lmdb_bit(GROUP_INVENTORY);
	bool roots_changed = (c->new_blobs && c->l->lists_wait) || c->blobs_gone;
	if (!c->lists_changed && !roots_changed && (c->l->repair & groups) == 0)
		return ERR_OK;
	c->l->lists_wait = false;
	enum err err = settle(c, RECORD_POLICY, GROUP_POLICY, &c->meta.lists[0]);
	if (err == ERR_OK)
		err = settle(c, RECORD_INVENTORY, GROUP_INVENTORY, &c->meta.lists[1]);
	/* A commit that failed has decided nothing. */
	c->l->lists_wait = c->l->lists_wait || err != ERR_OK;
	return err;
}
