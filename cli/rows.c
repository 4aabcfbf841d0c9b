#include "cli/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static bool on_columns(void *context, const char *const *names, size_t count)
{
	struct rows *r = context;
	r->names = calloc(count + 1, sizeof(*r->names));
	if (r->names == NULL)
		r->failed = true;
	for (size_t i = 0; i < count && !r->failed; i++) {
		r->names[i] = strdup(names[i]);
		r->failed = r->names[i] == NULL;
		r->columns = i + 1;
	}
	return !r->failed;
}

static bool on_row(void *context, const struct query_value *values, size_t count)
{
	struct rows *r = context;
	size_t used = r->count * r->columns;
	CHECK(count == r->columns);
	if (r->count == ROWS_MAX) {
		r->failed = true;
		return false;
	}
	if (used + count > r->cell_cap) {
		size_t cap = 2 * r->cell_cap + 16 * count;
		struct query_value *cells = realloc(r->cells, cap * sizeof(*cells));
		if (cells == NULL) {
			r->failed = true;
			return false;
		}
		r->cells = cells;
		r->cell_cap = cap;
	}
	for (size_t i = 0; i < count; i++) {
		struct query_value v = values[i];
		if (v.type == QUERY_TEXT) {
			char *text = malloc(v.text_len + 1);
			if (text == NULL) {
				/* What is half a row stays out of reach, but is to be freed. */
				v.type = QUERY_NULL;
				r->failed = true;
			} else {
				memcpy(text, v.text, v.text_len);
				text[v.text_len] = '\0';
				v.text = text;
			}
		}
		r->cells[used + i] = v;
	}
	r->count++;
	return !r->failed;
}

enum err rows_fetch(struct query *q, const char *sql, const char *const *parameters, size_t count,
		    struct rows *ret, struct err_info *info)
{
	*ret = (struct rows){0};
	struct query_sink sink = {on_columns, on_row, ret};
	enum err err = query_run(q, sql, parameters, count, NULL, &sink, info);
	if (err == ERR_OK && ret->failed && ret->count == ROWS_MAX)
		return err_set(info, ERR_LIMIT, "more than %d rows", ROWS_MAX);
	if (err == ERR_OK && ret->failed)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	return err;
}

void rows_release(struct rows *r)
{
	for (size_t i = 0; i < r->count * r->columns; i++) {
		if (r->cells[i].type == QUERY_TEXT)
			free((char *)(uintptr_t)r->cells[i].text);
	}
	for (size_t i = 0; i < r->columns; i++)
		free(r->names[i]);
	free(r->names);
	free(r->cells);
	*r = (struct rows){0};
}

const struct query_value *rows_cell(const struct rows *r, size_t row, size_t column)
{
	CHECK(row < r->count && column < r->columns);
	return &r->cells[row * r->columns + column];
}

const struct query_value *rows_find(const struct rows *r, size_t row, const char *column)
{
	for (size_t i = 0; i < r->columns; i++) {
		if (strcmp(r->names[i], column) == 0)
			return rows_cell(r, row, i);
	}
	return NULL;
}

const char *rows_text(const struct rows *r, size_t row, const char *column)
{
	const struct query_value *v = rows_find(r, row, column);
	return v != NULL && v->type == QUERY_TEXT ? v->text : "";
}

uint64_t rows_u64(const struct rows *r, size_t row, const char *column)
{
	const struct query_value *v = rows_find(r, row, column);
	return v != NULL && v->type == QUERY_INTEGER && v->integer > 0 ? (uint64_t)v->integer : 0;
}
