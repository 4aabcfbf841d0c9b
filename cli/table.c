#include "cli/table.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"

#define GAP          2
#define SHRUNK_LEAST 8 /* columns of a text cell that is cut */

/* Its text stands behind that of the cell before it. */
struct cell {
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

/* Nearly all text is, and needs no more than a copy. */
static bool is_plain(const char *text, size_t len)
{
	uint8_t strange = 0;
	for (size_t i = 0; i < len; i++)
		strange |= (uint8_t)(text[i] < 0x20 || text[i] >= 0x7f);
	return strange == 0;
}

void table_cell(struct table *t, const char *text, size_t len)
{
	if (t->failed || !make_room(t, len)) {
		t->failed = true;
		return;
	}
	struct cell *c = &t->cells[t->cell_count++];
	char *at = t->text + t->text_len;
	if (is_plain(text, len)) {
		memcpy(at, text, len);
		*c = (struct cell){(uint32_t)len, (uint32_t)len};
	} else {
		c->len = (uint32_t)text_escape(at, t->text_cap - t->text_len, text, len);
		c->width = characters(at, c->len);
	}
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

/* What is printed is put together here, as a stream's functions cost more than most cells have bytes. */
struct pen {
	FILE *f;
	size_t len;
	char bytes[32768];
};

static void flush(struct pen *p)
{
	fwrite(p->bytes, 1, p->len, p->f);
	p->len = 0;
}

static void put(struct pen *p, const char *text, size_t len)
{
	if (len > sizeof(p->bytes) - p->len)
		flush(p);
	if (len > sizeof(p->bytes)) {
		fwrite(text, 1, len, p->f);
		return;
	}
	memcpy(p->bytes + p->len, text, len);
	p->len += len;
}

static void spaces(struct pen *p, size_t n)
{
	for (size_t part; n > 0; n -= part) {
		if (p->len == sizeof(p->bytes))
			flush(p);
		part = n < sizeof(p->bytes) - p->len ? n : sizeof(p->bytes) - p->len;
		memset(p->bytes + p->len, ' ', part);
		p->len += part;
	}
}

static void print_cell(struct pen *p, const struct cell *c, const char *text, uint32_t width,
		       enum table_align align, bool last)
{
	static const char cut[] = "…";
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
		spaces(p, width - shown);
	put(p, text, len);
	if (len < c->len)
		put(p, cut, sizeof(cut) - 1);
	if (align != TABLE_NUMBER && !last)
		spaces(p, width - shown);
	if (last)
		put(p, "\n", 1);
	else
		spaces(p, GAP);
}

/* Rows from the cell `first` on, which is the beginning of one. */
static void find_widths(const struct table *t, size_t first, uint32_t *widths)
{
	for (size_t row = first; row + t->columns <= t->cell_count; row += t->columns) {
		for (size_t i = 0; i < t->columns; i++) {
			if (t->cells[row + i].width > widths[i])
				widths[i] = t->cells[row + i].width;
		}
	}
}

enum err table_print(const struct table *t, FILE *f, int width, bool headings)
{
	if (t->failed)
		return ERR_NOMEM;
	uint32_t *widths = calloc(t->columns, sizeof(*widths));
	if (widths == NULL)
		return ERR_NOMEM;
	size_t first = headings ? 0 : t->columns;
	const char *text = t->text;
	for (size_t i = 0; i < first; i++)
		text += t->cells[i].len;
	find_widths(t, first, widths);
	if (width > 0)
		shrink(t, widths, width);
	struct pen pen = {.f = f};
	for (size_t row = first; row + t->columns <= t->cell_count; row += t->columns) {
		for (size_t i = 0; i < t->columns; i++) {
			const struct cell *c = &t->cells[row + i];
			print_cell(&pen, c, text, widths[i], t->aligns[i], i + 1 == t->columns);
			text += c->len;
		}
	}
	flush(&pen);
	free(widths);
	return ERR_OK;
}
