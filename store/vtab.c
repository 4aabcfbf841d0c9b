/* One SQLite module for all tables: eponymous and read-only. A table says its columns, its rows and one cell;
 * what a question compares hosts by, and wants them in the order of, is pushed down (store/table_plan.c). */
#include <stdlib.h>
#include <string.h>

#include "store/table_plan.h"

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
	    &table_hosts,        &table_components,  &table_host_components, &table_changes,
	    &table_health,       &table_crashes,     &table_crash_counts,    &table_sites,
	    &table_files,        &table_incidents,   &table_claims,          &table_notes,
	    &table_inventory,    &table_policy,      &table_issues,          &table_issue_proofs,
	    &table_hidden_hosts, &table_transitions, &table_lists,
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

static int vtab_best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct vtab *v = (const struct vtab *)base;
	sqlite3_str *text = sqlite3_str_new(NULL);
	sqlite3_str_appendf(text, "%llu", (unsigned long long)info->colUsed);
	info->estimatedCost = 4000;
	info->estimatedRows = 1000;
	if (v->table->by_host) {
		table_plan_hosts(v->q, v->table, info, text);
	} else if (v->table->plan != NULL) {
		v->table->plan(v->q, info);
	}
	info->idxStr = sqlite3_str_finish(text);
	info->needToFreeIdxStr = 1;
	return info->idxStr != NULL ? SQLITE_OK : SQLITE_NOMEM;
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
	free(c->list.numbers);
	free(c->entries.entries);
	choice_free(&c->choice);
	host_order_free(c->order);
	table_transitions_free(c->transitions);
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

/* NULL: the place is no host's. */
static enum err host_at(const struct table_cursor *c, const struct roster_host **ret)
{
	uint32_t number = (uint32_t)c->place;
	if (c->listed)
		return roster_host(c->q, c->list.numbers[c->place], false, ret);
	enum err err = c->ordered ? host_order_at(c->q, c->order, c->place, &number) : ERR_OK;
	if (err == ERR_OK)
		*ret = roster_at(&c->q->roster, number);
	return err;
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
		const struct roster_host *host = NULL;
		c->row = c->rows = 0;
		enum err err = host_at(c, &host);
		if (err == ERR_OK && host == NULL)
			continue;
		if (err == ERR_OK)
			host_view_start(&c->view, c->q, host);
		if (err == ERR_OK && is_wanted(c))
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
	c->listed = true;
	return err == ERR_OK && host != NULL ? host_list_add(&c->list, host->number) : err;
}

/* It is compared when they are visited. */
static enum err only_named(struct table_cursor *c)
{
	if (c->listed || !snapshot_meta(c->q->snapshot)->counts_there)
		return ERR_OK;
	c->listed = true;
	return host_list_named(c->q, c->name, &c->list);
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
static enum err take_filter(struct table_cursor *c, int filter, const char *text)
{
	if (text == NULL) {
		c->listed = true;
		c->list.count = 0;
		return ERR_OK;
	}
	switch (filter) {
	case FILTER_HOST:
		return only_host(c, text);
	case FILTER_NAME:
		c->name = strdup(text);
		return c->name != NULL ? only_named(c) : ERR_NOMEM;
	case FILTER_SITE:
		c->site = roster_site_find(&c->q->roster, text);
		return ERR_OK;
	case FILTER_STATUS:
		c->status = status_of(text);
		return ERR_OK;
	default:
		return ERR_OK;
	}
}

/* `columns` is what was planned. */
static enum err take_order(struct table_cursor *c, const char *columns)
{
	struct order_plan plan = {.site = c->site, .status = c->status};
	for (char *end; *columns == ',' && plan.term_count < HOST_ORDER_TERMS; columns = end)
		(void)table_plan_term(c->table, (int)strtol(columns + 1, &end, 10),
				      &plan.terms[plan.term_count++]);
	enum err err = host_order_make(c->q, &plan, &c->order);
	if (err == ERR_OK)
		c->places = host_order_count(c->order);
	return err;
}

static enum err add_text(struct choice_texts *t, sqlite3_value *value)
{
	const char *text = (const char *)sqlite3_value_text(value);
	size_t len = text != NULL ? strlen(text) + 1 : 0;
	char *more = realloc(t->bytes, t->len + len + 1);
	if (more == NULL)
		return ERR_NOMEM;
	t->bytes = more;
	if (len > 0)
		memcpy(t->bytes + t->len, text, len);
	t->len += len;
	return ERR_OK;
}

/* One value, or all of an IN. NULL equals nothing. */
static enum err take_texts(sqlite3_value *value, bool several, struct choice_texts *ret)
{
	sqlite3_value *one;
	enum err err = ERR_OK;
	if (!several)
		return add_text(ret, value);
	int rc = sqlite3_vtab_in_first(value, &one);
	for (; rc == SQLITE_OK && err == ERR_OK; rc = sqlite3_vtab_in_next(value, &one))
		err = add_text(ret, one);
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		return ERR_NOMEM;
	/* Of no value there is nothing to be found either. */
	if (err == ERR_OK && ret->bytes == NULL)
		ret->bytes = calloc(1, 1);
	return ret->bytes != NULL ? err : ERR_NOMEM;
}

static enum err take_filters(struct table_cursor *c, int set, const char *columns, int argc,
			     sqlite3_value **argv)
{
	static const int all_at_once[] = {TABLE_COMPONENTS, TABLE_ENTRIES};
	struct choice_texts chosen[2] = {{NULL, 0}, {NULL, 0}};
	int at = 0;
	enum err err = roster_sites(c->q);
	forget(c);
	c->listed = false;
	c->list.count = 0;
	c->site = c->q->roster.site_total + 1;
	c->status = -1;
	for (int f = 0; f < FILTER_COUNT && err == ERR_OK; f++) {
		if ((set & 1 << f) == 0 || at >= argc)
			continue;
		sqlite3_value *value = argv[at++];
		int which = f - FILTER_COMPONENT;
		err = which >= 0 ? take_texts(value, (set & all_at_once[which]) != 0, &chosen[which])
				 : take_filter(c, f, (const char *)sqlite3_value_text(value));
	}
	c->chosen = chosen[0].bytes != NULL || chosen[1].bytes != NULL;
	if (err == ERR_OK && c->chosen && (!c->listed || c->list.count > 0)) {
		err = choice_make(c->q, chosen[0], chosen[1], &c->choice);
	} else {
		free(chosen[0].bytes);
		free(chosen[1].bytes);
	}
	if (err == ERR_OK && c->chosen && !c->listed)
		err = choice_all(c->q, &c->choice);
	c->places = c->listed ? c->list.count : c->q->roster.end;
	c->ordered = err == ERR_OK && !c->listed && (set & TABLE_ORDERED) != 0;
	if (c->ordered)
		return take_order(c, columns);
	return err == ERR_OK && !c->listed ? roster_load(c->q) : err;
}

static int vtab_filter(sqlite3_vtab_cursor *base, int index_number, const char *index_text, int argc,
		       sqlite3_value **argv)
{
	struct table_cursor *c = (struct table_cursor *)base;
	c->place = c->row = c->rows = 0;
	c->number = 0;
	char *columns;
	c->used = strtoull(index_text, &columns, 10);
	enum err err = ERR_OK;
	if (!c->table->by_host) {
		if (c->table->plan != NULL)
			err = c->table->start(c, index_number, argc, argv);
		if (err == ERR_OK)
			err = c->table->count(c, &c->rows);
		return err == ERR_OK ? outcome(c) : failed(c, err);
	}
	err = take_filters(c, index_number, columns, argc, argv);
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
