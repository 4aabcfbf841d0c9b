#include "store/table_plan.h"

#include <string.h>

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

/* Whether a host is passed over exactly when SQLite would, too: a text that stands in the question. What
 * comes out of a parameter or another table may be a number, which SQL compares otherwise, and ids may be
 * written in two ways. */
static bool is_exact(sqlite3_index_info *info, int constraint, int filter)
{
	sqlite3_value *value = NULL;
	if (filter == FILTER_HOST || filter == FILTER_ENTRY ||
	    sqlite3_vtab_rhs_value(info, constraint, &value) != SQLITE_OK ||
	    sqlite3_value_type(value) != SQLITE_TEXT)
		return false;
	const char *text = (const char *)sqlite3_value_text(value);
	return text != NULL && text[0] != '\0' && strlen(text) == (size_t)sqlite3_value_bytes(value);
}

/* Filters in the order of their numbers, one constraint each. */
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
		if ((set & 1 << f) == 0)
			continue;
		info->aConstraintUsage[chosen[f]].argvIndex = ++arguments;
		info->aConstraintUsage[chosen[f]].omit = is_exact(info, chosen[f], f);
	}
	/* One pass over the hosts for all values, where SQLite would make one for each. */
	if ((set & 1 << FILTER_COMPONENT) != 0 && sqlite3_vtab_in(info, chosen[FILTER_COMPONENT], 1))
		set |= TABLE_COMPONENTS;
	if ((set & 1 << FILTER_ENTRY) != 0 && sqlite3_vtab_in(info, chosen[FILTER_ENTRY], 1))
		set |= TABLE_ENTRIES;
	return set;
}

bool table_plan_term(const struct table *table, int column, struct order_term *ret)
{
	static const struct order_term terms[] = {
	    [FILTER_HOST] = {ORDER_ID, GROUP_HOST, C_HOST_ID},
	    [FILTER_NAME] = {ORDER_NAME, GROUP_PROFILE, C_PROFILE_NAME},
	    [FILTER_SITE] = {.kind = ORDER_SITE},
	    [FILTER_STATUS] = {.kind = ORDER_STATUS},
	};
	int f = filter_of(table, column);
	bool known = f >= 0 && f <= FILTER_STATUS;
	if (known) {
		*ret = terms[f];
	} else if (table->sources != NULL && column >= 0 && table->sources[column].form == CELL_TEXT) {
		*ret = (struct order_term){ORDER_TEXT, table->sources[column].group,
					   table->sources[column].column};
		known = true;
	}
	return known;
}

/* Adds the columns of ORDER BY to `text`, where hosts come in that order. Not for the few of one name, nor by
 * name or id first, as SQLite sorts the first rows of a LIMIT sooner than all can be; and the hosts of one
 * component only by what is at hand. */
static bool choose_order(const struct table *table, sqlite3_index_info *info, int set, sqlite3_str *text)
{
	bool few = (set & (1 << FILTER_COMPONENT | 1 << FILTER_ENTRY)) != 0;
	int first = info->nOrderBy > 0 ? filter_of(table, info->aOrderBy[0].iColumn) : -1;
	bool can = info->nOrderBy > 0 && info->nOrderBy <= HOST_ORDER_TERMS &&
		   (set & 1 << FILTER_NAME) == 0 && first != FILTER_NAME && first != FILTER_HOST;
	for (int i = 0; i < info->nOrderBy && can; i++) {
		struct order_term term;
		can = !info->aOrderBy[i].desc && table_plan_term(table, info->aOrderBy[i].iColumn, &term) &&
		      (!few || term.kind == ORDER_SITE || term.kind == ORDER_STATUS);
		sqlite3_str_appendf(text, ",%d", info->aOrderBy[i].iColumn);
	}
	return can;
}

/* Rows that a host has, about. */
static double rows_each(const struct table *table)
{
	static const struct {
		const struct table *table;
		double rows;
	} others[] = {
	    {&table_host_components, 200},
	    {&table_changes, 10},
	    {&table_crashes, 0.2}, /* most hosts never crashed */
	    {&table_crash_counts, CRASH_KINDS - 1},
	};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].table == table)
			return others[i].rows;
	}
	return 1;
}

/* Costs in looks at a host; a row costs about as much. */
static void estimate(const struct query *q, const struct table *table, int set, sqlite3_index_info *info)
{
	static const double shares[FILTER_COUNT] = {[FILTER_NAME] = 1e-4,
						    [FILTER_SITE] = 0.01,
						    [FILTER_STATUS] = 0.2,
						    [FILTER_COMPONENT] = 0.2,
						    [FILTER_ENTRY] = 0.1};
	const int component = 1 << FILTER_COMPONENT | 1 << FILTER_ENTRY;
	double hosts = (double)q->roster.end + 1, each = rows_each(table), found = hosts;
	for (int f = 0; f < FILTER_COUNT; f++) {
		if ((set & 1 << f) != 0 && f != FILTER_HOST)
			found *= shares[f];
	}
	if ((set & component) != 0)
		each = 2;
	double rows = found * each + 1, cost = hosts + rows * 4;
	if ((set & 1 << FILTER_HOST) != 0) {
		rows = each < 1 ? 1 : each;
		cost = 1 + rows;
		/* At most one row, not only as a rule. */
		info->idxFlags =
		    table == &table_hosts || table == &table_health ? SQLITE_INDEX_SCAN_UNIQUE : 0;
	} else if ((set & 1 << FILTER_NAME) != 0) {
		cost = 2 + rows * 4;
	} else if ((set & component) != 0) {
		cost += hosts / 2; /* which manifests have it is found by a walk through them */
	}
	info->estimatedCost = cost;
	info->estimatedRows = (sqlite3_int64)rows;
}

void table_plan_hosts(const struct query *q, const struct table *table, sqlite3_index_info *info,
		      sqlite3_str *text)
{
	info->idxNum = choose_filters(table, info);
	estimate(q, table, info->idxNum, info);
	info->orderByConsumed = choose_order(table, info, info->idxNum, text);
	if (info->orderByConsumed)
		info->idxNum |= TABLE_ORDERED;
}
