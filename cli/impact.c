/* How big is it? Who has the component, or was there when it came out, and what became of them: the hosts'
 * states, their last words and crashes decide (docs/outage.md). */
#include <stdlib.h>
#include <string.h>

#include "cli/impact.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "cli/when.h"

#define CRASHED_MS (7 * CLOCK_DAY_MS) /* without a window, crashes of so long ago count */

static const struct output_column columns[] = {
    {.name = "class", .style = OUTPUT_FIXED},
    {.name = "host", .style = OUTPUT_ID},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "status_since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "hosts"},
    {.name = "site", .style = OUTPUT_FIXED},
    {.name = "crash_earliest_ms", .heading = "CRASHED FROM", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "crash_latest_ms", .heading = "TO", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "today", .style = OUTPUT_FIXED},
    {.name = "evidence"},
    {.name = "at_risk", .heading = "AT RISK"},
    {.name = "down_unreported", .heading = "DOWN, OTHER", .only_wide = true},
    {.name = "silent_site", .heading = "SILENT"},
    {.name = "down_otherwise", .heading = "OTHERWISE", .only_wide = true},
    {.name = "cannot_tell", .heading = "UNSURE"},
    {.name = "sites", .only_wide = true},
    {.name = "first_ms", .heading = "FIRST", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "last_ms", .heading = "LAST", .style = OUTPUT_TIME, .only_wide = true},
    {.name = NULL},
};

/* --- by the values of a column: a row a value, a column a class --- */

static int put_by_value(const struct impact *i, struct answer *a)
{
	static const char *const names[] = {
#define IMPACT_NAME(symbol, name, words, evidence) name,
	    IMPACT_CLASSES(IMPACT_NAME)
#undef IMPACT_NAME
	};
	struct question *q = calloc(1, sizeof(*q));
	struct err_info info = {.code = ERR_NOMEM};
	if (q == NULL)
		return answer_fail(a, &info);
	impact_judge(i, a->command, q);
	question_add(q, "SELECT value AS ");
	question_add(q, i->by);
	question_add(q, ", count(*) AS hosts");
	for (size_t k = 0; k < IMPACT_CLASS_COUNT; k++) {
		question_add(q, ", sum(class = '");
		question_add(q, names[k]);
		question_add(q, "') AS ");
		question_add(q, names[k]);
	}
	question_add(q, " FROM judged WHERE class NOT IN ('gone', 'later') GROUP BY 1 ORDER BY down + loop + "
			"silent_site DESC, hosts DESC, 1");
	int code = answer_question(a, q);
	free(q);
	return code;
}

/* --- the hosts of one class --- */

static int put_hosts(const struct impact *i, const char *class, struct answer *a)
{
	struct question *q = calloc(1, sizeof(*q));
	struct err_info info = {.code = ERR_NOMEM};
	if (q == NULL)
		return answer_fail(a, &info);
	impact_judge(i, a->command, q);
	/* A host that is down lived when it was heard last, and its witnesses' time is when it was missed. */
	question_add(
	    q, "SELECT hosts.host, name, name_status, hosts.site, role, model, judged.status AS status, "
	       "judged.since_ms AS status_since_ms, iif(judged.status = 'dark', min(seen_ms, since_ms), "
	       "crash_earliest) AS crash_earliest_ms, iif(judged.status = 'dark', since_ms, crash_latest) "
	       "AS crash_latest_ms, ");
	/* What is told of a host is of today. */
	question_add(q, i->at != 0 ? "judged.today AS today" : "evidence");
	question_add(q, " FROM judged CROSS JOIN hosts ON hosts.host = judged.host WHERE class = ");
	question_bind(q, "", class, " ORDER BY hosts.site, name, hosts.host");
	int code = answer_question(a, q);
	free(q);
	if (code == MESH_EXIT_COMPLETE && a->output.rows == 0)
		a->remark = "No host is in this class.\n";
	return code;
}

/* --- the summary --- */

/* Whether anything is meant at all: a typing error would else look like good news. */
static enum err check_known(const struct impact *i, struct answer *a, struct err_info *info)
{
	struct rows rows = {0};
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	question_add(q, "SELECT 1 FROM host_components WHERE ");
	impact_target_name(&i->target, q);
	question_add(q, " LIMIT 1");
	enum err err = q->failed
			   ? err_set(info, ERR_LIMIT, "--sql is longer than %d bytes", LIMIT_SQL_BYTES)
			   : rows_fetch(a->query, q->sql, q->parameters, q->parameter_count, &rows, info);
	if (err == ERR_OK && rows.count == 0 && i->target.predicate == NULL)
		err = err_set(info, ERR_NOT_FOUND,
			      "no host is known to have such a component; mesh components --all lists them");
	rows_release(&rows);
	free(q);
	return err;
}

static int put_summary(const struct impact *i, struct answer *a)
{
	struct impact_summary s = {0};
	struct err_info info = {0};
	enum err err = impact_summarize(i, a, &s, &info);
	/* Where a host has it, it is known. */
	if (err == ERR_OK && s.sites_with == 0)
		err = check_known(i, a, &info);
	if (err == ERR_OK && output_for_people(&a->output))
		impact_head(i, &s, a);
	if (err == ERR_OK) {
		err = impact_summary_put(i, &s, a);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err == ERR_OK && a->output.format == OUTPUT_JSON)
		impact_json(i, &s, a);
	if (err == ERR_OK && output_for_people(&a->output))
		impact_foot(i, &s, a);
	a->partial = a->partial || s.no_history > 0;
	impact_summary_release(&s);
	return err == ERR_OK ? MESH_EXIT_COMPLETE : answer_fail(a, &info);
}

/* How far the log goes, and whether this node watched at that time. */
static enum err look_into_log(struct impact *i, struct answer *a, struct err_info *info)
{
	struct query_point point = {.watch = QUERY_WATCH_OK};
	enum err err = ERR_OK;
	if (i->windowed || i->at != 0)
		err = query_history(a->query, NULL, &i->at, i->at != 0, &point, &i->log, info);
	i->watch = point.watch;
	a->partial = i->watch != QUERY_WATCH_OK;
	return err;
}

static enum err read_times(struct impact *i, struct answer *a, struct err_info *info)
{
	const struct options *o = &a->command->options;
	const char *window = options_value(o, "window"), *at = options_value(o, "at");
	enum err err = at != NULL ? when_parse(at, a->now, &i->at, info) : ERR_OK;
	if (err == ERR_OK && i->at > a->now)
		err = err_set(info, ERR_USAGE, "--at \"%s\" is not here yet", at);
	wall_ms now = i->at != 0 ? i->at : a->now;
	i->windowed = window != NULL;
	i->to = INT64_MAX;
	i->crashed_from = now > CRASHED_MS ? now - CRASHED_MS : 0;
	if (err == ERR_OK && i->windowed) {
		err = when_window(window, a->now, &i->from, &i->to, info);
		i->crashed_from = i->from;
	}
	return err;
}

static int answer_impact(struct impact *i, struct answer *a)
{
	const char *class = options_value(&a->command->options, "class");
	struct err_info info = {0};
	enum err err = read_times(i, a, &info);
	if (err == ERR_OK)
		err = look_into_log(i, a, &info);
	bool summary = class == NULL && i->by == NULL;
	if (err == ERR_OK && !summary)
		err = check_known(i, a, &info);
	if (err != ERR_OK)
		return answer_fail(a, &info);
	if (summary)
		return put_summary(i, a);
	int code = class != NULL ? put_hosts(i, class, a) : put_by_value(i, a);
	if (code == MESH_EXIT_COMPLETE && output_for_people(&a->output))
		impact_foot(i, &(const struct impact_summary){.hit = 0}, a);
	return code;
}

int verb_impact(struct command *c)
{
	struct answer a;
	struct err_info info = {0};
	struct impact *i = calloc(1, sizeof(*i));
	if (i == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	i->by = options_value(&c->options, "by");
	int code = impact_target_parse(c, &i->target, &info) == ERR_OK ? answer_open(c, columns, &a)
								       : command_report(c, &info);
	if (code == MESH_EXIT_COMPLETE) {
		code = answer_impact(i, &a);
		if (code == MESH_EXIT_COMPLETE)
			code = answer_close(&a);
	}
	free(i);
	return code;
}
