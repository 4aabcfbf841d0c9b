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

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	const struct components *components = host_components(c->view);
	*ret_rows = components != NULL ? components->change_count : 0;
	return ERR_OK;
}

static void entry_column(struct table_cursor *c, int number, uint64_t entry, sqlite3_context *context)
{
	enum err err = query_load_manifests(c->q);
	if (err != ERR_OK) {
		c->view->err = err;
		return;
	}
	const struct catalogue_entry *e = catalogue_find(c->q->catalogue, entry);
	if (e == NULL)
		return;
	if (number == KIND)
		cell_text(context, component_kind_name((enum component_kind)e->kind));
	else if (number == COMPONENT)
		cell_text(context, catalogue_text(c->q->catalogue, e->name));
	else if (e->version_status == READING_OK)
		cell_text(context, catalogue_text(c->q->catalogue, e->version));
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct component_change *change = &c->view->components.changes[c->row];
	if (table_host_column(c, number, context))
		return;
	switch (number) {
	case TIME:
		cell_time(context, change->time_s * 1000);
		break;
	case OP:
		cell_text(context, change_op_name(change->op));
		break;
	case ENTRY:
		cell_hex64(context, change->entry);
		break;
	default:
		entry_column(c, number, change->entry, context);
	}
}

const struct table table_changes = {
    .info = TABLE_INFO("changes", "The last changes of components, at most 16 a host.", columns),
    .by_host = true,
    .host_column = HOST,
    .name_column = HOST_NAME,
    .count = count,
    .column = column,
};
