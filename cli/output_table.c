/* The forms "table" and "wide". */
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/output.h"
#include "cli/shown.h"
#include "cli/table.h"

#define ID_SHOWN 8

/* The column that says why X has no value, when the answer has one: X_status. `name_count` when there is
 * none. */
static size_t status_of(const struct output *o, size_t column)
{
	size_t len = strlen(o->names[column]);
	for (size_t i = 0; i < o->name_count; i++) {
		if (strncmp(o->names[i], o->names[column], len) == 0 &&
		    strcmp(o->names[i] + len, "_status") == 0)
			return i;
	}
	return o->name_count;
}

static bool is_status(const struct output *o, size_t column)
{
	for (size_t i = 0; i < o->name_count; i++) {
		if (status_of(o, i) == column)
			return true;
	}
	return false;
}

/* A verb's answer shows the reason in place of the value. A question of the user's shows what it asked for.
 */
static void plan_columns(struct output *o)
{
	for (size_t i = 0; i < o->name_count; i++) {
		o->status_at[i] = o->columns != NULL ? status_of(o, i) : o->name_count;
		o->hidden[i] = o->columns != NULL && is_status(o, i);
		o->hidden[i] |= o->format == OUTPUT_TABLE && o->styles[i]->only_wide;
	}
}

static void capitals(char *text)
{
	for (; *text != '\0'; text++)
		*text = *text == '_' ? ' ' : (char)toupper((unsigned char)*text);
}

static enum table_align align_of(enum output_style style)
{
	switch (style) {
	case OUTPUT_PLAIN:
		return TABLE_TEXT;
	case OUTPUT_NUMBER:
	case OUTPUT_AGE:
		return TABLE_NUMBER;
	case OUTPUT_FIXED:
	case OUTPUT_ID:
	case OUTPUT_TIME:
	case OUTPUT_YESNO:
		break;
	}
	return TABLE_FIXED;
}

/* Whether a plain column holds numbers shows in its first row only, so the table is made there. */
static bool make_table(struct output *o, const struct query_value *values)
{
	const char **headings = calloc(o->name_count + 1, sizeof(*headings));
	enum table_align *aligns = calloc(o->name_count + 1, sizeof(*aligns));
	size_t count = 0;
	for (size_t i = 0; i < o->name_count && headings != NULL && aligns != NULL; i++) {
		if (o->hidden[i])
			continue;
		const struct output_column *c = o->styles[i];
		bool number =
		    values != NULL && (values[i].type == QUERY_INTEGER || values[i].type == QUERY_REAL);
		aligns[count] = c->style == OUTPUT_PLAIN && number ? TABLE_NUMBER : align_of(c->style);
		/* Names are not needed as they were any more. */
		if (c->heading == NULL)
			capitals(o->names[i]);
		headings[count++] = c->heading != NULL ? c->heading : o->names[i];
	}
	if (count > 0)
		o->table = table_new(headings, aligns, count);
	free(headings);
	free(aligns);
	return o->table != NULL;
}

static size_t put_integer(const struct output *o, const struct output_column *c, int64_t v,
			  char ret[SHOWN_BYTES])
{
	uint64_t positive = v > 0 ? (uint64_t)v : 0;
	switch (c->style) {
	case OUTPUT_TIME:
		if (v <= 0)
			snprintf(ret, SHOWN_BYTES, "-");
		else
			shown_time(positive, o->now, ret);
		break;
	case OUTPUT_AGE:
		shown_age(positive, ret);
		break;
	case OUTPUT_YESNO:
		snprintf(ret, SHOWN_BYTES, "%s", v != 0 ? "yes" : "no");
		break;
	case OUTPUT_PLAIN:
	case OUTPUT_NUMBER:
	case OUTPUT_FIXED:
	case OUTPUT_ID:
		snprintf(ret, SHOWN_BYTES, "%" PRId64, v);
		break;
	}
	return strlen(ret);
}

static void put_value(struct output *o, const struct output_column *c, const struct query_value *v)
{
	char text[SHOWN_BYTES];
	size_t len = v->text_len;
	switch (v->type) {
	case QUERY_NULL:
		table_cell(o->table, "-", 1);
		break;
	case QUERY_INTEGER:
		table_cell(o->table, text, put_integer(o, c, v->integer, text));
		break;
	case QUERY_REAL:
		snprintf(text, sizeof(text), "%.6g", v->real);
		table_cell(o->table, text, strlen(text));
		break;
	case QUERY_TEXT:
		if (c->style == OUTPUT_ID && o->format == OUTPUT_TABLE && len > ID_SHOWN)
			len = ID_SHOWN;
		table_cell(o->table, v->text, len);
		break;
	}
}

static bool on_columns(struct output *o)
{
	plan_columns(o);
	return true;
}

static bool on_row(struct output *o, const struct query_value *values)
{
	if (o->table == NULL && !make_table(o, values))
		return false;
	for (size_t i = 0; i < o->name_count; i++) {
		bool reasoned = values[i].type == QUERY_NULL && o->status_at[i] < o->name_count;
		if (!o->hidden[i])
			put_value(o, o->styles[i], &values[reasoned ? o->status_at[i] : i]);
	}
	return true;
}

static bool on_finish(struct output *o)
{
	if (o->table == NULL && !make_table(o, NULL))
		return false;
	return table_print(o->table, o->f, o->format == OUTPUT_WIDE ? 0 : o->width, true) == ERR_OK;
}

const struct output_form output_form_table = {on_columns, on_row, on_finish};
