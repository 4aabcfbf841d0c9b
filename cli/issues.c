/* What is wrong with the data itself: a list, and below it what each kind means and what to do. */
#include <stdlib.h>

#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/verb.h"

static const struct output_column columns[] = {
    {.name = "severity", .style = OUTPUT_FIXED},
    {.name = "kind", .style = OUTPUT_FIXED},
    {.name = "subject", .style = OUTPUT_ID},
    {.name = "host_name", .heading = "NAME"},
    {.name = "site", .only_wide = true},
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "last_ms", .heading = "LAST", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "detail"},
    {.name = "subject_type", .heading = "TYPE", .only_wide = true},
    {.name = "other", .style = OUTPUT_ID, .only_wide = true},
    {.name = "count_of", .heading = "OF", .only_wide = true},
    {.name = "proofs", .only_wide = true},
    {.name = "explanation", .only_wide = true},
    {.name = "remedy", .only_wide = true},
    {.name = NULL},
};

/* The rows that the options leave, under names that --where can be joined to. */
static void ask(struct question *q, const struct command *c, const char *what)
{
	const char *severity = options_value(&c->options, "severity");
	const char *kind = options_value(&c->options, "kind");
	question_add(q, "SELECT ");
	question_add(q, what);
	question_add(q, " FROM (SELECT *, subject AS host FROM issues) WHERE 1");
	if (severity != NULL)
		question_bind(q, " AND severity = ", severity, "");
	if (kind != NULL)
		question_bind(q, " AND kind = ", kind, "");
	question_where(q, c);
}

/* A paragraph for each kind that is listed; the texts are this program's own. */
static enum err put_meanings(struct answer *a, struct err_info *info)
{
	struct rows rows = {0};
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	ask(q, a->command, "DISTINCT kind, explanation, remedy");
	question_add(q, " ORDER BY kind");
	enum err err = rows_fetch(a->query, q->sql, q->parameters, q->parameter_count, &rows, info);
	for (size_t i = 0; err == ERR_OK && i < rows.count; i++) {
		fprintf(a->output.f, "\n%s\n  ", rows_text(&rows, i, "kind"));
		shown_fill(a->output.f, rows_text(&rows, i, "explanation"), 2, 2);
		fputs("  ", a->output.f);
		shown_fill(a->output.f, rows_text(&rows, i, "remedy"), 2, 2);
	}
	if (err == ERR_OK && rows.count > 0)
		fputc('\n', a->output.f);
	rows_release(&rows);
	free(q);
	return err;
}

int verb_issues(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	ask(q, c,
	    "severity, kind, subject, host_name, site, since_ms, last_ms, count, detail, subject_type, "
	    "other, "
	    "count_of, proofs, explanation, remedy");
	question_add(q,
		     " ORDER BY CASE severity WHEN 'critical' THEN 0 WHEN 'warning' THEN 1 ELSE 2 END, kind, "
		     "since_ms, subject");
	int code = answer_open(c, columns, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_question(&a, q);
	free(q);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	if (a.output.rows == 0)
		a.remark = "No such issue is open.\n";
	else if (a.output.format == OUTPUT_TABLE && put_meanings(&a, &info) != ERR_OK)
		return answer_fail(&a, &info);
	return answer_close(&a);
}
