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
	X(LOADED_ON, "loaded_on", "INTEGER", "hosts", "on which it is loaded, as they last said")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

void table_entry_column(const struct catalogue *c, const struct catalogue_entry *e, enum entry_column column,
			sqlite3_context *context)
{
	switch (column) {
	case ENTRY_COLUMN_VERSION:
		if (e->version_status == READING_OK)
			cell_text(context, catalogue_text(c, e->version));
		break;
	case ENTRY_COLUMN_VERSION_STATUS:
		cell_status(context, (enum reading_status)e->version_status);
		break;
	case ENTRY_COLUMN_SOURCE:
		if (e->source_status == READING_OK)
			cell_text(context, catalogue_text(c, e->source));
		break;
	case ENTRY_COLUMN_SOURCE_STATUS:
		cell_status(context, (enum reading_status)e->source_status);
		break;
	case ENTRY_COLUMN_VENDOR:
		if (e->vendor_status == READING_OK)
			cell_text(context, catalogue_text(c, e->vendor));
		break;
	case ENTRY_COLUMN_VENDOR_STATUS:
		cell_status(context, (enum reading_status)e->vendor_status);
		break;
	case ENTRY_COLUMN_SIZE:
		if (e->size_status == READING_OK)
			cell_u64(context, e->size_bytes);
		break;
	case ENTRY_COLUMN_BOOT_START:
		cell_flag(context, (e->flags & COMPONENT_BOOT_START) != 0);
		break;
	case ENTRY_COLUMN_OUT_OF_TREE:
		cell_flag(context, (e->flags & COMPONENT_OUT_OF_TREE) != 0);
		break;
	case ENTRY_COLUMN_UNSIGNED:
		cell_flag(context, (e->flags & COMPONENT_UNSIGNED) != 0);
		break;
	case ENTRY_COLUMN_PROPRIETARY:
		cell_flag(context, (e->flags & COMPONENT_PROPRIETARY) != 0);
		break;
	case ENTRY_COLUMN_THIRD_PARTY:
		cell_flag(context, (e->flags & COMPONENT_THIRD_PARTY) != 0);
		break;
	case ENTRY_COLUMN_ENTRY:
		cell_hex64(context, e->id);
		break;
	}
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	enum err err = query_count_components(c->q);
	if (err == ERR_OK)
		*ret_rows = catalogue_count(c->q->catalogue);
	return err;
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct catalogue_entry *e = catalogue_at(c->q->catalogue, c->row);
	switch (number) {
	case KIND:
		cell_text(context, component_kind_name((enum component_kind)e->kind));
		break;
	case NAME:
		cell_text(context, catalogue_text(c->q->catalogue, e->name));
		break;
	case HOSTS:
		cell_u64(context, e->hosts);
		break;
	case HOSTS_UP:
		cell_u64(context, e->up);
		break;
	case HOSTS_DARK:
		cell_u64(context, e->dark);
		break;
	case HOSTS_OTHER:
		cell_u64(context, e->other);
		break;
	case LOADED_ON:
		cell_u64(context, e->loaded);
		break;
	default:
		table_entry_column(c->q->catalogue, e, (enum entry_column)(number - VERSION), context);
	}
}

const struct table table_components = {
    .info =
	TABLE_INFO("components", "One row a distinct component entry, with the hosts that have it.", columns),
    .host_column = -1,
    .name_column = -1,
    .count = count,
    .column = column,
};
