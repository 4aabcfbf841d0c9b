/* Happy path: hosts are asked for state by state, the most worrying one first, until there are as many as are
 * to be shown, so that of a large estate little more than these is read. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/verb.h"

#define SHOWN_FIRST 20
#define SHOWN_MOST  1000000

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

struct listing {
	struct answer a;
	struct question q; /* the one at hand */
	struct host_counts counts;
	uint64_t limit; /* rows; UINT64_MAX: all */
};

/* People see in one column what a host's certificate is worth, where that is worth a word; what a table does
 * not show is not asked for. */
static void add_columns(struct question *q, enum output_format format)
{
	question_add(q, "host, name, name_status, site, ");
	if (format == OUTPUT_TABLE)
		question_add(q, "CASE coalesce(standing, 'good') WHEN 'good' THEN status ELSE status || ', ' "
				"|| standing END AS status, status_since_ms, kernel, kernel_status, age_s");
	else
		question_add(q, "status, status_since_ms, kernel, kernel_status, age_s, seen_ms, evidence, "
				"standing, replaced_by, current_site, os, os_status, arch, model, "
				"model_status, role, address, components, agent, level");
}

/* The status is a word of the option's list, if any. */
static void add_filters(struct question *q, const struct command *c)
{
	const char *site = options_value(&c->options, "site");
	const char *standing = options_value(&c->options, "standing");
	const char *where = options_value(&c->options, "where");
	if (site != NULL)
		question_bind(q, " AND site = ", site, "");
	if (standing != NULL)
		question_bind(q, " AND standing = ", standing, "");
	if (where != NULL) {
		question_add(q, " AND (");
		question_add(q, where);
		/* On a line of its own, out of reach of a comment at the end of the condition. */
		question_add(q, "\n)");
	}
}

/* Of that state as many as there is room for. */
static int list_status(struct listing *l, const struct command *c, enum host_status status)
{
	struct question *q = &l->q;
	char part[64];
	q->len = 0;
	q->parameter_count = 0;
	question_add(q, "SELECT ");
	add_columns(q, l->a.output.format);
	snprintf(part, sizeof(part), " FROM hosts WHERE hosts.status = '%s'", host_status_name(status));
	question_add(q, part);
	add_filters(q, c);
	question_add(q, " ORDER BY site, name, host");
	if (l->limit != UINT64_MAX) {
		snprintf(part, sizeof(part), " LIMIT %" PRIu64, l->limit - l->a.output.rows);
		question_add(q, part);
	}
	return answer_add(&l->a, q);
}

static int list(struct listing *l, const struct command *c)
{
	const char *only = options_value(&c->options, "status");
	int code = MESH_EXIT_COMPLETE;
	for (size_t i = 0; i < HOST_STATUSES && code == MESH_EXIT_COMPLETE; i++) {
		enum host_status status = host_counts_order(i);
		uint64_t before = l->a.output.rows;
		if (before >= l->limit || (only != NULL && strcmp(only, host_status_name(status)) != 0))
			continue;
		code = list_status(l, c, status);
		if (code == MESH_EXIT_COMPLETE)
			l->counts.by_status[status] = l->a.output.rows - before;
	}
	if (code == MESH_EXIT_COMPLETE)
		l->counts.shown = l->a.output.rows;
	return code == MESH_EXIT_COMPLETE ? answer_finish(&l->a) : code;
}

static enum err count_matching(struct listing *l, const struct command *c, struct err_info *info)
{
	const char *status = options_value(&c->options, "status");
	struct question *q = &l->q;
	struct rows rows;
	q->len = 0;
	q->parameter_count = 0;
	question_add(q, "SELECT status, count(*) AS n FROM hosts WHERE 1");
	if (status != NULL)
		question_bind(q, " AND status = ", status, "");
	add_filters(q, c);
	question_add(q, " GROUP BY status");
	enum err err = rows_fetch(l->a.query, q->sql, q->parameters, q->parameter_count, &rows, info);
	for (size_t i = 0; i < HOST_STATUSES && err == ERR_OK; i++) {
		for (size_t row = 0; row < rows.count; row++) {
			if (strcmp(rows_text(&rows, row, "status"), host_status_name((enum host_status)i)) ==
			    0)
				l->counts.by_status[i] = rows_u64(&rows, row, "n");
		}
	}
	rows_release(&rows);
	return err;
}

static enum err count_all(struct listing *l, struct err_info *info)
{
	const struct query_coverage *all;
	enum err err = answer_coverage(&l->a, &all, info);
	if (err != ERR_OK)
		return err;
	const uint64_t counts[] = {
	    [HOST_UNKNOWN] = all->unknown, [HOST_UP] = all->up,
	    [HOST_SILENT] = all->silent,   [HOST_DARK] = all->dark,
	    [HOST_STOPPED] = all->stopped, [HOST_ASLEEP] = all->asleep,
	    [HOST_LEFT] = all->left,       [HOST_REPLACED] = all->replaced,
	};
	memcpy(l->counts.by_status, counts, sizeof(counts));
	return ERR_OK;
}

/* What is not shown is counted, without a look at its rows where the coverage has them anyway. */
static enum err count(struct listing *l, const struct command *c, struct err_info *info)
{
	const struct options *o = &c->options;
	l->counts.narrowed = options_has(o, "site") || options_has(o, "status") ||
			     options_has(o, "standing") || options_has(o, "where");
	l->a.counts = &l->counts;
	if (l->counts.shown < l->limit)
		return ERR_OK;
	return l->counts.narrowed ? count_matching(l, c, info) : count_all(l, info);
}

static enum err take_limit(const struct command *c, uint64_t *ret, struct err_info *info)
{
	const char *format = options_value(&c->options, "output");
	bool people = format == NULL || strcmp(format, "table") == 0 || strcmp(format, "wide") == 0;
	bool all = options_has(&c->options, "all") || (!people && !options_has(&c->options, "limit"));
	unsigned limit;
	if (options_has(&c->options, "all") && options_has(&c->options, "limit"))
		return err_set(info, ERR_USAGE, "--all and --limit exclude each other");
	enum err err = command_number(c, "limit", 1, SHOWN_MOST, SHOWN_FIRST, &limit, info);
	if (err == ERR_OK)
		*ret = all ? UINT64_MAX : limit;
	return err;
}

static int run(struct listing *l, struct command *c)
{
	const char *site = options_value(&c->options, "site");
	struct err_info info = {0};
	if (take_limit(c, &l->limit, &info) != ERR_OK)
		return command_report(c, &info);
	int code = answer_open(c, columns, &l->a);
	if (code == MESH_EXIT_COMPLETE && site != NULL &&
	    answer_check_site(l->a.query, site, &info) != ERR_OK)
		code = answer_fail(&l->a, &info);
	if (code == MESH_EXIT_COMPLETE)
		code = list(l, c);
	if (code == MESH_EXIT_COMPLETE && count(l, c, &info) != ERR_OK)
		code = answer_fail(&l->a, &info);
	if (code == MESH_EXIT_COMPLETE && l->counts.shown == 0)
		l->a.remark = "No host matches.\n";
	return code == MESH_EXIT_COMPLETE ? answer_close(&l->a) : code;
}

int verb_hosts(struct command *c)
{
	struct listing *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return command_fail(c, MESH_EXIT_ERROR, "%s", err_text(ERR_NOMEM));
	int code = run(l, c);
	free(l);
	return code;
}
