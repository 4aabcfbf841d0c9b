#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define GAP          2
#define SHRUNK_LEAST 8 /* columns of a text cell that is cut */

struct cell {
	size_t at;      /* in the text */
	uint32_t len;   /* bytes */
	uint32_t width; /* characters */
};

struct table {
	size_t columns;
	enum table_align *aligns;
	struct cell *cells; /* the first row is the headings */
	size_t cell_count, cell_cap;
	char *text;
	size_t text_len, text_cap;
	bool failed;
};

/* Room for one more cell of `len` raw bytes; each byte escapes to at most four. */
static bool make_room(struct table *t, size_t len)
{
	if (len > UINT32_MAX / 8) {
		t->failed = true;
		return false;
	}
	if (t->cell_count == t->cell_cap) {
		size_t cap = t->cell_cap == 0 ? 64 : t->cell_cap * 2;
		struct cell *cells = realloc(t->cells, cap * sizeof(*cells));
		if (cells == NULL)
			return false;
		t->cells = cells;
		t->cell_cap = cap;
	}
	if (t->text_cap - t->text_len < 4 * len + 1) {
		size_t cap = 2 * t->text_cap + 4 * len + 1024;
		char *text = realloc(t->text, cap);
		if (text == NULL)
			return false;
		t->text = text;
		t->text_cap = cap;
	}
	return true;
}

static uint32_t characters(const char *text, size_t len)
{
	uint32_t n = 0;
	for (size_t i = 0; i < len; i++)
		n += ((uint8_t)text[i] & 0xc0) != 0x80;
	return n;
}

void table_cell(struct table *t, const char *text, size_t len)
{
	if (t->failed || !make_room(t, len)) {
		t->failed = true;
		return;
	}
	struct cell *c = &t->cells[t->cell_count++];
	c->at = t->text_len;
	c->len = (uint32_t)text_escape(t->text + c->at, t->text_cap - c->at, text, len);
	c->width = characters(t->text + c->at, c->len);
	t->text_len += c->len;
}

struct table *table_new(const char *const *headings, const enum table_align *aligns, size_t columns)
{
	CHECK(columns > 0);
	struct table *t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	t->columns = columns;
	t->aligns = malloc(columns * sizeof(*t->aligns));
	if (t->aligns == NULL) {
		free(t);
		return NULL;
	}
	memcpy(t->aligns, aligns, columns * sizeof(*t->aligns));
	for (size_t i = 0; i < columns; i++)
		table_cell(t, headings[i], strlen(headings[i]));
	return t;
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	free(t->aligns);
	free(t->cells);
	free(t->text);
	free(t);
}

/* Take from the widest text column, one character at a time, until the line fits or nothing can give. */
static void shrink(const struct table *t, uint32_t *widths, int width)
{
	size_t total = GAP * (t->columns - 1);
	for (size_t i = 0; i < t->columns; i++)
		total += widths[i];
	while (total > (size_t)width) {
		size_t widest = t->columns;
		for (size_t i = 0; i < t->columns; i++) {
			if (t->aligns[i] == TABLE_TEXT && widths[i] > SHRUNK_LEAST &&
			    (widest == t->columns || widths[i] > widths[widest]))
				widest = i;
		}
		if (widest == t->columns)
			return;
		widths[widest]--;
		total--;
	}
}

static void spaces(FILE *f, size_t n)
{
	static const char blank[] = "                                ";
	for (size_t part; n > 0; n -= part) {
		part = n < sizeof(blank) - 1 ? n : sizeof(blank) - 1;
		fwrite(blank, 1, part, f);
	}
}

static void print_cell(const struct table *t, FILE *f, const struct cell *c, uint32_t width,
		       enum table_align align, bool last)
{
	const char *text = t->text + c->at;
	size_t len = c->len;
	uint32_t shown = c->width;
	if (shown > width) {
		/* One character less, to make room for the mark that says that it was cut. */
		len = 0;
		for (uint32_t n = 0; len < c->len; len++) {
			if (((uint8_t)text[len] & 0xc0) != 0x80 && n++ == width - 1)
				break;
		}
		shown = width;
	}
	if (align == TABLE_NUMBER)
		spaces(f, width - shown);
	fwrite(text, 1, len, f);
	if (len < c->len)
		fputs("…", f);
	if (align != TABLE_NUMBER && !last)
		spaces(f, width - shown);
	if (!last)
		spaces(f, GAP);
}

enum err table_print(const struct table *t, FILE *f, int width, bool headings)
{
	if (t->failed)
		return ERR_NOMEM;
	uint32_t *widths = calloc(t->columns, sizeof(*widths));
	if (widths == NULL)
		return ERR_NOMEM;
	for (size_t i = headings ? 0 : t->columns; i < t->cell_count; i++) {
		if (t->cells[i].width > widths[i % t->columns])
			widths[i % t->columns] = t->cells[i].width;
	}
	if (width > 0)
		shrink(t, widths, width);
	for (size_t i = headings ? 0 : t->columns; i < t->cell_count; i++) {
		size_t column = i % t->columns;
		bool last = column + 1 == t->columns;
		print_cell(t, f, &t->cells[i], widths[column], t->aligns[column], last);
		if (last)
			fputc('\n', f);
	}
	free(widths);
	return ERR_OK;
}
