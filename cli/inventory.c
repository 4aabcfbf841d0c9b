/* What should exist: imported from a file by an operator, shown from the replica. */
#include "cli/inventory.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/fields.h"
#include "cli/inventory_csv.h"
#include "cli/verb.h"
#include "os/clock.h"
#include "os/file.h"

/* --- import --- */

static int tell_faults(struct command *c, const char *path, const struct inventory_csv *csv)
{
	int code =
	    command_fail(c, MESH_EXIT_ERROR, "\"%s\" has %zu fault%s, and nothing of it was imported:", path,
			 csv->fault_count, csv->fault_count == 1 ? "" : "s");
	size_t shown = csv->fault_count < INVENTORY_FAULTS_SHOWN ? csv->fault_count : INVENTORY_FAULTS_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		const struct inventory_fault *f = &csv->faults[i];
		char text[4 * sizeof(f->text)];
		text_escape(text, sizeof(text), f->text, strlen(f->text));
		fprintf(c->err, "  line %zu%s%s: %s\n", f->line, f->column[0] != '\0' ? ", column " : "",
			f->column, text);
	}
	if (shown < csv->fault_count)
		fprintf(c->err, "  and %zu more\n", csv->fault_count - shown);
	return code;
}

struct import {
	struct inventory_csv csv;
	uint64_t machines, site_rows;
	uint64_t *replaces; /* owned */
	size_t replace_count;
	uint64_t others; /* records of other operators that stand beside it */
	size_t records;
	bool dry;
};

static void count_rows(struct import *i)
{
	for (size_t k = 0; k < i->csv.count; k++)
		i->site_rows += inventory_row_is_site(&i->csv.rows[k]);
	i->machines = i->csv.count - i->site_rows;
}

/* Inventories in force: those that are replaced, and those that others signed and that go on. */
static enum err find_replaced(const struct command *c, const struct signer *s, struct import *i,
			      struct err_info *info)
{
	const char *what = options_value(&c->options, "replace");
	char own[ID_HEX_BYTES];
	struct query *q = NULL;
	struct rows rows = {0};
	bool all = what != NULL && strcmp(what, "all") == 0;
	bool none = what != NULL && strcmp(what, "none") == 0;
	id_hex(identity_id(s->identity), own);
	enum err err = query_open(s->state, s->now, &q, info);
	if (err == ERR_OK)
		err =
		    rows_fetch(q, "SELECT DISTINCT record, operator_id FROM inventory", NULL, 0, &rows, info);
	if (err == ERR_OK)
		i->replaces = calloc(rows.count + 1, sizeof(*i->replaces));
	if (err == ERR_OK && i->replaces == NULL)
		err = err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t k = 0; err == ERR_OK && k < rows.count; k++) {
		bool mine = strcmp(rows_text(&rows, k, "operator_id"), own) == 0;
		if (none || (!mine && !all))
			i->others++;
		else
			i->replaces[i->replace_count++] = strtoull(rows_text(&rows, k, "record"), NULL, 16);
	}
	rows_release(&rows);
	query_close(q);
	return err;
}

static enum err say(struct command *c, const char *path, struct import *i, struct err_info *info)
{
	struct signer s;
	const char *title = options_value(&c->options, "title"), *slash = strrchr(path, '/');
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	if (title != NULL && strlen(title) > LIMIT_SHORT_TEXT_BYTES)
		return err_set(info, ERR_USAGE, "--title is longer than %d bytes", LIMIT_SHORT_TEXT_BYTES);
	text_copy(name, sizeof(name), title != NULL ? title : slash != NULL ? slash + 1 : path);
	enum err err = signer_open(c, RECORD_INVENTORY, &s, info);
	/* What was said a moment ago shows. */
	if (err == ERR_OK)
		err = signer_commit(&s, info);
	if (err == ERR_OK)
		err = find_replaced(c, &s, i, info);
	if (err == ERR_OK)
		err = inventory_say(&s, i->csv.rows, i->csv.count, name, i->replaces, i->replace_count,
				    &i->records, info);
	if (err == ERR_OK)
		err = signer_commit(&s, info);
	signer_close(&s);
	return err;
}

static int report(struct command *c, const struct import *i)
{
	struct fields f = {0};
	char text[512];
	int n =
	    snprintf(text, sizeof(text), "%s%" PRIu64 " machine%s, and %" PRIu64 " row%s about whole sites.",
		     i->dry ? "Nothing is wrong with it; it was not imported: " : "Imported ", i->machines,
		     i->machines == 1 ? "" : "s", i->site_rows, i->site_rows == 1 ? "" : "s");
	if (!i->dry)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %zu earlier import%s replaced.",
			      i->replace_count, i->replace_count == 1 ? " is" : "s are");
	if (i->others > 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " %" PRIu64
			      " earlier one%s beside it: --replace all replaces those of others, too.",
			      i->others, i->others == 1 ? " stands" : "s stand");
	snprintf(text + n, sizeof(text) - (size_t)n, "\n");
	fields_flag(&f, "imported", !i->dry);
	fields_number(&f, "machines", (int64_t)i->machines);
	fields_number(&f, "site_rows", (int64_t)i->site_rows);
	fields_number(&f, "records", (int64_t)i->records);
	fields_number(&f, "replaced", (int64_t)i->replace_count);
	fields_number(&f, "beside", (int64_t)i->others);
	return fields_answer(c, &f, text, false);
}

int verb_inventory_import(struct command *c)
{
	struct err_info info = {0};
	struct import i = {.dry = options_has(&c->options, "dry-run")};
	const char *path = c->options.operands[0];
	uint8_t *text = NULL;
	size_t len = 0;
	int code;
	enum err err = os_file_read(path, INVENTORY_FILE_BYTES, &text, &len, &info);
	if (err == ERR_OK) {
		err = inventory_csv_parse(text, len, &i.csv);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err == ERR_OK && i.csv.fault_count > 0) {
		code = tell_faults(c, path, &i.csv);
	} else {
		count_rows(&i);
		if (err == ERR_OK && !i.dry)
			err = say(c, path, &i, &info);
		code = err == ERR_OK ? report(c, &i) : command_report(c, &info);
	}
	inventory_csv_release(&i.csv);
	free(i.replaces);
	free(text);
	return code;
}

/* --- show --- */

static const struct output_column columns[] = {
    {.name = "site"},
    {.name = "name"},
    {.name = "asset_ids", .heading = "ASSET IDS"},
    {.name = "role"},
    {.name = "criticality", .style = OUTPUT_FIXED},
    {.name = "needed", .style = OUTPUT_NUMBER},
    {.name = "state", .style = OUTPUT_FIXED},
    {.name = "address", .only_wide = true},
    {.name = "opening_hours", .heading = "OPENING HOURS", .only_wide = true},
    {.name = "contact", .only_wide = true},
    {.name = "recovery_key", .heading = "RECOVERY KEY", .only_wide = true},
    {.name = "remark", .only_wide = true},
    {.name = "host", .heading = "HOST ID", .style = OUTPUT_ID, .only_wide = true},
    {.name = "operator", .only_wide = true},
    {.name = "record", .style = OUTPUT_ID, .only_wide = true},
    {.name = "about", .only_wide = true},
    {.name = "enrolled", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = NULL},
};

int verb_inventory_show(struct command *c)
{
	struct answer a;
	const char *site = options_value(&c->options, "site");
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	int code = answer_open(c, columns, &a);
	if (code == MESH_EXIT_COMPLETE) {
		question_add(
		    q,
		    "SELECT site, name, asset_ids, role, criticality, needed, CASE WHEN about = 'site' THEN "
		    "'(site)' WHEN enrolled = 0 THEN 'never enrolled' WHEN host IS NULL THEN 'one of "
		    "several' "
		    "ELSE host_status END AS state, address, opening_hours, contact, recovery_key, "
		    "remark, host, operator, record, about, enrolled FROM inventory WHERE 1");
		if (site != NULL)
			question_bind(q, " AND site = ", site, "");
		if (options_has(&c->options, "missing"))
			question_add(q, " AND enrolled = 0");
		question_add(q, " ORDER BY site, about DESC, name, asset_ids");
		code = answer_question(&a, q);
		if (code == MESH_EXIT_COMPLETE && a.output.rows == 0)
			a.remark = "No such row in an inventory; mesh inventory import FILE brings one.\n";
		if (code == MESH_EXIT_COMPLETE)
			code = answer_close(&a);
	}
	free(q);
	return code;
}
