#include "cli/inventory_csv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/shown.h"

#define FIELD_BYTES 512 /* longer than any column may be */
#define COLUMNS_MAX 32
#define BOM         "\xef\xbb\xbf"

/* Named as in the table inventory. */
enum column {
	NAME,
	ASSET_IDS,
	SITE,
	ROLE,
	CRITICALITY,
	ADDRESS,
	OPENING_HOURS,
	CONTACT,
	RECOVERY_KEY,
	NEEDED,
	REMARK,
	COLUMN_COUNT
};
static const char *const names[] = {"name",         "asset_ids", "site",          "role",
				    "criticality",  "address",   "opening_hours", "contact",
				    "recovery_key", "needed",    "remark"};

struct reader {
	struct inventory_csv *csv;
	const uint8_t *at, *end;
	size_t line; /* of `at` */
	char separator;
	int columns[COLUMNS_MAX]; /* enum column by place */
	size_t column_count;
};

static void fault(struct inventory_csv *csv, size_t line, const char *column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void fault(struct inventory_csv *csv, size_t line, const char *column, const char *format, ...)
{
	va_list list;
	if (csv->fault_count++ >= INVENTORY_FAULTS_SHOWN)
		return;
	struct inventory_fault *f = &csv->faults[csv->fault_count - 1];
	f->line = line;
	text_copy(f->column, sizeof(f->column), column);
	va_start(list, format);
	vsnprintf(f->text, sizeof(f->text), format, list);
	va_end(list);
}

/* --- fields --- */

enum field_end { END_FIELD, END_LINE, END_FILE };

struct field {
	char text[FIELD_BYTES];
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

static void read_quoted(struct reader *r, struct field *f)
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

static enum field_end read_field(struct reader *r, struct field *f)
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

static bool is_sound(struct inventory_csv *csv, size_t line, const char *column, const struct field *f)
{
	if (f->stray)
		fault(csv, line, column, "a quote that is not closed, or something behind the closing one");
	else if (f->too_long)
		fault(csv, line, column, "longer than %d bytes", FIELD_BYTES - 1);
	else if (!is_clean(f))
		fault(csv, line, column, "no UTF-8, or a control character");
	return !f->stray && !f->too_long && is_clean(f);
}

/* --- columns --- */

static bool put_text(struct inventory_csv *csv, size_t line, int column, const char *text, char *ret,
		     size_t cap)
{
	if (text_copy(ret, cap, text))
		return true;
	fault(csv, line, names[column], "%zu bytes, more than %zu", strlen(text), cap - 1);
	return false;
}

static bool put_asset_ids(struct inventory_csv *csv, size_t line, const char *text, struct inventory_row *row)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",;"), end = len;
		while (len > 0 && *text == ' ')
			text++, len--, end--;
		while (len > 0 && text[len - 1] == ' ')
			len--;
		if (len > LIMIT_LABEL_BYTES || row->asset_id_count == LIMIT_ASSET_IDS) {
			fault(csv, line, names[ASSET_IDS],
			      "at most %d ids of %d bytes each, apart by a comma", LIMIT_ASSET_IDS,
			      LIMIT_LABEL_BYTES);
			return false;
		}
		if (len > 0)
			memcpy(row->asset_ids[row->asset_id_count++], text, len);
		text += end + (text[end] != '\0');
	}
	return true;
}

static bool put_criticality(struct inventory_csv *csv, size_t line, const char *text,
			    struct inventory_row *row)
{
	for (unsigned i = CRITICALITY_LOW; i <= CRITICALITY_VITAL; i++) {
		if (strcmp(text, criticality_name(i)) == 0) {
			row->criticality = (uint8_t)i;
			return true;
		}
	}
	fault(csv, line, names[CRITICALITY], "\"%.40s\" is none of low, normal, high, vital", text);
	return false;
}

static bool put_needed(struct inventory_csv *csv, size_t line, const char *text, struct inventory_row *row)
{
	uint64_t n;
	if (text_u64(text, 0, UINT16_MAX, &n)) {
		row->needed = (struct reading_u64){READING_OK, n};
		return true;
	}
	fault(csv, line, names[NEEDED], "\"%.40s\" is no number of machines, 0 to 65535", text);
	return false;
}

/* An empty field says nothing, as if the column were not there. */
static bool put_field(struct inventory_csv *csv, size_t line, int column, const char *text,
		      struct inventory_row *row)
{
	if (text[0] == '\0')
		return true;
	switch ((enum column)column) {
	case NAME:
		return put_text(csv, line, column, text, row->hostname, sizeof(row->hostname));
	case ASSET_IDS:
		return put_asset_ids(csv, line, text, row);
	case SITE:
		return put_text(csv, line, column, text, row->site, sizeof(row->site));
	case ROLE:
		return put_text(csv, line, column, text, row->role, sizeof(row->role));
	case CRITICALITY:
		return put_criticality(csv, line, text, row);
	case ADDRESS:
		return put_text(csv, line, column, text, row->address, sizeof(row->address));
	case OPENING_HOURS:
		return put_text(csv, line, column, text, row->hours, sizeof(row->hours));
	case CONTACT:
		return put_text(csv, line, column, text, row->contact, sizeof(row->contact));
	case RECOVERY_KEY:
		return put_text(csv, line, column, text, row->recovery_key, sizeof(row->recovery_key));
	case NEEDED:
		return put_needed(csv, line, text, row);
	case REMARK:
		return put_text(csv, line, column, text, row->remark, sizeof(row->remark));
	case COLUMN_COUNT:
		break;
	}
	return false;
}

/* --- lines --- */

static bool read_header(struct reader *r)
{
	struct inventory_csv *csv = r->csv;
	struct field f;
	enum field_end end;
	bool seen[COLUMN_COUNT] = {false};
	const char *line_end = memchr(r->at, '\n', (size_t)(r->end - r->at));
	size_t len = line_end != NULL ? (size_t)(line_end - (const char *)r->at) : (size_t)(r->end - r->at);
	r->separator = memchr(r->at, ';', len) != NULL && memchr(r->at, ',', len) == NULL ? ';' : ',';
	do {
		end = read_field(r, &f);
		int column = 0;
		while (column < COLUMN_COUNT && strcmp(names[column], f.text) != 0)
			column++;
		if (column == COLUMN_COUNT)
			fault(csv, 1, "",
			      "the header has \"%.40s\", which is no column (mesh inventory import --help)",
			      is_clean(&f) ? f.text : "?");
		else if (seen[column] || r->column_count == COLUMNS_MAX)
			fault(csv, 1, names[column], "this column is there twice");
		else
			seen[column] = true;
		if (r->column_count < COLUMNS_MAX)
			r->columns[r->column_count++] = column;
	} while (end == END_FIELD);
	r->line++;
	if (!seen[SITE])
		fault(csv, 1, names[SITE], "the header lacks this column");
	return csv->fault_count == 0;
}

static bool add_row(struct inventory_csv *csv, const struct inventory_row *row, size_t line)
{
	if (csv->count == csv->cap) {
		size_t cap = csv->cap == 0 ? 256 : 2 * csv->cap;
		struct inventory_row *rows = realloc(csv->rows, cap * sizeof(*rows));
		csv->rows = rows != NULL ? rows : csv->rows;
		size_t *lines = realloc(csv->lines, cap * sizeof(*lines));
		csv->lines = lines != NULL ? lines : csv->lines;
		csv->failed = rows == NULL || lines == NULL;
		if (csv->failed)
			return false;
		csv->cap = cap;
	}
	csv->rows[csv->count] = *row;
	csv->lines[csv->count++] = line;
	return true;
}

static enum field_end read_row(struct reader *r)
{
	struct inventory_csv *csv = r->csv;
	struct inventory_row row = {.needed = {READING_UNKNOWN, 0}};
	struct field f;
	size_t line = r->line, place = 0;
	bool good = true, empty = true;
	enum field_end end;
	do {
		end = read_field(r, &f);
		empty = empty && f.len == 0 && !f.stray;
		if (place < r->column_count) {
			int column = r->columns[place];
			good = is_sound(csv, line, names[column], &f) &&
			       put_field(csv, line, column, f.text, &row) && good;
		}
		place++;
	} while (end == END_FIELD);
	r->line++;
	if (empty && place == 1)
		return end;
	if (place != r->column_count) {
		fault(csv, line, "", "%zu field%s, where the header has %zu", place, shown_plural(place),
		      r->column_count);
	} else if (good && row.site[0] == '\0') {
		fault(csv, line, names[SITE], "a row needs a site");
	} else if (good) {
		add_row(csv, &row, line);
	}
	return end;
}

/* --- what is there twice --- */

struct named {
	const char *site, *name; /* site "": an asset id */
	size_t line;
};

static int by_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;
	int order = strcmp(x->site, y->site);
	if (order == 0)
		order = strcmp(x->name, y->name);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static enum err find_doubles(struct inventory_csv *csv)
{
	size_t count = 0;
	struct named *all = calloc(csv->count * (LIMIT_ASSET_IDS + 1) + 1, sizeof(*all));
	if (all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < csv->count; i++) {
		const struct inventory_row *row = &csv->rows[i];
		if (row->hostname[0] != '\0')
			all[count++] = (struct named){row->site, row->hostname, csv->lines[i]};
		for (size_t k = 0; k < row->asset_id_count; k++)
			all[count++] = (struct named){"", row->asset_ids[k], csv->lines[i]};
	}
	qsort(all, count, sizeof(*all), by_name);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(all[i].site, all[i - 1].site) == 0 && strcmp(all[i].name, all[i - 1].name) == 0)
			fault(csv, all[i].line, names[all[i].site[0] == '\0' ? ASSET_IDS : NAME],
			      "\"%s\" stands in line %zu already", all[i].name, all[i - 1].line);
	}
	free(all);
	return ERR_OK;
}

enum err inventory_csv_parse(const uint8_t *text, size_t len, struct inventory_csv *ret)
{
	*ret = (struct inventory_csv){.count = 0};
	struct reader r = {.csv = ret, .at = text, .end = text + len, .line = 1};
	if (len >= 3 && memcmp(text, BOM, 3) == 0)
		r.at += 3;
	if (r.at == r.end)
		fault(ret, 1, "", "the file is empty: the first line names the columns");
	else if (read_header(&r)) {
		while (!ret->failed && r.at < r.end && read_row(&r) != END_FILE)
			;
	}
	if (ret->failed)
		return ERR_NOMEM;
	if (ret->fault_count == 0 && ret->count == 0)
		fault(ret, r.line, "", "there is no row below the header");
	return find_doubles(ret);
}

void inventory_csv_release(struct inventory_csv *csv)
{
	free(csv->rows);
	free(csv->lines);
	*csv = (struct inventory_csv){.count = 0};
}
