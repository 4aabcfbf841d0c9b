/* One SQLite module for all tables: eponymous and read-only. A table says its columns, its rows and one cell;
 * what a question compares hosts by is pushed down to the columns they stand in, and rows come by site where
 * the question wants them so. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

#define BY_SITE_ORDER (1 << FILTER_COUNT) /* beside a bit for each filter */

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

static int filter_of(const struct table *table, int column)
{
	for (int f = 0; f < FILTER_COUNT && column >= 0; f++) {
		if (table->filters[f] == column + 1)
			return f;
	}
	return -1;
}

/* Ours compare bytes; with another collation SQLite has to look at every row. */
static bool is_binary(sqlite3_index_info *info, int constraint)
{
	return sqlite3_stricmp(sqlite3_vtab_collation(info, constraint), "BINARY") == 0;
}

/* Filters in the order of their numbers, one constraint each. Not omitted: SQLite compares again. */
static int choose_filters(const struct table *table, sqlite3_index_info *info)
{
	int chosen[FILTER_COUNT], set = 0, arguments = 0;
	for (int i = 0; i < info->nConstraint; i++) {
		const struct sqlite3_index_constraint *c = &info->aConstraint[i];
		int f = c->usable && c->op == SQLITE_INDEX_CONSTRAINT_EQ ? filter_of(table, c->iColumn) : -1;
		if (f < 0 || (set & 1 << f) != 0 || !is_binary(info, i))
			continue;
		chosen[f] = i;
		set |= 1 << f;
	}
	for (int f = 0; f < FILTER_COUNT; f++) {
		if ((set & 1 << f) != 0)
			info->aConstraintUsage[chosen[f]].argvIndex = ++arguments;
	}
	return set;
}

/* Rows that a host has, about. */
static double rows_each(const struct table *table)
{
	if (table == &table_host_components)
		return 200;
	return table == &table_crash_counts ? CRASH_KINDS - 1 : 1;
}

/* Costs in looks at a host; a row costs about as much. */
static void estimate(const struct vtab *v, int set, sqlite3_index_info *info)
{
	static const double shares[FILTER_COUNT] = {[FILTER_NAME] = 1e-4,
						    [FILTER_SITE] = 0.01,
						    [FILTER_STATUS] = 0.2,
						    [FILTER_COMPONENT] = 0.1,
						    [FILTER_ENTRY] = 0.05};
	double hosts = (double)v->q->roster.end + 1, each = rows_each(v->table), found = hosts;
	for (int f = 0; f < FILTER_COUNT; f++) {
		if ((set & 1 << f) != 0 && f != FILTER_HOST)
			found *= shares[f];
	}
	if ((set & (1 << FILTER_COMPONENT | 1 << FILTER_ENTRY)) != 0)
		each = 2;
	if ((set & 1 << FILTER_HOST) != 0) {
		info->estimatedCost = 1 + each;
		info->estimatedRows = (sqlite3_int64)each;
		info->idxFlags = each <= 1 ? SQLITE_INDEX_SCAN_UNIQUE : 0;
	} else {
		info->estimatedCost = hosts + found * each * 4;
		info->estimatedRows = (sqlite3_int64)(found * each) + 1;
	}
}

static int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct vtab *v = (const struct vtab *)base;
	info->idxStr = sqlite3_mprintf("%llu", (unsigned long long)info->colUsed);
	info->needToFreeIdxStr = 1;
	if (info->idxStr == NULL)
		return SQLITE_NOMEM;
	if (!v->table->by_host) {
		info->estimatedCost = 4000;
		info->estimatedRows = 1000;
		return SQLITE_OK;
	}
	info->idxNum = choose_filters(v->table, info);
	estimate(v, info->idxNum, info);
	if (info->nOrderBy == 1 && !info->aOrderBy[0].desc &&
	    filter_of(v->table, info->aOrderBy[0].iColumn) == FILTER_SITE) {
		info->orderByConsumed = 1;
		info->idxNum |= BY_SITE_ORDER;
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
	*ret = &c->base;
	return SQLITE_OK;
}

static void forget(struct table_cursor *c)
{
	free((char *)(uintptr_t)c->name);
	c->name = NULL;
}

static int vtab_close(sqlite3_vtab_cursor *base)
{
	struct table_cursor *c = (struct table_cursor *)base;
	forget(c);
	free(c->entries.entries);
	choice_free(&c->choice);
	free(c);
	return SQLITE_OK;
}

static int failed(struct table_cursor *c, enum err err)
{
	(void)query_fail(c->q, err);
	return err == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

/* What a table's functions may have met on the way. */
static int outcome(struct table_cursor *c)
{
	if (c->view.err != ERR_OK)
		return failed(c, c->view.err);
	return c->q->failure == ERR_OK ? SQLITE_OK : c->q->failure == ERR_NOMEM ? SQLITE_NOMEM : SQLITE_ERROR;
}

static const struct roster_host *host_at(const struct table_cursor *c)
{
	const struct roster *r = &c->q->roster;
	if (c->only)
		return &r->hosts[c->only_number];
	return roster_at(r, c->by_site ? r->by_site[c->place] : (uint32_t)c->place);
}

/* Whether the host is one of those asked for, as far as that was pushed down. */
static bool is_wanted(struct table_cursor *c)
{
	const struct roster_host *host = c->view.host;
	if ((c->site <= c->q->roster.site_total && host->site != c->site) ||
	    (c->status >= 0 && host->status != c->status))
		return false;
	if (c->name != NULL) {
		struct column_row profile = host_row(&c->view, GROUP_PROFILE);
		const char *name = profile.block != NULL ? column_row_text(profile, C_PROFILE_NAME) : NULL;
		if (name == NULL || strcmp(name, c->name) != 0)
			return false;
	}
	return true;
}

/* To the next host that has rows, from c->place on. */
static int seek_host(struct table_cursor *c)
{
	for (; c->place < c->places; c->place++) {
		if (c->place % 256 == 0 && query_too_late(c->q))
			return SQLITE_INTERRUPT;
		const struct roster_host *host = host_at(c);
		c->row = c->rows = 0;
		enum err err = ERR_OK;
		if (host == NULL)
			continue;
		host_view_start(&c->view, c->q, host);
		if (is_wanted(c))
			err = c->table->count(c, &c->rows);
		if (err != ERR_OK)
			return failed(c, err);
		int rc = outcome(c);
		if (rc != SQLITE_OK || c->rows > 0)
			return rc;
	}
	return SQLITE_OK;
}

static enum err only_host(struct table_cursor *c, const char *hex)
{
	struct id id;
	const struct roster_host *host = NULL;
	enum err err = id_unhex(&id, hex) ? host_by_id(c->q, &id, false, &host) : ERR_OK;
	c->only = true;
	c->only_number = host != NULL ? host->number : 0;
	c->places = host != NULL ? 1 : 0;
	return err;
}

static int status_of(const char *name)
{
	for (int s = HOST_UNKNOWN; s <= HOST_REPLACED; s++) {
		if (strcmp(host_status_name((enum host_status)s), name) == 0)
			return s;
	}
	return HOST_REPLACED + 1;
}

/* One filter's value: NULL equals nothing. */
static enum err take_filter(struct table_cursor *c, int filter, const char *text, const char **chosen)
{
	if (text == NULL) {
		c->places = 0;
		return ERR_OK;
	}
	switch (filter) {
	case FILTER_HOST:
		return only_host(c, text);
	case FILTER_NAME:
		c->name = strdup(text);
		return c->name != NULL ? ERR_OK : ERR_NOMEM;
	case FILTER_SITE:
		c->site = roster_site_find(&c->q->roster, text);
		return ERR_OK;
	case FILTER_STATUS:
		c->status = status_of(text);
		return ERR_OK;
	default:
		chosen[filter - FILTER_COMPONENT] = text;
		return ERR_OK;
	}
}

static enum err take_filters(struct table_cursor *c, int set, int argc, sqlite3_value **argv)
{
	const char *chosen[2] = {NULL, NULL};
	int at = 0;
	enum err err = roster_sites(c->q);
	forget(c);
	c->only = false;
	c->site = c->q->roster.site_total + 1;
	c->status = -1;
	c->places = c->q->roster.end;
	for (int f = 0; f < FILTER_COUNT && err == ERR_OK; f++) {
		if ((set & 1 << f) != 0 && at < argc)
			err = take_filter(c, f, (const char *)sqlite3_value_text(argv[at++]), chosen);
	}
	c->chosen = chosen[0] != NULL || chosen[1] != NULL;
	if (err == ERR_OK && c->chosen && c->places > 0)
		err = choice_make(c->q, chosen[0], chosen[1], &c->choice);
	c->by_site = err == ERR_OK && !c->only && c->places > 0 && (set & BY_SITE_ORDER) != 0;
	if (c->by_site)
		err = roster_order(c->q);
	else if (err == ERR_OK && !c->only && c->places > 0)
		err = roster_load(c->q);
	if (err == ERR_OK && c->by_site)
		c->places = c->q->roster.by_site_count;
	return err;
}

static int vtab_filter(sqlite3_vtab_cursor *base, int index_number, const char *index_text, int argc,
		       sqlite3_value **argv)
{
	struct table_cursor *c = (struct table_cursor *)base;
	c->place = c->row = c->rows = 0;
	c->number = 0;
	c->used = index_text != NULL ? strtoull(index_text, NULL, 10) : UINT64_MAX;
	enum err err;
	if (!c->table->by_host) {
		err = c->table->count(c, &c->rows);
		return err == ERR_OK ? outcome(c) : failed(c, err);
	}
	err = take_filters(c, index_number, argc, argv);
	return err == ERR_OK ? seek_host(c) : failed(c, err);
}

static int vtab_next(sqlite3_vtab_cursor *base)
{
	struct table_cursor *c = (struct table_cursor *)base;
	c->number++;
	c->row++;
	if (c->table->next != NULL && c->row < c->rows)
		c->table->next(c);
	int rc = outcome(c);
	if (rc != SQLITE_OK || !c->table->by_host || c->row < c->rows)
		return rc;
	c->place++;
	return seek_host(c);
}

static int vtab_eof(sqlite3_vtab_cursor *base)
{
	const struct table_cursor *c = (const struct table_cursor *)base;
	return c->table->by_host ? c->place >= c->places : c->row >= c->rows;
}

static int vtab_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	struct table_cursor *c = (struct table_cursor *)base;
	if (column < 0 || (size_t)column >= c->table->info.column_count)
		return SQLITE_ERROR;
	c->table->column(c, column, context);
	return outcome(c);
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

void cell_static(sqlite3_context *context, const char *text)
{
	sqlite3_result_text(context, text, -1, SQLITE_STATIC);
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

void cell_hex(sqlite3_context *context, const uint8_t *bytes, size_t len)
{
	char text[2 * ID_BYTES + 1];
	if (len <= ID_BYTES) {
		text_hex(text, bytes, len);
		cell_text(context, text);
	}
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

void cell_flag(sqlite3_context *context, bool v)
{
	sqlite3_result_int(context, v);
}
