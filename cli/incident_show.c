/* Asking about incidents: list, show, report. */
#include <stdlib.h>
#include <string.h>

#include "cli/incident.h"
#include "cli/verb.h"

/* --- list --- */

static const struct output_column list_columns[] = {
    {.name = "incident", .style = OUTPUT_ID},
    {.name = "text"},
    {.name = "open", .style = OUTPUT_YESNO},
    {.name = "opened_ms", .heading = "OPENED", .style = OUTPUT_TIME},
    {.name = "opened_by", .heading = "BY"},
    {.name = "claims", .style = OUTPUT_NUMBER},
    {.name = "done", .style = OUTPUT_NUMBER},
    {.name = "notes", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "matches", .only_wide = true},
    {.name = "good", .only_wide = true},
    {.name = "closed_ms", .heading = "CLOSED", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "closed_by", .heading = "CLOSED BY", .only_wide = true},
    {.name = "closed_text", .heading = "WHY", .only_wide = true},
    {.name = NULL},
};

int verb_incident_list(struct command *c)
{
	struct answer a;
	bool all = options_has(&c->options, "all");
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	question_add(
	    q,
	    "SELECT incident, text, open, opened_ms, opened_by, (SELECT count(DISTINCT subject) FROM claims "
	    "c "
	    "WHERE c.incident = i.incident AND stands AND op <> 'release') AS claims, (SELECT count(DISTINCT "
	    "subject) FROM claims c WHERE c.incident = i.incident AND stands AND op = 'done') AS done, "
	    "(SELECT "
	    "count(*) FROM notes n WHERE n.incident = i.incident) AS notes, matches, good, closed_ms, "
	    "closed_by, closed_text FROM incidents i ");
	question_add(q, all ? "" : "WHERE open ");
	question_add(q, "ORDER BY open DESC, opened_ms DESC, incident");
	int code = answer_open(c, list_columns, &a);
	if (code == MESH_EXIT_COMPLETE)
		code = answer_question(&a, q);
	if (code == MESH_EXIT_COMPLETE) {
		if (a.output.rows == 0)
			a.remark = all ? "No incident was ever opened.\n" : "No incident is open.\n";
		code = answer_close(&a);
	}
	free(q);
	return code;
}

/* --- show --- */

static const struct output_column host_columns[] = {
    {.name = "site"},
    {.name = "name"},
    {.name = "role", .only_wide = true},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "proven", .style = OUTPUT_FIXED},
    {.name = "said", .style = OUTPUT_FIXED},
    {.name = "operators", .heading = "BY"},
    {.name = "relapses", .style = OUTPUT_NUMBER},
    {.name = "blocked", .only_wide = true},
    {.name = "hit_ms", .heading = "HIT", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "back_ms", .heading = "BACK", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "said_done_ms", .heading = "SAID DONE", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "host", .heading = "HOST ID", .style = OUTPUT_ID, .only_wide = true},
    {.name = NULL},
};
#define HOST_COLUMNS (sizeof(host_columns) / sizeof(host_columns[0]) - 1)

static struct query_value text(const char *s)
{
	if (s == NULL || s[0] == '\0')
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_TEXT, .text = s, .text_len = strlen(s)};
}

static struct query_value moment(wall_ms t)
{
	return t != 0 ? (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)t}
		      : (struct query_value){.type = QUERY_NULL};
}

static bool put_host(const struct query_sink *sink, const struct incident_host *h)
{
	const struct query_value values[HOST_COLUMNS] = {
	    text(h->site),
	    text(h->name),
	    text(h->role),
	    text(h->status),
	    moment(h->since),
	    text(incident_state_name(h->state)),
	    text(incident_said_name(h->said)),
	    text(h->who),
	    {.type = QUERY_INTEGER, .integer = h->relapses},
	    text(h->blocked),
	    moment(h->hit),
	    moment(h->back),
	    moment(h->done_at),
	    text(h->host),
	};
	return sink->row(sink->context, values, HOST_COLUMNS);
}

static enum err put_hosts(struct answer *a, const struct incident_work *w, const char *site)
{
	const char *names[HOST_COLUMNS];
	struct query_sink sink = output_sink(&a->output);
	for (size_t i = 0; i < HOST_COLUMNS; i++)
		names[i] = host_columns[i].name;
	bool more = sink.columns(sink.context, names, HOST_COLUMNS);
	for (size_t i = 0; more && i < w->listed; i++) {
		if (site == NULL || strcmp(w->hosts[i].site, site) == 0)
			more = put_host(&sink, &w->hosts[i]);
	}
	return output_finish_rows(&a->output);
}

static int show(struct answer *a, const struct incident_work *w)
{
	const struct options *o = &a->command->options;
	const char *site = options_value(o, "site");
	struct err_info info = {0};
	struct burn b;
	incident_burn_compute(w, &b);
	if (output_for_people(&a->output) && !options_has(o, "hosts") && site == NULL) {
		incident_text(a->output.f, w, &b);
		return answer_close(a);
	}
	enum err err = site != NULL ? answer_check_site(a->query, site, &info) : ERR_OK;
	if (err == ERR_OK) {
		err = put_hosts(a, w, site);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err != ERR_OK)
		return answer_fail(a, &info);
	if (a->output.format == OUTPUT_JSON)
		incident_json(&a->output.json, w, &b);
	return answer_close(a);
}

int verb_incident_show(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct incident_work w = {.now = 0};
	int code = answer_open(c, host_columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = incident_load(a.query, c->options.operands[0], a.now, &w, &info);
	code = err == ERR_OK ? show(&a, &w) : answer_fail(&a, &info);
	incident_release(&w);
	return code;
}

/* --- report --- */

int verb_report(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct incident_work w = {.now = 0};
	struct burn b;
	const struct query_coverage *coverage;
	int code = answer_open(c, host_columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = incident_load(a.query, c->options.operands[0], a.now, &w, &info);
	if (err == ERR_OK)
		err = answer_coverage(&a, &coverage, &info);
	if (err != ERR_OK) {
		code = answer_fail(&a, &info);
	} else if (!options_has(&c->options, "html")) {
		code = show(&a, &w);
	} else {
		incident_burn_compute(&w, &b);
		incident_html(c->out, &w, &b, coverage);
		/* The page states its coverage; as with csv it is told apart, too. */
		a.output.format = OUTPUT_CSV;
		code = answer_close(&a);
	}
	incident_release(&w);
	return code;
}
