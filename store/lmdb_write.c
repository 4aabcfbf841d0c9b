/* Reading and writing rows and blocks inside a commit, with the count and digest of all of them. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/column_format.h"
#include "store/lmdb_backend.h"

#define FENCE_BYTES 2030 /* key and value: the most that LMDB keeps on a leaf page of 4096 bytes */

static bool is_block(const struct row_key *key)
{
	return key->bytes[0] == TABLE_BLOCKS || key->bytes[0] == TABLE_DELTAS;
}

uint64_t lmdb_checksum(const struct row_key *stored, const uint8_t *bytes, size_t len)
{
	if (is_block(stored))
		return len < COLUMN_CHECKSUM_BYTES
			   ? 0
			   : column_le(bytes + len - COLUMN_CHECKSUM_BYTES, COLUMN_CHECKSUM_BYTES);
	return len < ROW_HEADER_BYTES ? 0 : row_checksum(bytes);
}

bool lmdb_is_good(const struct row_key *stored, const struct row_key *known, const uint8_t *bytes, size_t len)
{
	if (is_block(stored))
		return len <= LIMIT_BLOCK_BYTES && column_good(stored, bytes, len);
	return known != NULL && row_check(known, bytes, len) == ERR_OK;
}

static enum err failed(struct commit *c, int code)
{
	c->code = code;
	return lmdb_error(code, "write", c->l->e.data_path, c->info);
}

/* A damaged row leaves the digest unknown, as nobody can tell what it was before. */
static enum err discount_old(struct commit *c, const struct row_key *stored, const struct row_key *known,
			     MDB_val *ret_old, bool *ret_there)
{
	MDB_val k = {stored->len, (void *)stored->bytes}, v = {0, NULL};
	int rc = mdb_get(c->txn, c->l->e.dbi, &k, &v);
	*ret_there = rc == 0;
	*ret_old = v;
	if (rc == MDB_NOTFOUND)
		return ERR_OK;
	if (rc != 0)
		return failed(c, rc);
	c->meta.rows--;
	c->data_rows -= !store_table_is_derived(stored->bytes[0]);
	if (lmdb_is_good(stored, known, v.mv_data, v.mv_size))
		c->meta.digest -= lmdb_checksum(stored, v.mv_data, v.mv_size);
	else
		c->meta.digest_known = false;
	return ERR_OK;
}

enum err lmdb_put(struct commit *c, const struct row_key *stored, const struct row_key *known,
		  const uint8_t *bytes, size_t len)
{
	MDB_val k = {stored->len, (void *)stored->bytes}, v = {len, (void *)bytes}, old;
	bool there;
	enum err err = discount_old(c, stored, known, &old, &there);
	if (err == ERR_OK)
		err = lmdb_history_note(c, known, there ? &old : NULL, bytes, len);
	if (err != ERR_OK)
		return err;
	lmdb_room_note(c, stored->len, old.mv_size, len);
	if (len > 0) {
		c->meta.rows++;
		c->data_rows += !store_table_is_derived(stored->bytes[0]);
		c->meta.digest += lmdb_checksum(stored, bytes, len);
		c->work.bytes += stored->len + len;
		return failed(c, mdb_put(c->txn, c->l->e.dbi, &k, &v, 0));
	}
	return there ? failed(c, mdb_del(c->txn, c->l->e.dbi, &k, NULL)) : ERR_OK;
}

/* Of the size that lets two fill a page; neither counted nor checked, as nothing reads them. */
enum err lmdb_put_fences(struct commit *c)
{
	static const uint8_t nothing[FENCE_BYTES];
	struct row_key key;
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && host_key_fence(i, &key); i++) {
		MDB_val k = {key.len, key.bytes}, v = {FENCE_BYTES - key.len, (void *)nothing};
		lmdb_room_note(c, k.mv_size, 0, v.mv_size);
		err = failed(c, mdb_put(c->txn, c->l->e.dbi, &k, &v, 0));
	}
	return err;
}

enum err lmdb_read(struct commit *c, const struct row_key *known, struct row_value *ret)
{
	struct id host;
	uint32_t number;
	struct row_key stored = *known;
	if (host_key_of(known, &host)) {
		if (!numbers_find(&c->l->hosts, &host, &number))
			return ERR_NOT_FOUND;
		stored = host_key_stored(known, number);
	}
	enum err err = lmdb_get(c->txn, c->l->e.dbi, &stored, ret);
	if (err == ERR_OK && row_check(known, ret->bytes, ret->len) != ERR_OK)
		err = ERR_NOT_FOUND;
	if (err != ERR_OK && err != ERR_NOT_FOUND && c->unread == ERR_OK)
		c->unread = err_set(c->info, err, "cannot read \"%s\": %s", c->l->e.data_path, err_text(err));
	return err;
}

enum err lmdb_read_block(struct commit *c, const struct row_key *key, struct lmdb_block *ret)
{
	struct lmdb_block b = {.value = {.bytes = NULL}};
	enum err err = lmdb_get_value(c->txn, c->l->e.dbi, key, &b.value);
	if (err == ERR_LIMIT)
		err = ERR_CHECKSUM;
	if (err == ERR_OK &&
	    column_open(b.value.bytes, b.value.prefix_bytes, b.value.len, &b.block) != ERR_OK)
		err = ERR_CHECKSUM;
	if (err != ERR_OK) {
		free(b.value.bytes);
		return err;
	}
	*ret = b;
	return ERR_OK;
}
