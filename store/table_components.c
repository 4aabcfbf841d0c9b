#include "store/table_entry.h"

#define COLUMNS(X)                                                                                           \
	X(KIND, "kind", "TEXT", "",                                                                          \
	  "module, builtin, driver, filter, ebpf, extension, content-file or kernel")                        \
	X(NAME, "name", "TEXT", "", "content files: path")                                                   \
	ENTRY_COLUMNS(X)                                                                                     \
	X(HOSTS, "hosts", "INTEGER", "hosts", "that have it; left and replaced ones not counted")            \
	X(HOSTS_UP, "hosts_up", "INTEGER", "hosts", "of them up")                                            \
	X(HOSTS_DARK, "hosts_dark", "INTEGER", "hosts", "of them dark")                                      \
	X(HOSTS_OTHER, "hosts_other", "INTEGER", "hosts", "of them neither up nor dark")                     \
	X(LOADED_ON, "loaded_on", "INTEGER", "hosts", "on which it is loaded, as they last said")            \
	X(APPROVAL, "approval", "TEXT", "",                                                                  \
	  "approved, refused, or unapproved (no row of a policy is about it); NULL: no policy is in force")  \
	X(GAINED, "gained_7d", "INTEGER", "hosts",                                                           \
	  "that told within seven days that it was added; a host tells its last 16 changes")                 \
	X(LOST, "lost_7d", "INTEGER", "hosts", "likewise that it was removed")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

void table_entry_column(struct column_row e, enum entry_column column, sqlite3_context *context)
{
	static const struct {
		uint8_t status, value;
	} texts[] = {
	    [ENTRY_COLUMN_VERSION] = {C_ENTRY_VERSION_STATUS, C_ENTRY_VERSION},
	    [ENTRY_COLUMN_VERSION_STATUS] = {C_ENTRY_VERSION_STATUS, 0},
	    [ENTRY_COLUMN_SOURCE] = {C_ENTRY_SOURCE_STATUS, C_ENTRY_SOURCE},
	    [ENTRY_COLUMN_SOURCE_STATUS] = {C_ENTRY_SOURCE_STATUS, 0},
	    [ENTRY_COLUMN_VENDOR] = {C_ENTRY_VENDOR_STATUS, C_ENTRY_VENDOR},
	    [ENTRY_COLUMN_VENDOR_STATUS] = {C_ENTRY_VENDOR_STATUS, 0},
	};
	static const uint32_t flags[] = {
	    [ENTRY_COLUMN_BOOT_START] = COMPONENT_BOOT_START,
	    [ENTRY_COLUMN_OUT_OF_TREE] = COMPONENT_OUT_OF_TREE,
	    [ENTRY_COLUMN_UNSIGNED] = COMPONENT_UNSIGNED,
	    [ENTRY_COLUMN_PROPRIETARY] = COMPONENT_PROPRIETARY,
	    [ENTRY_COLUMN_THIRD_PARTY] = COMPONENT_THIRD_PARTY,
	};
	const char *text;
	if (column < ENTRY_COLUMN_SIZE && texts[column].value == 0) {
		cell_status(context, (enum reading_status)column_row_u64(e, texts[column].status));
	} else if (column < ENTRY_COLUMN_SIZE) {
		text = column_row_text(e, texts[column].value);
		if (text != NULL && column_row_u64(e, texts[column].status) == READING_OK)
			cell_static(context, text);
	} else if (column == ENTRY_COLUMN_SIZE) {
		if (column_row_u64(e, C_ENTRY_SIZE_STATUS) == READING_OK)
			cell_u64(context, column_row_u64(e, C_ENTRY_SIZE));
	} else if (column == ENTRY_COLUMN_ENTRY) {
		cell_hex64(context, column_row_u64(e, C_ENTRY_ID));
	} else {
		cell_flag(context, (column_row_u64(e, C_ENTRY_FLAGS) & flags[column]) != 0);
	}
}

const char *table_entry_kind(struct column_row e)
{
	return component_kind_name((enum component_kind)column_row_u64(e, C_ENTRY_KIND));
}

/* Passed over: numbers that no entry has, entries that nobody has, and those whose row was damaged. */
static bool is_shown(struct table_cursor *c)
{
	struct column_row e = {.block = NULL};
	if (!c->q->catalogue.counts[c->row].named)
		return false;
	enum err err = columns_row(&c->q->columns, GROUP_ENTRY, (uint32_t)c->row, &e);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	return err == ERR_OK && e.block != NULL;
}

static void next(struct table_cursor *c)
{
	while (c->row < c->rows && !is_shown(c))
		c->row++;
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	bool loaded = (c->used & 1ull << LOADED_ON) != 0;
	struct column_table *entries;
	enum err err = columns_table(&c->q->columns, GROUP_ENTRY, &entries);
	if (err == ERR_OK)
		err = catalogue_count(c->q, loaded);
	if (err == ERR_OK && (c->used & (1ull << GAINED | 1ull << LOST)) != 0)
		err = catalogue_trends(c->q);
	if (err != ERR_OK)
		return err;
	*ret_rows = column_table_end(entries);
	c->rows = *ret_rows;
	next(c);
	return ERR_OK;
}

static void approval_cell(struct table_cursor *c, sqlite3_context *context)
{
	static const char *const names[] = {
	    [APPROVAL_NONE] = "unapproved", [APPROVAL_APPROVED] = "approved", [APPROVAL_REFUSED] = "refused"};
	const uint8_t *approvals;
	bool any;
	enum err err = query_approvals(c->q, &approvals, &any);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	else if (any)
		cell_static(context, names[approvals[c->row]]);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct entry_counts *counts = &c->q->catalogue.counts[c->row];
	struct column_row e;
	enum err err = columns_row(&c->q->columns, GROUP_ENTRY, (uint32_t)c->row, &e);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (err != ERR_OK || e.block == NULL)
		return;
	switch (number) {
	case KIND:
		cell_static(context, table_entry_kind(e));
		break;
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
	case LOADED_ON:
		cell_u64(context, counts->loaded);
		break;
	case APPROVAL:
		approval_cell(c, context);
		break;
	case GAINED:
		cell_u64(context, c->q->catalogue.trends[c->row].gained);
		break;
	case LOST:
		cell_u64(context, c->q->catalogue.trends[c->row].lost);
		break;
	default:
		table_entry_column(e, (enum entry_column)(number - VERSION), context);
	}
}

const struct table table_components = {
    .info =
	TABLE_INFO("components", "One row a distinct component entry, with the hosts that have it.", columns),
    .count = count,
    .next = next,
    .column = column,
};
