/* One SQLite module for all tables: eponymous and read-only. A table says its columns, its rows and one cell;
 * equality on host id or hostname is pushed down to the roster and the profiles. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "os/clock.h"
#include "store/query_private.h"

#define BY_HOST 1
#define BY_NAME 2

struct vtab {
	sqlite3_vtab base; /* must be first */
	struct query *q;
	const struct table *table;
};

struct table_binding {
	struct query *q;
	const struct table *table;
};

size_t table_list(const struct table *const **ret)
{
	static const struct table *const tables[] = {
	    &table_hosts,  &table_components,   &table_host_components, &table_changes,
	    &table_health, &table_crashes,      &table_crash_counts,    &table_sites,
	    &table_issues, &table_issue_proofs, &table_hidden_hosts,
	};
	*ret = tables;
	return sizeof(tables) / sizeof(*tables);
}

static int vtab_connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **ret,
			char **ret_message)
{
	struct table_binding *binding = aux;
	(void)argc;
	(void)argv;
	sqlite3_str *sql = sqlite3_str_new(db);
	sqlite3_str_appendall(sql, "CREATE TABLE x(");
	for (size_t i = 0; i < binding->table->info.column_count; i++)
		sqlite3_str_appendf(sql, "%s\"%w\" %s", i > 0 ? "," : "",
				    binding->table->info.columns[i].name,
				    binding->table->info.columns[i].type);
	sqlite3_str_appendall(sql, ")");
	char *text = sqlite3_str_finish(sql);
	struct vtab *v = sqlite3_malloc(sizeof(*v));
	binding->q->declaring = true;
	int rc = text != NULL && v != NULL ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;
	binding->q->declaring = false;
	sqlite3_free(text);
	if (rc != SQLITE_OK) {
		*ret_message = sqlite3_mprintf("%s", sqlite3_errmsg(db));
		sqlite3_free(v);
		return rc;
	}
	*v = (struct vtab){.q = binding->q, .table = binding->table};
	*ret = &v->base;
	return SQLITE_OK;
}

static int vtab_disconnect(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

/* Costs in rows touched: a host by id is one, by name one look at each profile, all is all of each. */
static int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct vtab *v = (const struct vtab *)base;
	double hosts = (double)v->q->roster.host_count + 1;
	double per_host = v->table->by_host ? 1 : 0;
	if (v->table == &table_host_components)
		per_host = 200;
	info->idxNum = 0;
	info->estimatedCost = v->table->by_host ? hosts * (per_host + 1) * 4 : hosts * 4;
	info->estimatedRows = (sqlite3_int64)(v->table->by_host ? hosts * per_host : 1000);
	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		bool host = c->iColumn == v->table->host_column;
		bool name = c->iColumn == v->table->name_column;
		if (!c->usable || c->op != SQLITE_INDEX_CONSTRAINT_EQ || c->iColumn < 0 ||
		    !v->table->by_host || (!host && !name) || (info->idxNum & BY_HOST) != 0)
			continue;
		for (int k = 0; k < info->nConstraint; k++)
			info->aConstraintUsage[k].argvIndex = 0;
		/* Not omitted: SQLite compares again, so a near miss in a collation stays its business. */
		info->aConstraintUsage[i].argvIndex = 1;
		info->idxNum = host ? BY_HOST : BY_NAME;
		info->estimatedCost = (host ? 1 : hosts) + per_host;
		info->estimatedRows = (sqlite3_int64)per_host;
	}
	return SQLITE_OK;
}

static int vtab_open(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	const struct vtab *v = (const struct vtab *)base;
	struct table_cursor *c = calloc(1, sizeof(*c));
	if (c == NULL)
		return SQLITE_NOMEM;
	c->q = v->q;
	c->table = v->table;
	if (v->table->by_host || v->table->needs_view) {
		c->view = calloc(1, sizeof(*c->view));
		if (c->view == NULL) {
			free(c);
			return SQLITE_NOMEM;
		}
	}
	*ret = &c->base;
	return SQLITE_OK;
}

static int vtab_close(sqlite3_vtab_cursor *base)
{
	struct table_cursor *c = (struct table_cursor *)base;
	free(c->only);
	free(c->entries);
	free(c->view);
	free(c);
	return SQLITE_OK;
}

static int failed(struct table_cursor *c, enum err err)
{
	(void)query_fail(c->q, err);
	return err == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* Long passes over the roster are inside one step of SQLite's, so its own budget does not see them. */
static bool too_late(struct table_cursor *c)
{
	if (c->q->deadline == 0 || c->host % 256 != 0 || os_clock_mono() < c->q->deadline)
		return false;
	c->q->out_of_budget = true;
	return true;
}

/* To the next host that has rows, from c->host on. */
static int seek_host(struct table_cursor *c)
{
	for (; c->host < c->hosts; c->host++) {
		if (too_late(c))
			return SQLITE_INTERRUPT;
		host_view_start(c->view, c->q,
				&c->q->roster.hosts[c->only != NULL ? c->only[c->host] : c->host]);
		c->row = 0;
		enum err err = c->table->count(c, &c->rows);
		if (err == ERR_OK)
			err = c->view->err;
		if (err != ERR_OK)
			return failed(c, err);
		if (c->rows > 0)
			return SQLITE_OK;
	}
	return SQLITE_OK;
}

static enum err select_hosts(struct table_cursor *c, int by, sqlite3_value *value)
{
	struct id id;
	const char *text = (const char *)sqlite3_value_text(value);
	c->hosts = c->q->roster.host_count;
	if (by == 0)
		return ERR_OK;
	c->hosts = 0;
	if (text == NULL)
		return ERR_OK; /* equals NULL: nothing does */
	if (by == BY_NAME)
		return host_by_name(c->q, text, &c->only, &c->hosts);
	const struct roster_host *host = id_unhex(&id, text) ? roster_find(&c->q->roster, &id) : NULL;
	if (host == NULL)
		return ERR_OK;
	c->only = malloc(sizeof(*c->only));
	if (c->only == NULL)
		return ERR_NOMEM;
	c->only[0] = (size_t)(host - c->q->roster.hosts);
	c->hosts = 1;
	return ERR_OK;
}

static int vtab_filter(sqlite3_vtab_cursor *base, int index_number, const char *index_text, int argc,
		       sqlite3_value **argv)
{
	struct table_cursor *c = (struct table_cursor *)base;
	(void)index_text;
	free(c->only);
	c->only = NULL;
	c->host = c->hosts = c->row = c->rows = 0;
	c->number = 0;
	enum err err;
	if (!c->table->by_host) {
		err = c->table->count(c, &c->rows);
		return err == ERR_OK ? SQLITE_OK : failed(c, err);
	}
	err = select_hosts(c, argc > 0 ? index_number : 0, argc > 0 ? argv[0] : NULL);
	return err == ERR_OK ? seek_host(c) : failed(c, err);
}

static int vtab_next(sqlite3_vtab_cursor *base)
{
	struct table_cursor *c = (struct table_cursor *)base;
	c->number++;
	c->row++;
	if (!c->table->by_host || c->row < c->rows)
		return SQLITE_OK;
	c->host++;
	return seek_host(c);
}

static int vtab_eof(sqlite3_vtab_cursor *base)
{
	const struct table_cursor *c = (const struct table_cursor *)base;
	return c->table->by_host ? c->host >= c->hosts : c->row >= c->rows;
}

static int vtab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct table_cursor *c = (struct table_cursor *)base;
	if (column < 0 || (size_t)column >= c->table->info.column_count)
		return SQLITE_ERROR;
	c->table->column(c, column, context);
	if (c->view != NULL && c->view->err != ERR_OK)
		return failed(c, c->view->err);
	return SQLITE_OK;
}

static int vtab_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct table_cursor *)base)->number;
	return SQLITE_OK;
}

int table_register(struct query *q, const struct table *table)
{
	/* No xCreate: usable under its own name only, and no CREATE VIRTUAL TABLE. */
	static const sqlite3_module module = {
	    .xConnect = vtab_connect,
	    .xBestIndex = vtab_best_index,
	    .xDisconnect = vtab_disconnect,
	    .xOpen = vtab_open,
	    .xClose = vtab_close,
	    .xFilter = vtab_filter,
	    .xNext = vtab_next,
	    .xEof = vtab_eof,
	    .xColumn = vtab_column,
	    .xRowid = vtab_rowid,
	};
	struct table_binding *binding = malloc(sizeof(*binding));
	if (binding == NULL)
		return SQLITE_NOMEM;
	*binding = (struct table_binding){q, table};
	return sqlite3_create_module_v2(q->db, table->info.name, &module, binding, free);
}

void cell_text(sqlite3_context *context, const char *text)
{
	sqlite3_result_text(context, text, -1, SQLITE_TRANSIENT);
}

void cell_known_text(sqlite3_context *context, const char *text)
{
	if (text[0] != '\0')
		cell_text(context, text);
}

void cell_u64(sqlite3_context *context, uint64_t v)
{
	/* SQL has no unsigned numbers; nothing but a forged value is that large. */
	sqlite3_result_int64(context, v > INT64_MAX ? INT64_MAX : (sqlite3_int64)v);
}

void cell_time(sqlite3_context *context, uint64_t v)
{
	if (v != 0)
		cell_u64(context, v);
}

void cell_hex64(sqlite3_context *context, uint64_t v)
{
	char text[17];
	uint8_t bytes[8];
	for (size_t i = 0; i < 8; i++)
		bytes[i] = (uint8_t)(v >> (56 - 8 * i));
	text_hex(text, bytes, sizeof(bytes));
	cell_text(context, text);
}

void cell_id(sqlite3_context *context, const struct id *id)
{
	char text[ID_HEX_BYTES];
	id_hex(id, text);
	sqlite3_result_text(context, text, ID_HEX_BYTES - 1, SQLITE_TRANSIENT);
}

void cell_status(sqlite3_context *context, enum reading_status status)
{
	sqlite3_result_text(context, reading_status_name(status), -1, SQLITE_STATIC);
}

void cell_reading(sqlite3_context *context, const struct reading_u64 *r)
{
	if (r->status == READING_OK)
		cell_u64(context, r->value);
}

void cell_reading_text(sqlite3_context *context, const struct reading_text *r)
{
	if (r->status == READING_OK)
		cell_text(context, r->value);
}

void cell_flag(sqlite3_context *context, bool v)
{
	sqlite3_result_int(context, v);
}
