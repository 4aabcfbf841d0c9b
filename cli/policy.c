/* What operators approve and refuse: set from a file by an operator, shown from the replica row by row, with
 * who signed what. Who has what is not approved: mesh components --unapproved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/answer.h"
#include "cli/fields.h"
#include "cli/listing_import.h"
#include "cli/policy_csv.h"
#include "cli/verb.h"
#include "crypto/record.h"

/* --- set --- */

static uint64_t count_refused(const struct csv_table *csv)
{
	const struct policy_row *rows = csv->rows;
	uint64_t n = 0;
	for (size_t i = 0; i < csv->count; i++)
		n += rows[i].refused;
	return n;
}

static int report(struct command *c, const struct listing_import *i)
{
	struct fields f = {0};
	char text[512];
	uint64_t refused = count_refused(&i->csv), approved = i->csv.count - refused;
	int n = snprintf(text, sizeof(text), "%s%" PRIu64 " row%s, and %" PRIu64 " row%s.",
			 i->dry ? "Nothing is wrong with it; it was not set: " : "Set: ", approved,
			 approved == 1 ? " approves" : "s approve", refused,
			 refused == 1 ? " refuses" : "s refuse");
	if (!i->dry)
		n += snprintf(text + n, sizeof(text) - (size_t)n, " %zu earlier polic%s replaced.",
			      i->replace_count, i->replace_count == 1 ? "y is" : "ies are");
	if (i->others > 0)
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      " %" PRIu64
			      " earlier one%s beside it: --replace all replaces those of others, too.",
			      i->others, i->others == 1 ? " stands" : "s stand");
	snprintf(text + n, sizeof(text) - (size_t)n, "\n");
	fields_flag(&f, "set", !i->dry);
	fields_number(&f, "approved", (int64_t)approved);
	fields_number(&f, "refused", (int64_t)refused);
	fields_number(&f, "records", (int64_t)i->records);
	fields_number(&f, "replaced", (int64_t)i->replace_count);
	fields_number(&f, "beside", (int64_t)i->others);
	return fields_answer(c, &f, text, false);
}

int verb_policy_set(struct command *c)
{
	static const struct listing_import_form form = {RECORD_POLICY, "policy", "set", policy_csv_parse,
							report};
	return listing_import(c, &form);
}

/* --- show --- */

static const struct output_column columns[] = {
    {.name = "verdict", .style = OUTPUT_FIXED},
    {.name = "name_op", .heading = "NAME IS", .style = OUTPUT_FIXED},
    {.name = "name"},
    {.name = "version_op", .heading = "", .style = OUTPUT_FIXED},
    {.name = "version"},
    {.name = "kind", .style = OUTPUT_FIXED},
    {.name = "vendor"},
    {.name = "remark"},
    {.name = "operator"},
    {.name = "operator_id", .style = OUTPUT_ID, .only_wide = true},
    {.name = "source", .only_wide = true},
    {.name = "record", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = NULL},
};

int verb_policy_show(struct command *c)
{
	struct answer a;
	int code = answer_open(c, columns, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_query(
		    &a,
		    "SELECT verdict, iif(name IS NULL, NULL, name_op) AS name_op, name, iif(version IS NULL, "
		    "NULL, version_op) AS "
		    "version_op, version, kind, vendor, remark, operator, operator_id, source, record "
		    "FROM policy ORDER BY verdict DESC, name, version, vendor, kind",
		    NULL, 0, NULL);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	if (a.output.rows == 0)
		a.remark = "No policy is in force here, so nothing is approved or refused.\n";
	return answer_close(&a);
}

/* --- history --- */

static const struct output_column history_columns[] = {
    {.name = "time_ms", .heading = "SIGNED", .style = OUTPUT_TIME},
    {.name = "operator"},
    {.name = "state", .style = OUTPUT_FIXED},
    {.name = "row_count", .heading = "ROWS", .style = OUTPUT_NUMBER},
    {.name = "title"},
    {.name = "record", .style = OUTPUT_ID},
    {.name = "replaced_by", .heading = "REPLACED BY", .style = OUTPUT_ID},
    {.name = "replacer", .heading = "OF"},
    {.name = "operator_id", .heading = "OPERATOR ID", .style = OUTPUT_ID, .only_wide = true},
    {.name = NULL},
};

int verb_policy_history(struct command *c)
{
	struct answer a;
	int code = answer_open(c, history_columns, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_query(&a,
				    "SELECT time_ms, operator, state, row_count, title, record, replaced_by, "
				    "(SELECT b.operator FROM lists b WHERE b.kind = 'policy' AND b.record = "
				    "l.replaced_by) AS replacer, operator_id FROM lists l WHERE kind = "
				    "'policy' ORDER BY time_ms DESC, record",
				    NULL, 0, NULL);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	if (a.output.rows == 0)
		a.remark = "No policy that counts was ever signed; mesh policy set FILE brings one.\n";
	return answer_close(&a);
}
