/* What operators approve and refuse, row by row. Who has what is not approved: mesh components --unapproved.
 */
#include <stdlib.h>

#include "cli/answer.h"
#include "cli/verb.h"

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
