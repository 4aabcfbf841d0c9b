/* How big is it? Who has the component, or was there when it came out, and what became of them: the hosts'
 * states, their last words and crashes decide (docs/outage.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/impact.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "cli/when.h"

/* A crash may follow an hour after what caused it arrived; until a host is called dark takes minutes. */
#define LATER_MS   (2 * 3600 * CLOCK_SECOND_MS)
#define CRASHED_MS (7 * CLOCK_DAY_MS) /* without a window, crashes of so long ago count */
#define LOOP_MS    "86400000"         /* between the crash it told of and the one that it is down by */
#define LOOP_BOOTS "3"                /* of one that is up, unclean, since the window began */

static const struct output_column columns[] = {
    {.name = "class", .style = OUTPUT_FIXED},
    {.name = "host", .style = OUTPUT_ID},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "status_since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "hosts"},
    {.name = "site", .style = OUTPUT_FIXED},
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

/* --- the question --- */

static void add_number(struct question *q, const char *before, uint64_t number)
{
	char digits[24];
	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	question_add(q, before);
	question_add(q, digits);
}

/* The one place where it is decided what became of a host. */
static void add_classes(const struct impact *i, struct question *q)
{
	question_add(q, "CASE WHEN has.host IS NULL AND (h.components IS NULL OR "
			"h.module_support IN ('denied', 'failed', 'unknown')) THEN 'cannot_tell' "
			"WHEN has.host IS NULL THEN 'without' "
			/* It was up between two crashes, and long enough to say so. */
			"WHEN has.meant AND h.status = 'dark' AND crashed.last + " LOOP_MS
			" > h.status_since_ms THEN 'loop' "
			"WHEN has.meant AND h.status = 'up' AND crashed.boots >= " LOOP_BOOTS " THEN 'loop' "
			"WHEN h.status = 'dark' AND (coalesce(h.status_since_ms, 0) < ");
	add_number(q, "", i->from);
	add_number(q, " OR h.status_since_ms > ", i->windowed ? i->to + LATER_MS : INT64_MAX);
	question_add(q, ") THEN iif(has.meant, 'down_otherwise', 'without') "
			"WHEN h.status = 'dark' THEN iif(has.meant, 'down', 'down_unreported') "
			"WHEN NOT has.meant THEN 'without' "
			"WHEN h.status = 'silent' THEN 'silent_site' "
			"WHEN h.status IN ('stopped', 'asleep') THEN 'at_risk' "
			"WHEN h.status = 'up' AND crashed.host IS NOT NULL THEN 'recovered' "
			"WHEN h.status = 'up' THEN 'not_hit' ELSE 'cannot_tell' END");
}

void impact_judge(const struct impact *i, const struct command *c, struct question *q)
{
	question_add(q, "WITH has AS MATERIALIZED (SELECT host, max(");
	impact_target_version(&i->target, q);
	question_add(q, ") AS meant FROM host_components WHERE ");
	impact_target_name(&i->target, q);
	question_add(q, " GROUP BY host), crashed AS MATERIALIZED (SELECT host, "
			"sum(kind = 'unclean-boot') AS boots, max(time_ms) AS last FROM crashes "
			"WHERE kind IN ('unclean-boot', 'panic', 'blue-screen')");
	add_number(q, " AND time_ms >= ", i->crashed_from);
	question_add(q, " GROUP BY host), judged AS (SELECT h.host, h.site, h.");
	question_add(q, i->by != NULL ? i->by : "role");
	question_add(q, " AS value, h.status_since_ms AS since_ms, ");
	add_classes(i, q);
	question_add(q, " AS class FROM hosts h LEFT JOIN has ON has.host = h.host "
			"LEFT JOIN crashed ON crashed.host = h.host "
			"WHERE h.status NOT IN ('left', 'replaced')");
	if (options_has(&c->options, "where")) {
		question_add(q, " AND h.host IN (SELECT host FROM hosts WHERE 1");
		question_where(q, c);
		question_add(q, ")");
	}
	question_add(q, ") ");
}

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
	question_add(q, " FROM judged GROUP BY 1 ORDER BY down + loop + silent_site DESC, hosts DESC, 1");
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
	question_add(
	    q, "SELECT hosts.host, name, name_status, hosts.site, role, model, status, status_since_ms, "
	       "evidence FROM judged CROSS JOIN hosts ON hosts.host = judged.host WHERE class = ");
	question_bind(q, "", class, " ORDER BY hosts.site, name, hosts.host");
	int code = answer_question(a, q);
	free(q);
	if (code == MESH_EXIT_COMPLETE && a->output.rows == 0)
		a->remark = "No host is in this class.\n";
	return code;
}

/* --- the summary --- */

static void put_headline(const struct impact *i, const struct impact_summary *s, struct answer *a)
{
	uint64_t confirmed, likely;
	FILE *f = a->output.f;
	char from[SHOWN_BYTES], to[SHOWN_BYTES];
	impact_magnitude(s, &confirmed, &likely);
	fprintf(f, "DOWN %" PRIu64 " confirmed, up to %" PRIu64 " likely.", confirmed, likely);
	if (s->sites_with > 0)
		fprintf(f, " At %" PRIu64 " of %" PRIu64 " sites with it, no host that has it is up.",
			s->sites_gone, s->sites_with);
	shown_time(i->from, a->now, from);
	shown_time(i->to, a->now, to);
	if (i->windowed)
		fprintf(f, "\nWindow: %s to %s.", from, to);
	fputs("\n\n", f);
}

static void put_magnitude(const struct impact *i, const struct impact_summary *s, struct answer *a)
{
	struct json *j = &a->output.json;
	uint64_t confirmed, likely;
	impact_magnitude(s, &confirmed, &likely);
	json_new_line(j);
	json_begin_object(j, "magnitude");
	json_u64(j, "confirmed", confirmed);
	json_u64(j, "likely", likely);
	json_u64(j, "sites_with", s->sites_with);
	json_u64(j, "sites_gone", s->sites_gone);
	if (i->windowed) {
		json_u64(j, "from_ms", i->from);
		json_u64(j, "to_ms", i->to);
	}
	json_end_object(j);
}

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
		put_headline(i, &s, a);
	if (err == ERR_OK) {
		err = impact_summary_put(&s, a);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err == ERR_OK && a->output.format == OUTPUT_JSON)
		put_magnitude(i, &s, a);
	impact_summary_release(&s);
	return err == ERR_OK ? MESH_EXIT_COMPLETE : answer_fail(a, &info);
}

static int answer_impact(struct impact *i, struct answer *a)
{
	const struct options *o = &a->command->options;
	const char *window = options_value(o, "window"), *class = options_value(o, "class");
	struct err_info info = {0};
	enum err err = ERR_OK;
	i->windowed = window != NULL;
	i->crashed_from = a->now - CRASHED_MS;
	if (i->windowed) {
		err = when_window(window, a->now, &i->from, &i->to, &info);
		i->crashed_from = i->from;
	}
	bool summary = class == NULL && i->by == NULL;
	if (err == ERR_OK && !summary)
		err = check_known(i, a, &info);
	if (err != ERR_OK)
		return answer_fail(a, &info);
	if (class != NULL)
		return put_hosts(i, class, a);
	return i->by != NULL ? put_by_value(i, a) : put_summary(i, a);
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
