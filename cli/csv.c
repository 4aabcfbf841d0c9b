#include "cli/csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/shown.h"

#define BOM "\xef\xbb\xbf"

void csv_fault(struct csv_table *t, size_t line, const char *column, const char *format, ...)
{
	va_list list;
	if (t->fault_count++ >= CSV_FAULTS_SHOWN)
		return;
	struct csv_fault *f = &t->faults[t->fault_count - 1];
	f->line = line;
	text_copy(f->column, sizeof(f->column), column);
	va_start(list, format);
	vsnprintf(f->text, sizeof(f->text), format, list);
	va_end(list);
}

void csv_release(struct csv_table *t)
{
	free(t->rows);
	free(t->lines);
	*t = (struct csv_table){.count = 0};
}

/* --- fields --- */

enum field_end { END_FIELD, END_LINE, END_FILE };

struct field {
	char text[CSV_FIELD_BYTES];
	size_t len;
	bool too_long, stray; /* stray: characters behind a closing quote, or a quote that nobody closes */
};

static void field_add(struct field *f, uint8_t byte)
{
	if (f->len + 1 < sizeof(f->text))
		f->text[f->len++] = (char)byte;
	else
		f->too_long = true;
}

static void read_quoted(struct csv *r, struct field *f)
{
	bool closed = false;
	for (r->at++; r->at < r->end && !closed; r->at++) {
		if (*r->at == '\n')
			r->line++;
		if (*r->at != '"')
			field_add(f, *r->at);
		else if (r->at + 1 < r->end && r->at[1] == '"')
			field_add(f, *r->at++);
		else
			closed = true;
	}
	f->stray = !closed;
}

static enum field_end read_field(struct csv *r, struct field *f)
{
	*f = (struct field){.len = 0};
	bool quoted = r->at < r->end && *r->at == '"';
	if (quoted)
		read_quoted(r, f);
	for (; r->at < r->end && *r->at != (uint8_t)r->separator && *r->at != '\n'; r->at++) {
		if (*r->at == '\r' && r->at + 1 < r->end && r->at[1] == '\n')
			continue;
		f->stray = f->stray || quoted;
		field_add(f, *r->at);
	}
	size_t skip = 0;
	while (!quoted && skip < f->len && f->text[skip] == ' ')
		skip++;
	while (!quoted && f->len > skip && f->text[f->len - 1] == ' ')
		f->len--;
	memmove(f->text, f->text + skip, f->len - skip);
	f->len -= skip;
	f->text[f->len] = '\0';
	if (r->at == r->end)
		return END_FILE;
	return *r->at++ == '\n' ? END_LINE : END_FIELD;
}

/* Everything a terminal, a sheet of paper or another tool may choke on is refused here rather than escaped
 * there. */
static bool is_clean(const struct field *f)
{
	uint32_t character;
	for (size_t i = 0; i < f->len;) {
		size_t n = text_utf8(f->text + i, f->len - i, &character);
		if (n == 0 || text_is_unsafe(character))
			return false;
		i += n;
	}
	return true;
}

static bool is_sound(struct csv *r, const char *column, const struct field *f)
{
	if (f->stray)
		csv_fault(r->table, r->row_line, column,
			  "a quote that is not closed, or something behind the closing one");
	else if (f->too_long)
		csv_fault(r->table, r->row_line, column, "longer than %d bytes", CSV_FIELD_BYTES - 1);
	else if (!is_clean(f))
		csv_fault(r->table, r->row_line, column, "no UTF-8, or a control character");
	return !f->stray && !f->too_long && is_clean(f);
}

bool csv_text(struct csv *r, size_t column, char *ret, size_t cap)
{
	const char *text = r->fields[column];
	if (strlen(text) < cap)
		return text_copy(ret, cap, text);
	csv_fault(r->table, r->row_line, r->form->names[column], "%zu bytes, more than %zu", strlen(text),
		  cap - 1);
	return false;
}

/* --- lines --- */

static void read_header(struct csv *r)
{
	struct field f;
	enum field_end end;
	const char *line_end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t len = line_end != NULL ? (size_t)(line_end - (const char *)r->at) : (size_t)(r->end - r->at);
	r->separator = memchr(r->at, ';', len) != NULL && memchr(r->at, ',', len) == NULL ? ';' : ',';
	do {
		end = read_field(r, &f);
		size_t column = 0;
		bool clean = is_clean(&f) && !f.stray;
		while (column < r->form->count && (!clean || strcmp(r->form->names[column], f.text) != 0))
			column++;
		if (column == r->form->count) {
			csv_fault(r->table, 1, "",
				  "the header has \"%.40s\", which is no column (mesh %s --help)",
				  clean ? f.text : "?", r->form->verb);
		} else if (r->has[column]) {
			csv_fault(r->table, 1, r->form->names[column], "this column is there twice");
		} else {
			r->has[column] = true;
			r->columns[r->place_count++] = column;
		}
	} while (end == END_FIELD);
	r->line++;
}

enum err csv_open(const struct csv_form *form, const uint8_t *text, size_t len, struct csv_table *table,
		  struct csv **ret)
{
	CHECK(form->count <= CSV_COLUMNS_MAX);
	struct csv *r = calloc(1, sizeof(*r));
	if (r == NULL)
		return ERR_NOMEM;
	*r = (struct csv){.form = form, .table = table, .at = text, .end = text + len, .line = 1};
	if (len >= 3 && memcmp(text, BOM, 3) == 0)
		r->at += 3;
	if (r->at == r->end)
		csv_fault(table, 1, "", "the file is empty: the first line names the columns");
	else
		read_header(r);
	*ret = r;
	return ERR_OK;
}

static void take_field(struct csv *r, size_t column, const struct field *f)
{
	if (is_sound(r, r->form->names[column], f))
		memcpy(r->fields[column], f->text, f->len + 1);
	else
		r->sound = false;
}

bool csv_next(struct csv *r)
{
	while (!r->failed && r->at < r->end) {
		struct field f;
		enum field_end end;
		size_t place = 0;
		bool empty = true;
		r->row_line = r->line;
		r->sound = true;
		for (size_t i = 0; i < r->place_count; i++)
			r->fields[r->columns[i]][0] = '\0';
		do {
			end = read_field(r, &f);
			empty = empty && f.len == 0 && !f.stray;
			if (place < r->place_count)
				take_field(r, r->columns[place], &f);
			place++;
		} while (end == END_FIELD);
		r->line++;
		if (empty && place == 1)
			continue;
		if (place != r->place_count) {
			csv_fault(r->table, r->row_line, "", "%zu field%s, where the header has %zu", place,
				  shown_plural(place), r->place_count);
			r->sound = false;
		}
		return true;
	}
	return false;
}

void csv_keep(struct csv *r, const void *row, size_t size)
{
	struct csv_table *t = r->table;
	if (t->count == LIMIT_LIST_ROWS) {
		csv_fault(t, r->row_line, "", "more than %d rows", LIMIT_LIST_ROWS);
		r->at = r->end;
		return;
	}
	if (t->count == t->cap) {
		size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
		void *rows = realloc(t->rows, cap * size);
		t->rows = rows != NULL ? rows : t->rows;
		size_t *lines = realloc(t->lines, cap * sizeof(*lines));
		t->lines = lines != NULL ? lines : t->lines;
		r->failed = rows == NULL || lines == NULL;
		if (r->failed)
			return;
		t->cap = cap;
	}
	memcpy((uint8_t *)t->rows + t->count * size, row, size);
	t->lines[t->count++] = r->row_line;
}

enum err csv_close(struct csv *r)
{
	enum err err = r->failed ? ERR_NOMEM : ERR_OK;
	if (err == ERR_OK && r->table->fault_count == 0 && r->table->count == 0)
		csv_fault(r->table, r->line, "", "there is no row below the header");
	free(r);
	return err;
}
