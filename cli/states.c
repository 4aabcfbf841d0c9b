/* What became of the hosts, and by what that is told: first how many met which fate, then the hosts of one,
 * each with its evidence in a sentence. The fates are the table hosts' (docs/outage.md). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/verb.h"

#define SHOWN_FIRST 20
#define SHOWN_MOST  100000
#define INDENT      2

static const struct output_column columns[] = {
    {.name = "fate", .style = OUTPUT_FIXED},
    {.name = "host", .style = OUTPUT_ID},
    {.name = "site", .style = OUTPUT_FIXED},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "status_since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "since_ms", .heading = "SINCE", .style = OUTPUT_TIME},
    {.name = "first_ms", .heading = "FIRST", .style = OUTPUT_TIME},
    {.name = "last_ms", .heading = "LAST", .style = OUTPUT_TIME},
    {.name = "change_before_ms", .heading = "CHANGED", .style = OUTPUT_TIME},
    {.name = "change_boot_start", .heading = "BOOT-START", .style = OUTPUT_YESNO},
    {.name = NULL},
};

/* The most worrying first. */
#define BY_WORRY                                                                                             \
	"CASE fate WHEN 'crash' THEN 0 WHEN 'power-or-link' THEN 1 WHEN 'unknown' THEN 2 WHEN 'stopped' "    \
	"THEN 3 WHEN 'asleep' THEN 4 WHEN 'up' THEN 5 ELSE 6 END"

static void add_where(const struct command *c, struct question *q)
{
	const char *where = options_value(&c->options, "where");
	const char *site = options_value(&c->options, "site"), *fate = options_value(&c->options, "fate");
	if (site != NULL)
		question_bind(q, " AND site = ", site, "");
	if (fate != NULL)
		question_bind(q, " AND fate = ", fate, "");
	if (where == NULL)
		return;
	question_add(q, " AND (");
	question_add(q, where);
	question_add(q, "\n)");
}

/* --- how many --- */

/* Of those that are not down the status says it all; of `all` hosts the coverage has counted them. */
static void ask_counts(const struct command *c, const struct query_coverage *all, struct question *q)
{
	question_add(q, "SELECT fate, hosts, sites, first_ms, last_ms, CASE fate "
			"WHEN 'crash' THEN 'told of crashes, changed just before, or in a wave' "
			"WHEN 'power-or-link' THEN 'its site, or most of it, vanished at once' "
			"WHEN 'unknown' THEN 'nothing tells why, or never heard' "
			"WHEN 'stopped' THEN 'said goodbye' WHEN 'asleep' THEN 'said that it suspends' "
			"WHEN 'up' THEN 'by its own signs of life, or its witnesses' "
			"WHEN 'left' THEN 'decommissioned by an operator' "
			"ELSE 'its hardware was enrolled again' END AS meaning FROM ("
			"SELECT fate, count(*) AS hosts, count(DISTINCT site) AS sites, "
			"min(status_since_ms) AS first_ms, max(status_since_ms) AS last_ms FROM hosts WHERE "
			"hosts.status IN ('dark', 'silent', 'unknown')");
	add_where(c, q);
	question_add(q, " GROUP BY fate UNION ALL ");
	if (all == NULL) {
		question_add(q, "SELECT status, count(*), NULL, NULL, NULL FROM hosts WHERE "
				"hosts.status IN ('up', 'stopped', 'asleep', 'left', 'replaced')");
		add_where(c, q);
		question_add(q, " GROUP BY status");
	} else {
		char part[400];
		snprintf(part, sizeof(part),
			 "SELECT column1, column2, NULL, NULL, NULL FROM (VALUES ('up', %" PRIu64
			 "), ('stopped', %" PRIu64 "), ('asleep', %" PRIu64 "), ('left', %" PRIu64
			 "), ('replaced', %" PRIu64 ")) WHERE column2 > 0",
			 all->up, all->stopped, all->asleep, all->left, all->replaced);
		question_add(q, part);
	}
	question_add(q, ") ORDER BY " BY_WORRY);
}

static void ask_sites(const struct command *c, struct question *q)
{
	const char *site = options_value(&c->options, "site"), *fate = options_value(&c->options, "fate");
	question_add(q, "SELECT site, fate, since_ms, silent_hosts, dark, hosts, evidence FROM sites WHERE "
			"status = 'silent'");
	if (site != NULL)
		question_bind(q, " AND site = ", site, "");
	if (fate != NULL)
		question_bind(q, " AND fate = ", fate, "");
	if (options_has(&c->options, "where")) {
		question_add(q, " AND site IN (SELECT site FROM hosts WHERE 1");
		question_where(q, c);
		question_add(q, ")");
	}
	question_add(q, " ORDER BY " BY_WORRY ", since_ms, site");
}

/* --- which hosts --- */

static void ask_hosts(const struct command *c, unsigned limit, struct question *q)
{
	char part[32];
	question_add(q, "SELECT host, name, name_status, site, role, status, status_since_ms, fate, "
			"change_before, change_before_ms, change_boot_start, evidence FROM hosts WHERE ");
	/* Who is up or left has no fate to tell of, unless asked for. */
	question_add(q, options_has(&c->options, "fate") ? "1" : "status IN ('dark', 'silent', 'unknown')");
	add_where(c, q);
	question_add(q, " ORDER BY " BY_WORRY ", site, status_since_ms, host");
	snprintf(part, sizeof(part), " LIMIT %u", limit);
	question_add(q, part);
}

static void escaped(const struct rows *rows, size_t row, const char *column, char *ret, size_t cap)
{
	const char *text = rows_text(rows, row, column);
	text_escape(ret, cap, text, strlen(text));
}

/* A paragraph each: a sentence of evidence is wider than a column may be. */
static void put_host(struct answer *a, const struct rows *rows, size_t row)
{
	char name[4 * LIMIT_HOSTNAME_BYTES + 1], site[4 * LIMIT_SITE_NAME_BYTES + 1], evidence[1024];
	char since[SHOWN_BYTES];
	uint64_t ms = rows_u64(rows, row, "status_since_ms");
	escaped(rows, row, "name", name, sizeof(name));
	escaped(rows, row, "site", site, sizeof(site));
	escaped(rows, row, "evidence", evidence, sizeof(evidence));
	shown_time(ms, a->now, since);
	if (name[0] == '\0')
		snprintf(name, sizeof(name), "%.8s", rows_text(rows, row, "host"));
	fprintf(a->output.f, "%s (%s): %s%s%s\n%*s", name, site, rows_text(rows, row, "fate"),
		ms != 0 ? ", since " : "", ms != 0 ? since : "", INDENT, "");
	shown_fill(a->output.f, evidence, INDENT, INDENT);
	fputc('\n', a->output.f);
}

static int put_hosts(struct answer *a, const struct question *q, unsigned limit)
{
	struct rows rows = {0};
	struct err_info info = {0};
	if (q->failed)
		return answer_question(a, q);
	enum err err = rows_fetch(a->query, q->sql, q->parameters, q->parameter_count, &rows, &info);
	for (size_t i = 0; err == ERR_OK && i < rows.count; i++)
		put_host(a, &rows, i);
	size_t count = rows.count;
	rows_release(&rows);
	if (err != ERR_OK)
		return answer_fail(a, &info);
	if (count == limit)
		a->remark = "These are the first ones; --all shows all, --limit N so many.\n";
	if (count == 0)
		a->remark = "No host is down for that.\n";
	return MESH_EXIT_COMPLETE;
}

/* --- the verb --- */

static int answer_states(struct answer *a, unsigned limit, bool listed)
{
	struct command *c = a->command;
	const char *site = options_value(&c->options, "site");
	struct err_info info = {.code = ERR_NOMEM};
	if (site != NULL && answer_check_site(a->query, site, &info) != ERR_OK)
		return answer_fail(a, &info);
	const struct query_coverage *all = NULL;
	bool whole = !options_has(&c->options, "where");
	if (whole && answer_coverage(a, &all, &info) != ERR_OK)
		return answer_fail(a, &info);
	struct question *q = calloc(1, sizeof(*q));
	if (q == NULL)
		return answer_fail(a, &info);
	if (options_has(&c->options, "sites"))
		ask_sites(c, q);
	else if (listed)
		ask_hosts(c, limit, q);
	else
		ask_counts(c, all, q);
	bool prose = listed && a->output.format == OUTPUT_TABLE;
	int code = prose ? put_hosts(a, q, limit) : answer_question(a, q);
	if (code == MESH_EXIT_COMPLETE && !prose && a->output.rows == 0)
		a->remark = options_has(&c->options, "sites") ? "No site is silent for that.\n"
							      : "No host matches.\n";
	free(q);
	return code == MESH_EXIT_COMPLETE ? answer_close(a) : code;
}

int verb_states(struct command *c)
{
	const struct options *o = &c->options;
	const char *format = options_value(o, "output");
	bool listed = !options_has(o, "sites") &&
		      (options_has(o, "hosts") || options_has(o, "all") || options_has(o, "limit") ||
		       options_has(o, "fate") || options_has(o, "site"));
	bool people = format == NULL || strcmp(format, "table") == 0 || strcmp(format, "wide") == 0;
	struct err_info info = {0};
	struct answer a;
	unsigned limit;
	if (options_has(o, "all") && options_has(o, "limit"))
		return command_fail(c, MESH_EXIT_USAGE, "--all and --limit exclude each other");
	if (command_number(c, "limit", 1, SHOWN_MOST, people ? SHOWN_FIRST : SHOWN_MOST, &limit, &info) !=
	    ERR_OK)
		return command_report(c, &info);
	if (options_has(o, "all"))
		limit = SHOWN_MOST;
	int code = answer_open(c, columns, &a);
	return code == MESH_EXIT_COMPLETE ? answer_states(&a, limit, listed) : code;
}
