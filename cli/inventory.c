/* What should exist: imported from a file by an operator, shown from the replica. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/answer.h"
#include "cli/fields.h"
#include "cli/inventory_csv.h"
#include "cli/listing_import.h"
#include "cli/verb.h"
#include "crypto/record.h"

/* --- import --- */

static uint64_t count_site_rows(const struct csv_table *csv)
{
	const struct inventory_row *rows = csv->rows;
	uint64_t n = 0;
	for (size_t k = 0; k < csv->count; k++)
		n += inventory_row_is_site(&rows[k]);
	return n;
}

static int report(struct command *c, const struct listing_import *i)
{
	struct fields f = {0};
	char text[512];
	uint64_t site_rows = count_site_rows(&i->csv), machines = i->csv.count - site_rows;
	int n =
	    snprintf(text, sizeof(text), "%s%" PRIu64 " machine%s, and %" PRIu64 " row%s about whole sites.",
		     i->dry ? "Nothing is wrong with it; it was not imported: " : "Imported ", machines,
		     machines == 1 ? "" : "s", site_rows, site_rows == 1 ? "" : "s");
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
	fields_number(&f, "machines", (int64_t)machines);
	fields_number(&f, "site_rows", (int64_t)site_rows);
	fields_number(&f, "records", (int64_t)i->records);
	fields_number(&f, "replaced", (int64_t)i->replace_count);
	fields_number(&f, "beside", (int64_t)i->others);
	return fields_answer(c, &f, text, false);
}

int verb_inventory_import(struct command *c)
{
	static const struct listing_import_form form = {RECORD_INVENTORY, "inventory", "imported",
							inventory_csv_parse, report};
	return listing_import(c, &form);
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
