#include "cli/policy_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Named as in the table policy. The last three are for reading only. */
enum column {
	VERDICT,
	KIND,
	NAME,
	NAME_OP,
	VERSION,
	VERSION_OP,
	SOURCE,
	VENDOR,
	REMARK,
	OPERATOR,
	OPERATOR_ID,
	RECORD,
	COLUMN_COUNT
};
static const char *const names[] = {"verdict", "kind",   "name",   "name_op",  "version",     "version_op",
				    "source",  "vendor", "remark", "operator", "operator_id", "record"};
static const struct csv_form form = {names, COLUMN_COUNT, "policy set"};

enum { APPROVED = 1, REFUSED = 2 };

/* --- words --- */

static const char *verdict_name(unsigned verdict)
{
	return verdict == APPROVED ? "approved" : "refused";
}

static const char *kind_name(unsigned kind)
{
	return component_kind_name((enum component_kind)kind);
}

/* The operators that a name has, from 1 on. */
static const unsigned name_ops[] = {0, TERM_EQUAL, TERM_PREFIX};

static const char *name_op_name(unsigned n)
{
	return term_operator_name(name_ops[n]);
}

/* One of name(1) to name(last); an empty field leaves `ret` as it is. */
static bool put_word(struct csv *r, enum column column, const char *(*name)(unsigned), unsigned last,
		     unsigned *ret)
{
	const char *text = r->fields[column];
	char all[120] = "";
	size_t len = 0;
	if (text[0] == '\0')
		return true;
	for (unsigned i = 1; i <= last; i++) {
		if (strcmp(name(i), text) == 0) {
			*ret = i;
			return true;
		}
		if (len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i > 1 ? ", " : "",
						name(i));
	}
	csv_fault(r->table, r->row_line, names[column], "\"%.30s\" is none of %s", text, all);
	return false;
}

/* --- rows --- */

/* The apostrophe by which -o csv keeps a spreadsheet from taking a text for a formula. */
static void take_off_apostrophes(struct csv *r)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		char *text = r->fields[i];
		if (text[0] == '\'' && text[1] != '\0' && strchr("=+-@", text[1]) != NULL)
			memmove(text, text + 1, strlen(text));
	}
}

static bool put_fields(struct csv *r, struct policy_row *row)
{
	unsigned verdict = APPROVED, kind = 0, name_op = 1, version_op = TERM_EQUAL;
	bool good = put_word(r, VERDICT, verdict_name, REFUSED, &verdict);
	good = put_word(r, KIND, kind_name, COMPONENT_KERNEL, &kind) && good;
	good = csv_text(r, NAME, row->name, sizeof(row->name)) && good;
	good = put_word(r, NAME_OP, name_op_name, 2, &name_op) && good;
	good = csv_text(r, VERSION, row->version, sizeof(row->version)) && good;
	good = put_word(r, VERSION_OP, term_operator_name, TERM_PREFIX, &version_op) && good;
	good = csv_text(r, SOURCE, row->source, sizeof(row->source)) && good;
	good = csv_text(r, VENDOR, row->vendor, sizeof(row->vendor)) && good;
	good = csv_text(r, REMARK, row->remark, sizeof(row->remark)) && good;
	row->refused = verdict == REFUSED;
	row->kind = (enum component_kind)kind;
	row->name_op = (enum term_operator)name_ops[name_op];
	row->version_op = (enum term_operator)version_op;
	return good;
}

/* An operator without its value is a value that was forgotten: the row would be about far more. */
static bool is_whole(struct csv *r, const struct policy_row *row)
{
	const bool lacks_name = row->name[0] == '\0' && r->fields[NAME_OP][0] != '\0';
	const bool lacks_version = row->version[0] == '\0' && r->fields[VERSION_OP][0] != '\0';
	if (lacks_name)
		csv_fault(r->table, r->row_line, names[NAME_OP], "stands without a name");
	if (lacks_version)
		csv_fault(r->table, r->row_line, names[VERSION_OP], "stands without a version");
	if (lacks_name || lacks_version)
		return false;
	if ((unsigned)row->kind != 0 || row->name[0] != '\0' || row->source[0] != '\0' ||
	    row->vendor[0] != '\0')
		return true;
	csv_fault(r->table, r->row_line, "", "a row needs a name, a vendor, a source or a kind");
	return false;
}

static void read_row(struct csv *r)
{
	struct policy_row row = {.refused = false};
	take_off_apostrophes(r);
	if (put_fields(r, &row) && r->sound && is_whole(r, &row))
		csv_keep(r, &row, sizeof(row));
}

/* --- what is there twice --- */

struct placed {
	const struct policy_row *row;
	size_t line;
};

static int by_number(unsigned a, unsigned b)
{
	return (a > b) - (a < b);
}

/* By what they ask for: verdict and remark apart. */
static int by_demand(const struct policy_row *x, const struct policy_row *y)
{
	int order = strcmp(x->name, y->name);
	if (order == 0)
		order = strcmp(x->version, y->version);
	if (order == 0)
		order = strcmp(x->source, y->source);
	if (order == 0)
		order = strcmp(x->vendor, y->vendor);
	if (order == 0)
		order = by_number((unsigned)x->kind, (unsigned)y->kind);
	if (order == 0)
		order = by_number((unsigned)x->name_op, (unsigned)y->name_op);
	return order != 0 ? order : by_number((unsigned)x->version_op, (unsigned)y->version_op);
}

static int by_demand_and_line(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;
	int order = by_demand(x->row, y->row);
	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static enum err find_doubles(struct csv_table *t)
{
	const struct policy_row *rows = t->rows;
	struct placed *all = calloc(t->count + 1, sizeof(*all));
	if (all == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < t->count; i++)
		all[i] = (struct placed){&rows[i], t->lines[i]};
	qsort(all, t->count, sizeof(*all), by_demand_and_line);
	for (size_t i = 1; i < t->count; i++) {
		if (by_demand(all[i].row, all[i - 1].row) != 0)
			continue;
		csv_fault(t, all[i].line, "",
			  all[i].row->refused == all[i - 1].row->refused ? "line %zu says the same"
									 : "line %zu says the opposite",
			  all[i - 1].line);
	}
	free(all);
	return ERR_OK;
}

enum err policy_csv_parse(const uint8_t *text, size_t len, struct csv_table *ret)
{
	struct csv *r;
	*ret = (struct csv_table){.count = 0};
	enum err err = csv_open(&form, text, len, ret, &r);
	if (err != ERR_OK)
		return err;
	bool header_good = ret->fault_count == 0;
	while (header_good && csv_next(r))
		read_row(r);
	err = csv_close(r);
	return err == ERR_OK ? find_doubles(ret) : err;
}
