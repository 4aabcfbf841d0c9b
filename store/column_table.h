/* A group of columns of a snapshot: row by number, blocks read when first asked for and kept. What changed
 * since a block was written stands in deltas, which are read at open and win over the block. Private to
 * store/.
 *
 *    struct column_table *hosts;
 *    err = column_table_open(snapshot, GROUP_HOST, &hosts);
 *    for (uint32_t n = 0; err == ERR_OK && n < column_table_end(hosts); n++) {
 *            struct column_row row;
 *            err = column_table_row(hosts, n, &row);
 *            if (err == ERR_OK && row.block != NULL)
 *                    ... column_row_text(row, C_HOST_SITE) ...
 *    }
 *    column_table_close(hosts); */
#ifndef MESH_STORE_COLUMN_TABLE_H
#define MESH_STORE_COLUMN_TABLE_H

#include "store/column.h"
#include "store/snapshot.h"

struct column_table;

/* Where blocks come from: what snapshot_block and snapshot_each_block do for a snapshot. */
typedef enum err (*column_take)(void *context, const struct row_key *key, struct snapshot_block *taken);
struct column_source {
	void *context;
	enum err (*get)(void *context, const struct row_key *key, struct snapshot_block *ret);
	enum err (*each)(void *context, const uint8_t *prefix, size_t prefix_len, column_take take,
			 void *take_context);
};
enum err column_table_open_from(const struct column_source *source, enum column_group group, uint32_t end,
				struct column_table **ret);

/* ERR_VERSION: the replica's layout is older (start the new meshd once); ERR_CORRUPT, ERR_BUSY, ERR_NOMEM. */
enum err column_table_open(struct snapshot *r, enum column_group group, struct column_table **ret);
void column_table_close(struct column_table *t); /* NULL is fine */
/* Where a row stands; valid until the table is closed. */
struct column_row {
	const struct column_block *block; /* NULL: there is no such row */
	unsigned row;
};

/* What a table begins with: as much of it as most rows need. */
struct column_table_front {
	uint32_t end;
	/* By block: of which all rows stand in it, as no delta has one of them; NULL: that is not known. */
	const struct column_block **plain;
};

/* Numbers are below. */
static inline uint32_t column_table_end(const struct column_table *t)
{
	return ((const struct column_table_front *)t)->end;
}

/* Of a row in a block that is no plain one, or beyond the end. */
enum err column_table_find(struct column_table *t, uint32_t number, struct column_row *ret);

/* Rows of a damaged block are none, and the damage is counted once (snapshot_damaged). ERR_CORRUPT,
 * ERR_BUSY, ERR_NOMEM. */
static inline enum err column_table_row(struct column_table *t, uint32_t number, struct column_row *ret)
{
	const struct column_table_front *front = (const struct column_table_front *)t;
	const struct column_block *plain =
	    number < front->end ? front->plain[number / COLUMN_BLOCK_ROWS] : NULL;
	if (plain == NULL)
		return column_table_find(t, number, ret);
	unsigned row = number % COLUMN_BLOCK_ROWS;
	*ret = (struct column_row){column_present(plain, row) ? plain : NULL, row};
	return ERR_OK;
}

/* The block with the number was damaged: its rows are not known. */
bool column_table_damaged(const struct column_table *t, uint32_t number);

static inline uint64_t column_row_u64(struct column_row r, unsigned column)
{
	return column_u64(r.block, column, r.row);
}

static inline const char *column_row_text(struct column_row r, unsigned column)
{
	return column_text(r.block, column, r.row);
}

static inline const uint8_t *column_row_bytes(struct column_row r, unsigned column, size_t *ret_len)
{
	return column_bytes(r.block, column, r.row, ret_len);
}

static inline bool column_row_id(struct column_row r, unsigned column, struct id *ret)
{
	return column_id(r.block, column, r.row, ret);
}

#endif
