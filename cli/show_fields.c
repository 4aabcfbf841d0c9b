/* How a column's name and value are put for people. */
#include "cli/show_fields.h"

#include <inttypes.h>
#include <string.h>

#include "cli/shown.h"
#include "cli/table.h"

/* A column X with a column X_status beside it holds a value or the reason why there is none. */
static bool is_status_of_another(const struct rows *r, size_t column)
{
	const char *name = r->names[column];
	size_t len = strlen(name), suffix = strlen("_status");
	for (size_t i = 0; len > suffix && i < r->columns; i++) {
		if (strlen(r->names[i]) == len - suffix && strncmp(r->names[i], name, len - suffix) == 0)
			return strcmp(name + len - suffix, "_status") == 0;
	}
	return false;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);
	return len >= n && strcmp(text + len - n, end) == 0;
}

/* "since enrolment", "this boot": what a count covers, by the table's own description. */
static const char *span_of(const char *table, const char *column)
{
	const struct query_table *t;
	for (size_t i = 0; (t = query_table_at(i)) != NULL; i++) {
		for (size_t k = 0; strcmp(t->name, table) == 0 && k < t->column_count; k++) {
			const char *unit = t->columns[k].unit;
			if (strcmp(t->columns[k].name, column) == 0 &&
			    (strncmp(unit, "since ", 6) == 0 || strncmp(unit, "this ", 5) == 0))
				return unit;
		}
	}
	return "";
}

/* What a field's number means, by how its name ends. */
enum meaning { TIME_MS, TIME_S, AGE_S, PERCENT, DAY, YESNO };
static const struct {
	const char *end;
	enum meaning as;
} meanings[] = {
    {"_ms", TIME_MS},       {"_time_s", TIME_S},   {"age_s", AGE_S},     {"_percent", PERCENT}, {"_day", DAY},
    {"secure_boot", YESNO}, {"boot_clean", YESNO}, {"clock_off", YESNO}, {"complete", YESNO},
};
#define MEANINGS (sizeof(meanings) / sizeof(meanings[0]))

static void put_number(const struct answer *a, const char *table, const char *name, int64_t v,
		       char ret[SHOWN_BYTES])
{
	uint64_t n = v > 0 ? (uint64_t)v : 0;
	size_t i = 0;
	while (i < MEANINGS && !ends_with(name, meanings[i].end))
		i++;
	if (i == MEANINGS || v < 0) {
		const char *span = span_of(table, name);
		snprintf(ret, SHOWN_BYTES, "%" PRId64 "%s%s", v, *span != '\0' ? " " : "", span);
		return;
	}
	switch (meanings[i].as) {
	case TIME_MS:
		shown_time(n, a->now, ret);
		break;
	case TIME_S:
		shown_time(n < UINT64_MAX / CLOCK_SECOND_MS ? n * CLOCK_SECOND_MS : UINT64_MAX, a->now, ret);
		break;
	case AGE_S:
		shown_age(n, ret);
		break;
	case PERCENT:
		/* Published in tens, so that noise is no news. */
		snprintf(ret, SHOWN_BYTES, "about %" PRIu64 " %%", n);
		break;
	case DAY:
		shown_day(n, ret);
		break;
	case YESNO:
		snprintf(ret, SHOWN_BYTES, "%s", n != 0 ? "yes" : "no");
		break;
	}
}

/* The field's name as words, without its unit: the value shows that. */
static void put_label(struct table *t, const char *name)
{
	static const char *const units[] = {"_ms", "_s", "_percent", "_day"};
	char label[64];
	size_t len = strlen(name);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ends_with(name, units[i])) {
			len -= strlen(units[i]);
			break;
		}
	}
	snprintf(label, sizeof(label), "  %.*s", (int)len, name);
	for (char *c = label; *c != '\0'; c++)
		*c = *c == '_' ? ' ' : *c;
	table_cell(t, label, strlen(label));
}

static void put_value(struct table *t, const struct answer *a, const char *table, const char *name,
		      const struct query_value *v, const char *status)
{
	char text[SHOWN_BYTES];
	switch (v->type) {
	case QUERY_NULL:
		table_cell(t, status, strlen(status));
		return;
	case QUERY_TEXT:
		table_cell(t, v->text_len > 0 ? v->text : "-", v->text_len > 0 ? v->text_len : 1);
		return;
	case QUERY_REAL:
		snprintf(text, sizeof(text), "%.6g", v->real);
		break;
	case QUERY_INTEGER:
		put_number(a, table, name, v->integer, text);
		break;
	}
	table_cell(t, text, strlen(text));
}

enum err show_fields(const struct answer *a, const char *table, const struct rows *r, const char *const *skip)
{
	static const char *const headings[] = {"", ""};
	static const enum table_align aligns[] = {TABLE_FIXED, TABLE_TEXT};
	struct table *t = table_new(headings, aligns, 2);
	if (t == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; r->count > 0 && i < r->columns; i++) {
		char partner[64];
		bool skipped = is_status_of_another(r, i);
		for (size_t k = 0; skip[k] != NULL; k++)
			skipped = skipped || strcmp(skip[k], r->names[i]) == 0;
		if (skipped)
			continue;
		snprintf(partner, sizeof(partner), "%s_status", r->names[i]);
		const char *status = rows_text(r, 0, partner);
		put_label(t, r->names[i]);
		put_value(t, a, table, r->names[i], rows_cell(r, 0, i), status[0] != '\0' ? status : "-");
	}
	enum err err =
	    table_print(t, a->output.f, a->output.format == OUTPUT_WIDE ? 0 : a->output.width, false);
	table_free(t);
	return err;
}
