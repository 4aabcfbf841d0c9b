#include "store/table_entry.h"
#include "store/table_host.h"

#define COLUMNS(X)                                                                                           \
	HOST_COLUMNS(X)                                                                                      \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the host's clock")                                \
	X(OP, "op", "TEXT", "", "added, removed, loaded or unloaded")                                        \
	X(ENTRY, "entry", "TEXT", "", "entry id, as in components")                                          \
	X(KIND, "kind", "TEXT", "", "NULL: no manifest that is known has the entry any more")                \
	X(COMPONENT, "component", "TEXT", "", "name; NULL: likewise")                                        \
	X(VERSION, "version", "TEXT", "", "NULL: likewise, or it declares none")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Where the host's changes stand. */
static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	struct column_row row = host_row(&c->view, GROUP_CHANGES);
	c->events = row.block != NULL ? column_row_bytes(row, C_CHANGES_EVENTS, &c->event_bytes) : NULL;
	*ret_rows = c->events != NULL ? c->event_bytes / COLUMN_CHANGE_BYTES : 0;
	return ERR_OK;
}

static void entry_column(struct table_cursor *c, int number, uint64_t entry, sqlite3_context *context)
{
	struct column_row e;
	c->view.err = catalogue_find(c->q, entry, &e);
	if (c->view.err != ERR_OK || e.block == NULL)
		return;
	if (number == KIND)
		cell_static(context, table_entry_kind(e));
	else if (number == COMPONENT)
		cell_known_text(context, column_row_text(e, C_ENTRY_NAME));
	else
		table_entry_column(e, ENTRY_COLUMN_VERSION, context);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const uint8_t *change = c->events + c->row * COLUMN_CHANGE_BYTES;
	if (table_host_column(c, number, context))
		return;
	switch (number) {
	case TIME:
		cell_time(context, column_le(change + 8, 8) * 1000);
		break;
	case OP:
		cell_static(context, change_op_name((enum change_op)change[16]));
		break;
	case ENTRY:
		cell_hex64(context, column_le(change, 8));
		break;
	default:
		entry_column(c, number, column_le(change, 8), context);
	}
}

const struct table table_changes = {
    .info = TABLE_INFO("changes", "The last changes of components, at most 16 a host.", columns),
    .by_host = true,
    .filters = {[FILTER_HOST] = HOST + 1, [FILTER_NAME] = HOST_NAME + 1, [FILTER_SITE] = SITE + 1},
    .count = count,
    .column = column,
};
