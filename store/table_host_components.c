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

/* The host's manifest, flattened. */
static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	struct manifest_view manifest;
	/* Of one host its own manifest is enough. */
	if (c->only == NULL) {
		enum err loaded = query_load_manifests(c->q);
		if (loaded != ERR_OK)
			return loaded;
	}
	const struct components *components = host_components(c->view);
	*ret_rows = 0;
	if (components == NULL || id_is_zero(&components->manifest))
		return ERR_OK;
	enum err err = catalogue_manifest(c->q->catalogue, &components->manifest, &manifest);
	if (err != ERR_OK)
		return err == ERR_NOT_FOUND ? ERR_OK : err;
	uint32_t *entries = realloc(c->entries, (manifest.entry_count + 1) * sizeof(*entries));
	if (entries == NULL)
		return ERR_NOMEM;
	c->entries = entries;
	c->entry_count = 0;
	for (size_t i = 0; i < manifest.chunk_count; i++) {
		size_t n;
		const uint32_t *refs = catalogue_chunk(c->q->catalogue, manifest.chunks[i], &n);
		memcpy(entries + c->entry_count, refs, n * sizeof(*refs));
		c->entry_count += n;
	}
	*ret_rows = c->entry_count;
	return ERR_OK;
}

static bool is_pending(const struct components *c, uint64_t entry)
{
	for (size_t i = 0; i < c->pending_count; i++) {
		if (c->pending[i] == entry)
			return true;
	}
	return false;
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct catalogue_entry *e = catalogue_at(c->q->catalogue, c->entries[c->row]);
	if (table_host_column(c, number, context))
		return;
	switch (number) {
	case STATUS:
		cell_text(context, host_status_name(c->view->host->state.status));
		break;
	case KIND:
		cell_text(context, component_kind_name((enum component_kind)e->kind));
		break;
	case COMPONENT:
		cell_text(context, catalogue_text(c->q->catalogue, e->name));
		break;
	case LOADED:
		cell_flag(context,
			  c->row < LIMIT_COMPONENTS && components_loaded(&c->view->components, c->row));
		break;
	case PENDING:
		cell_flag(context, is_pending(&c->view->components, e->id));
		break;
	default:
		table_entry_column(c->q->catalogue, e, (enum entry_column)(number - VERSION), context);
	}
}

const struct table table_host_components = {
    .info = TABLE_INFO("host_components", "One row a host and component.", columns),
    .by_host = true,
    .host_column = HOST,
    .name_column = HOST_NAME,
    .count = count,
    .column = column,
};
