#include <stdlib.h>

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
	struct err_info info = {.code = ERR_NOMEM};
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return answer_fail(&a, &info);
	question_add(q, "SELECT site, id, status, since_ms, last_rollcall_ms, interval_s, witnesses, hosts, "
			"up, dark, stopped, silent_hosts, unknown FROM sites");
	if (options_has(&c->options, "where")) {
		question_add(q, " WHERE site IN (SELECT site FROM hosts WHERE 1");
		question_where(q, c);
		question_add(q, ")");
	}
	question_add(q, " ORDER BY site");
	code = answer_question(&a, q);
	free(q);
	return code == MESH_EXIT_COMPLETE ? answer_close(&a) : code;
}
