#include "cli/answer.h"
#include "cli/verb.h"

static const struct output_column columns[] = {
    {.name = "site"},
    {.name = "id", .style = OUTPUT_ID, .only_wide = true},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "last_rollcall_ms", .heading = "HEARD", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "interval_s", .heading = "EVERY", .style = OUTPUT_AGE, .only_wide = true},
    {.name = "witnesses", .only_wide = true},
    {.name = "silent_hosts", .heading = "SILENT"},
    {.name = NULL},
};

int verb_sites(struct command *c)
{
	struct answer a;
	int code = answer_open(c, columns, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_query(
		    &a,
		    "SELECT site, id, status, since_ms, last_rollcall_ms, interval_s, witnesses, hosts, up, "
		    "dark, stopped, silent_hosts, unknown FROM sites ORDER BY site",
		    NULL, 0, NULL);
	return code == MESH_EXIT_COMPLETE ? answer_close(&a) : code;
}
