#include "store/table_entry.h"

#define COLUMNS(X)                                                                                           \
	X(NAME, "name", "TEXT", "", "path")                                                                  \
	X(VERSION, "version", "TEXT", "", "NULL: see version_status")                                        \
	X(VERSION_STATUS, "version_status", "TEXT", "", "ok, absent (it declares none), or why NULL")        \
	X(HASH, "hash", "TEXT", "", "of the file, hexadecimal; NULL: see hash_status")                       \
	X(HASH_STATUS, "hash_status", "TEXT", "", "ok, or why hash is NULL")                                 \
	X(VENDOR, "vendor", "TEXT", "", "vendor or signer; NULL: see vendor_status")                         \
	X(VENDOR_STATUS, "vendor_status", "TEXT", "", "ok, absent (it names none), or why NULL")             \
	X(SIZE, "size_bytes", "INTEGER", "bytes", "NULL: unknown")                                           \
	X(ENTRY, "entry", "TEXT", "", "id, as in components")                                                \
	X(HOSTS, "hosts", "INTEGER", "hosts", "that have it; left and replaced ones not counted")            \
	X(HOSTS_UP, "hosts_up", "INTEGER", "hosts", "of them up")                                            \
	X(HOSTS_DARK, "hosts_dark", "INTEGER", "hosts", "of them dark")                                      \
	X(HOSTS_OTHER, "hosts_other", "INTEGER", "hosts", "of them neither up nor dark")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Passed over: what is no content file, what nobody has, and what was damaged. */
static void next(struct table_cursor *c)
{
	for (; c->row < c->rows; c->row++) {
		struct column_row e = {.block = NULL};
		if (!c->q->catalogue.counts[c->row].named)
			continue;
		enum err err = columns_row(&c->q->columns, GROUP_ENTRY, (uint32_t)c->row, &e);
		if (err != ERR_OK)
			(void)query_fail(c->q, err);
		if (err != ERR_OK ||
		    (e.block != NULL && column_row_u64(e, C_ENTRY_KIND) == COMPONENT_CONTENT_FILE))
			return;
	}
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	enum err err = catalogue_count(c->q, false);
	c->rows = columns_end(&c->q->columns, GROUP_ENTRY, &err);
	if (err != ERR_OK)
		return err;
	*ret_rows = c->rows;
	next(c);
	return ERR_OK;
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	static const uint8_t entry_columns[] = {
	    [VERSION] = ENTRY_COLUMN_VERSION, [VERSION_STATUS] = ENTRY_COLUMN_VERSION_STATUS,
	    [HASH] = ENTRY_COLUMN_SOURCE,     [HASH_STATUS] = ENTRY_COLUMN_SOURCE_STATUS,
	    [VENDOR] = ENTRY_COLUMN_VENDOR,   [VENDOR_STATUS] = ENTRY_COLUMN_VENDOR_STATUS,
	    [SIZE] = ENTRY_COLUMN_SIZE,       [ENTRY] = ENTRY_COLUMN_ENTRY,
	};
	const struct entry_counts *counts = &c->q->catalogue.counts[c->row];
	struct column_row e;
	enum err err = columns_row(&c->q->columns, GROUP_ENTRY, (uint32_t)c->row, &e);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || e.block == NULL)
		return;
	switch (number) {
	case NAME:
		cell_known_text(context, column_row_text(e, C_ENTRY_NAME));
		break;
	case HOSTS:
		cell_u64(context, counts->hosts);
		break;
	case HOSTS_UP:
		cell_u64(context, counts->up);
		break;
	case HOSTS_DARK:
		cell_u64(context, counts->dark);
		break;
	case HOSTS_OTHER:
		cell_u64(context, counts->other);
		break;
	default:
		table_entry_column(e, (enum entry_column)entry_columns[number], context);
	}
}

const struct table table_files = {
    .info =
	TABLE_INFO("files",
		   "Content files: data that kernel components load. One row a version, with the hosts that "
		   "have it; which ones: host_components.",
		   columns),
    .count = count,
    .next = next,
    .column = column,
};
