/* What questions read of each group, looked through by commits: a damaged delta hides all rows of its group,
 * as nobody knows whose it had, so all deltas are checked each time; of the blocks, which hide their own rows
 * only, one a group, in turn. What is damaged is made anew by this very commit. */
#include "store/lmdb_backend.h"

static bool is_good(const struct row_key *key, const MDB_val *v)
{
	struct column_block block;
	return column_open_stored(key, v->mv_data, v->mv_size, &block) == ERR_OK;
}

static enum err scrub_deltas(struct commit *c, enum column_group group, bool *ret_damaged)
{
	struct row_key key = row_key_delta(group, 0);
	for (;;) {
		MDB_val v;
		enum err err = lmdb_next_place(c->txn, c->l->e.dbi, &key, 2, &v);
		if (err == ERR_NOT_FOUND)
			return ERR_OK;
		if (err != ERR_OK && err != ERR_LIMIT)
			return err;
		*ret_damaged = *ret_damaged || err == ERR_LIMIT || !is_good(&key, &v);
	}
}

static enum err scrub_block(struct commit *c, enum column_group group, bool *ret_damaged)
{
	uint32_t blocks = (c->meta.ends[group] + COLUMN_BLOCK_ROWS - 1) / COLUMN_BLOCK_ROWS;
	MDB_val v;
	if (blocks == 0)
		return ERR_OK;
	struct row_key key = row_key_block(group, (uint32_t)(c->meta.commit % blocks));
	enum err err = lmdb_get_place(c->txn, c->l->e.dbi, &key, &v);
	*ret_damaged = *ret_damaged || err == ERR_LIMIT || (err == ERR_OK && !is_good(&key, &v));
	return err == ERR_LIMIT || err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err lmdb_scrub(struct commit *c)
{
	enum err err = ERR_OK;
	for (unsigned g = COLUMN_GROUP_FIRST; g <= COLUMN_GROUP_LAST && err == ERR_OK; g++) {
		enum column_group group = (enum column_group)g;
		bool damaged = false;
		err = scrub_deltas(c, group, &damaged);
		if (err == ERR_OK)
			err = scrub_block(c, group, &damaged);
		c->l->repair |= damaged ? lmdb_bit(group) : 0;
	}
	return err == ERR_OK
		   ? err
		   : err_set(c->info, err, "cannot read \"%s\": %s", c->l->e.data_path, err_text(err));
}
