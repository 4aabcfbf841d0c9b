/* The curve of the estate: hosts by state at each step, as this node saw them then. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/shown.h"
#include "cli/steps.h"
#include "cli/verb.h"
#include "cli/when.h"
#include "os/terminal.h"

#define FRESH_MS   CLOCK_MINUTE_MS /* a replica so old is asked as of its last commit */
#define DEFAULT_MS (60 * CLOCK_MINUTE_MS)

static const struct output_column columns[] = {
    {.name = "time", .style = OUTPUT_FIXED},
    {.name = "at_ms", .heading = "AT", .style = OUTPUT_TIME, .only_wide = true},
    {.name = "up", .style = OUTPUT_NUMBER},
    {.name = "dark", .style = OUTPUT_NUMBER},
    {.name = "silent", .style = OUTPUT_NUMBER},
    {.name = "stopped", .style = OUTPUT_NUMBER},
    {.name = "asleep", .style = OUTPUT_NUMBER},
    {.name = "unknown", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "left", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "replaced", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "sites_silent", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "went_dark", .heading = "+DARK", .style = OUTPUT_NUMBER},
    {.name = "went_silent", .heading = "+SILENT", .style = OUTPUT_NUMBER, .only_wide = true},
    {.name = "came_up", .heading = "+UP", .style = OUTPUT_NUMBER},
    {.name = "watch", .style = OUTPUT_FIXED},
    {.name = NULL},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]) - 1)

struct asked {
	wall_ms from, to;
	uint64_t step;
	const char *site; /* NULL: all */
};

static enum err too_many(const struct asked *a, struct err_info *info)
{
	char given[STEPS_TEXT_BYTES], least[STEPS_TEXT_BYTES];
	uint64_t span = a->to - a->from, step = a->step;
	while (span / step + 2 > STEPS_MAX)
		step = steps_choose(step * STEPS_SHOWN + 1);
	steps_text(a->step, given);
	steps_text(step, least);
	return err_set(info, ERR_USAGE,
		       "--step %s makes %" PRIu64 " rows, more than %d; use --step %s, or a shorter time",
		       given, span / a->step, STEPS_MAX, least);
}

static enum err read_options(const struct answer *answer, const struct query_log *log, struct asked *ret,
			     struct err_info *info)
{
	const struct options *o = &answer->command->options;
	const char *since = options_value(o, "since"), *until = options_value(o, "until");
	const char *step = options_value(o, "step");
	wall_ms now = answer->now;
	struct asked a = {.site = options_value(o, "site")};
	/* What happened since the last commit is not known yet, which is no gap. */
	a.to = log->as_of <= now && now - log->as_of <= FRESH_MS ? log->as_of : now;
	enum err err = until != NULL ? when_parse(until, now, &a.to, info) : ERR_OK;
	a.from = a.to > DEFAULT_MS ? a.to - DEFAULT_MS : 0;
	if (err == ERR_OK && since != NULL)
		err = when_parse(since, now, &a.from, info);
	if (err == ERR_OK && a.from >= a.to)
		err = err_set(info, ERR_USAGE, "--since \"%s\" is not before %s", since != NULL ? since : "",
			      until != NULL ? "--until" : "the last commit of the replica");
	a.step = err == ERR_OK ? steps_choose(a.to - a.from) : 0;
	if (err == ERR_OK && step != NULL)
		err = steps_parse(step, &a.step, info);
	if (err == ERR_OK && (a.to - a.from) / a.step + 2 > STEPS_MAX)
		err = too_many(&a, info);
	if (err == ERR_OK && a.site != NULL)
		err = answer_check_site(answer->query, a.site, info);
	if (err == ERR_OK)
		*ret = a;
	return err;
}

/* --- rows --- */

/* "09:40 +01:00"; with the date unless it is today's, with seconds where there are any. */
static void time_text(wall_ms t, wall_ms now, bool whole, char ret[SHOWN_BYTES])
{
	/* "2026-11-23 09:40:07 +01:00" */
	enum { DATE = 10, MINUTE = 16, SECOND = 19 };
	char then[32], today[32];
	os_time_text(t, then);
	os_time_text(now, today);
	if (strlen(then) <= SECOND) {
		snprintf(ret, SHOWN_BYTES, "%s", then);
		return;
	}
	int from = !whole && memcmp(then, today, DATE) == 0 ? DATE + 1 : 0;
	bool seconds = whole || t % CLOCK_MINUTE_MS >= CLOCK_SECOND_MS;
	snprintf(ret, SHOWN_BYTES, "%.*s%s", (seconds ? SECOND : MINUTE) - from, then + from, then + SECOND);
}

static struct query_value number(bool known, uint64_t v)
{
	return known ? (struct query_value){.type = QUERY_INTEGER, .integer = (int64_t)v}
		     : (struct query_value){.type = QUERY_NULL};
}

static struct query_value text(const char *s)
{
	return (struct query_value){.type = QUERY_TEXT, .text = s, .text_len = strlen(s)};
}

static bool put_point(struct answer *a, const struct query_sink *sink, wall_ms t, const struct query_point *p)
{
	char shown[SHOWN_BYTES];
	const uint64_t *n = p->by_status;
	bool known = p->watch == QUERY_WATCH_OK || p->watch == QUERY_WATCH_ALONE;
	bool changes = known && p->changes_known;
	time_text(t, a->now, !output_for_people(&a->output), shown);
	a->partial = a->partial || p->watch != QUERY_WATCH_OK;
	const struct query_value values[COLUMNS] = {
	    text(shown),
	    number(true, t),
	    number(known, n[HOST_UP]),
	    number(known, n[HOST_DARK]),
	    number(known, n[HOST_SILENT]),
	    number(known, n[HOST_STOPPED]),
	    number(known, n[HOST_ASLEEP]),
	    number(known, n[HOST_UNKNOWN] + p->lost),
	    number(known, n[HOST_LEFT]),
	    number(known, n[HOST_REPLACED]),
	    number(known && p->sites_known, p->sites_silent),
	    number(changes, p->went_dark),
	    number(changes, p->went_silent),
	    number(changes, p->came_up),
	    text(query_watch_name(p->watch)),
	};
	return sink->row(sink->context, values, COLUMNS);
}

static enum err put_points(struct answer *a, const wall_ms *times, const struct query_point *points,
			   size_t count)
{
	const char *names[COLUMNS];
	struct query_sink sink = output_sink(&a->output);
	for (size_t i = 0; i < COLUMNS; i++)
		names[i] = columns[i].name;
	bool more = sink.columns(sink.context, names, COLUMNS);
	/* What changed up to a row is counted from the one before: the first has none. */
	for (size_t i = 1; more && i < count; i++)
		more = put_point(a, &sink, times[i], &points[i]);
	return output_finish_rows(&a->output);
}

/* Where the log does not reach back to what was asked for. */
static void remark(struct answer *a, const struct query_log *log, wall_ms from, char *ret, size_t cap)
{
	char begins[SHOWN_BYTES];
	if (log->begins != 0 && log->begins <= from)
		return;
	if (log->begins == 0) {
		snprintf(ret, cap, "The log is empty: meshd writes it while it runs.\n");
	} else {
		time_text(log->begins, a->now, false, begins);
		snprintf(ret, cap, "The log begins %s%s.\n", begins,
			 log->dropped ? "; what was older has been dropped" : "");
	}
	a->remark = ret;
}

static enum err show(struct answer *a, const struct asked *asked, char *ret_remark, size_t cap,
		     struct err_info *info)
{
	struct query_log log;
	wall_ms *times = calloc(STEPS_MAX + 1, sizeof(*times));
	struct query_point *points = calloc(STEPS_MAX + 1, sizeof(*points));
	enum err err = times != NULL && points != NULL ? ERR_OK : err_set(info, ERR_NOMEM, "out of memory");
	size_t count =
	    err == ERR_OK ? steps_times(asked->from, asked->to, asked->step, times, STEPS_MAX + 1) : 0;
	if (err == ERR_OK)
		err = query_history(a->query, asked->site, times, count, points, &log, info);
	if (err == ERR_OK) {
		err = put_points(a, times, points, count);
		if (err != ERR_OK)
			err_set(info, err, "%s", err_text(err));
		remark(a, &log, asked->from, ret_remark, cap);
	}
	free(times);
	free(points);
	return err;
}

int verb_history(struct command *c)
{
	struct answer a;
	struct asked asked = {.from = 0};
	struct query_log log;
	struct err_info info = {0};
	char line[160];
	int code = answer_open(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = query_history(a.query, NULL, NULL, 0, NULL, &log, &info);
	if (err == ERR_OK)
		err = read_options(&a, &log, &asked, &info);
	if (err == ERR_OK)
		err = show(&a, &asked, line, sizeof(line), &info);
	return err == ERR_OK ? answer_close(&a) : answer_fail(&a, &info);
}
