#include "cli/inventory_csv.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

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

static const struct csv_form form = {names, COLUMN_COUNT, "inventory import"};

/* --- columns --- */

static bool put_asset_ids(struct csv *r, const char *text, struct inventory_row *row)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",;"), end = len;
		while (len > 0 && *text == ' ')
			text++, len--, end--;
		while (len > 0 && text[len - 1] == ' ')
			len--;
		if (len > LIMIT_LABEL_BYTES || row->asset_id_count == LIMIT_ASSET_IDS) {
			csv_fault(r->table, r->row_line, names[ASSET_IDS],
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

static bool put_criticality(struct csv *r, const char *text, struct inventory_row *row)
{
	for (unsigned i = CRITICALITY_LOW; i <= CRITICALITY_VITAL; i++) {
		if (strcmp(text, criticality_name(i)) == 0) {
			row->criticality = (uint8_t)i;
			return true;
		}
	}
	csv_fault(r->table, r->row_line, names[CRITICALITY], "\"%.40s\" is none of low, normal, high, vital",
		  text);
	return false;
}

static bool put_needed(struct csv *r, const char *text, struct inventory_row *row)
{
	uint64_t n;
	if (text_u64(text, 0, UINT16_MAX, &n)) {
		row->needed = (struct reading_u64){READING_OK, n};
		return true;
	}
	csv_fault(r->table, r->row_line, names[NEEDED], "\"%.40s\" is no number of machines, 0 to 65535",
		  text);
	return false;
}

/* An empty field says nothing, as if the column were not there. */
static bool put_fields(struct csv *r, struct inventory_row *row)
{
	bool good = csv_text(r, NAME, row->hostname, sizeof(row->hostname));
	good = put_asset_ids(r, r->fields[ASSET_IDS], row) && good;
	good = csv_text(r, SITE, row->site, sizeof(row->site)) && good;
	good = csv_text(r, ROLE, row->role, sizeof(row->role)) && good;
	if (r->fields[CRITICALITY][0] != '\0')
		good = put_criticality(r, r->fields[CRITICALITY], row) && good;
	good = csv_text(r, ADDRESS, row->address, sizeof(row->address)) && good;
	good = csv_text(r, OPENING_HOURS, row->hours, sizeof(row->hours)) && good;
	good = csv_text(r, CONTACT, row->contact, sizeof(row->contact)) && good;
	good = csv_text(r, RECOVERY_KEY, row->recovery_key, sizeof(row->recovery_key)) && good;
	if (r->fields[NEEDED][0] != '\0')
		good = put_needed(r, r->fields[NEEDED], row) && good;
	return csv_text(r, REMARK, row->remark, sizeof(row->remark)) && good;
}

static void read_row(struct csv *r)
{
	struct inventory_row row = {.needed = {READING_UNKNOWN, 0}};
	if (!put_fields(r, &row) || !r->sound)
		return;
	if (row.site[0] == '\0')
		csv_fault(r->table, r->row_line, names[SITE], "a row needs a site");
	else
		csv_keep(r, &row, sizeof(row));
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

static enum err find_doubles(struct csv_table *t)
{
	const struct inventory_row *rows = t->rows;
	size_t count = 0;
	struct named *all = calloc(t->count * (LIMIT_ASSET_IDS + 1) + 1, sizeof(*all));
	if (all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->count; i++) {
		const struct inventory_row *row = &rows[i];
		if (row->hostname[0] != '\0')
			all[count++] = (struct named){row->site, row->hostname, t->lines[i]};
		for (size_t k = 0; k < row->asset_id_count; k++)
			all[count++] = (struct named){"", row->asset_ids[k], t->lines[i]};
	}
	qsort(all, count, sizeof(*all), by_name);
	for (size_t i = 1; i < count; i++) {
		if (strcmp(all[i].site, all[i - 1].site) == 0 && strcmp(all[i].name, all[i - 1].name) == 0)
			csv_fault(t, all[i].line, names[all[i].site[0] == '\0' ? ASSET_IDS : NAME],
				  "\"%s\" stands in line %zu already", all[i].name, all[i - 1].line);
	}
	free(all);
	return ERR_OK;
}

enum err inventory_csv_parse(const uint8_t *text, size_t len, struct csv_table *ret)
{
	struct csv *r;
	*ret = (struct csv_table){.count = 0};
	enum err err = csv_open(&form, text, len, ret, &r);
	if (err != ERR_OK)
		return err;
	if (!r->has[SITE] && len > 0)
		csv_fault(ret, 1, names[SITE], "the header lacks this column");
	bool header_good = ret->fault_count == 0;
	while (header_good && csv_next(r))
		read_row(r);
	err = csv_close(r);
	return err == ERR_OK ? find_doubles(ret) : err;
}
