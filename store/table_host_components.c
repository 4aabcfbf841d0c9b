#include <stdlib.h>
#include <string.h>

#include "store/table_entry.h"
#include "store/table_host.h"

#define COLUMNS(X)                                                                                           \
	HOST_COLUMNS(X)                                                                                      \
	X(STATUS, "status", "TEXT", "", "of the host, as in hosts")                                          \
	X(KIND, "kind", "TEXT", "", "as in components")                                                      \
	X(COMPONENT, "component", "TEXT", "", "name of the component")                                       \
	ENTRY_COLUMNS(X)                                                                                     \
	X(LOADED, "loaded", "INTEGER", "0 or 1", "as the host last said")                                    \
	X(PENDING, "pending", "INTEGER", "0 or 1", "on disk, in force from the next boot on")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Of the current row: its number, and its place in the manifest. */
static uint32_t entry_of(const struct table_cursor *c)
{
	return c->chosen ? c->found[c->row].entry : c->entries.entries[c->row];
}

static size_t place_of(const struct table_cursor *c)
{
	return c->chosen ? c->found[c->row].place : c->row;
}

/* An entry whose row was damaged is not known, which the coverage says. */
static bool is_shown(struct table_cursor *c)
{
	struct column_row e;
	enum err err = columns_row(&c->q->columns, GROUP_ENTRY, entry_of(c), &e);
	if (err != ERR_OK)
		c->view.err = err; /* ends the search */
	return err != ERR_OK || e.block != NULL;
}

static void next(struct table_cursor *c)
{
	/* Those that were chosen are there. */
	while (!c->chosen && c->row < c->rows && !is_shown(c))
		c->row++;
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	uint32_t manifest;
	*ret_rows = 0;
	if (!catalogue_manifest_of(host_row(&c->view, GROUP_COMPONENTS), &manifest))
		return ERR_OK;
	if (c->chosen)
		return choice_of(c->q, &c->choice, manifest, &c->found, ret_rows);
	enum err err = catalogue_entries(c->q, manifest, &c->entries);
	if (err != ERR_OK)
		return err;
	c->rows = c->entries.count;
	next(c);
	*ret_rows = c->row < c->rows ? c->rows : 0;
	return ERR_OK;
}

static bool is_loaded(struct column_row components, size_t index)
{
	size_t len;
	const uint8_t *bits = column_row_bytes(components, C_COMPONENTS_LOADED, &len);
	return bits != NULL && index / 8 < len && (bits[index / 8] & 0x80u >> index % 8) != 0;
}

static bool is_pending(struct column_row components, uint64_t entry)
{
	size_t len;
	const uint8_t *ids = column_row_bytes(components, C_COMPONENTS_PENDING, &len);
	for (size_t i = 0; ids != NULL && i + 8 <= len; i += 8) {
		if (column_le(ids + i, 8) == entry)
			return true;
	}
	return false;
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	struct column_row e;
	if (table_host_column(c, number, context))
		return;
	if (number == STATUS) {
		cell_static(context, host_status_name((enum host_status)c->view.host->status));
		return;
	}
	if (number == LOADED) {
		cell_flag(context, is_loaded(host_row(&c->view, GROUP_COMPONENTS), place_of(c)));
		return;
	}
	c->view.err = columns_row(&c->q->columns, GROUP_ENTRY, entry_of(c), &e);
	if (c->view.err != ERR_OK || e.block == NULL)
		return;
	switch (number) {
	case KIND:
		cell_static(context, table_entry_kind(e));
		break;
	case COMPONENT:
		cell_known_text(context, column_row_text(e, C_ENTRY_NAME));
		break;
	case PENDING:
		cell_flag(context,
			  is_pending(host_row(&c->view, GROUP_COMPONENTS), column_row_u64(e, C_ENTRY_ID)));
		break;
	default:
		table_entry_column(e, (enum entry_column)(number - VERSION), context);
	}
}

const struct table table_host_components = {
    .info = TABLE_INFO("host_components", "One row a host and component.", columns),
    .by_host = true,
    .filters = {[FILTER_HOST] = HOST + 1,
		[FILTER_NAME] = HOST_NAME + 1,
		[FILTER_SITE] = SITE + 1,
		[FILTER_STATUS] = STATUS + 1,
		[FILTER_COMPONENT] = COMPONENT + 1,
		[FILTER_ENTRY] = ENTRY + 1},
    .count = count,
    .next = next,
    .column = column,
};
