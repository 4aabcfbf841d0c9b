#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/verb.h"

static const struct output_column columns[] = {
    {.name = "host", .style = OUTPUT_ID},
    {.name = "name"},
    {.name = "site"},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "status_since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "kernel"},
    {.name = "age_s", .heading = "SEEN", .style = OUTPUT_AGE},
    {.name = "seen_ms", .heading = "SEEN AT", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "evidence", .only_wide = true},
    {.name = "standing", .only_wide = true},
    {.name = "replaced_by", .style = OUTPUT_ID, .only_wide = true},
    {.name = "current_site", .only_wide = true},
    {.name = "os", .only_wide = true},
    {.name = "arch", .only_wide = true},
    {.name = "model", .only_wide = true},
    {.name = "role", .only_wide = true},
    {.name = "address", .only_wide = true},
    {.name = "components", .only_wide = true},
    {.name = "agent", .only_wide = true},
    {.name = "level", .only_wide = true},
    {.name = NULL},
};

static bool is_table(const struct command *c)
{
	const char *format = options_value(&c->options, "output");
	return format == NULL || strcmp(format, "table") == 0;
}

/* People see in one column what a host's certificate is worth, where that is worth a word; what a table does
 * not show is not asked for. */
static void add_columns(struct question *q, const struct command *c)
{
	question_add(q, "host, name, name_status, site, ");
	if (is_table(c))
		question_add(q, "CASE coalesce(standing, 'good') WHEN 'good' THEN status ELSE status || ', ' "
				"|| standing END AS status, status_since_ms, kernel, kernel_status, age_s");
	else
		question_add(q, "status, status_since_ms, kernel, kernel_status, age_s, seen_ms, evidence, "
				"standing, replaced_by, current_site, os, os_status, arch, model, "
				"model_status, role, address, components, agent, level");
}

int verb_hosts(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	const char *site = options_value(&c->options, "site");
	const char *status = options_value(&c->options, "status");
	const char *standing = options_value(&c->options, "standing");
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	question_add(q, "SELECT ");
	add_columns(q, c);
	question_add(q, " FROM hosts WHERE 1");
	if (site != NULL)
		question_bind(q, " AND site = ", site, "");
	if (status != NULL)
		question_bind(q, " AND hosts.status = ", status, "");
	if (standing != NULL)
		question_bind(q, " AND standing = ", standing, "");
	question_where(q, c);
	question_add(q, " ORDER BY site, name, host");
	int code = answer_open(c, columns, &a);
	if (code == MESH_EXIT_COMPLETE && site != NULL && answer_check_site(a.query, site, &info) != ERR_OK)
		code = answer_fail(&a, &info);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_question(&a, q);
	free(q);
	if (code == MESH_EXIT_COMPLETE && a.output.rows == 0)
		a.remark = "No host matches.\n";
	return code == MESH_EXIT_COMPLETE ? answer_close(&a) : code;
}
