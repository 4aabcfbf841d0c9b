/* The question behind `mesh impact`: who had it, what was heard of them, and so what became of them.
 *
 * As of a time gone by states are taken from the log of transitions, components from the last changes that
 * each host told of, turned back; what neither reaches is told apart from what was so. */
#include <inttypes.h>
#include <stdio.h>

#include "cli/impact.h"
#include "record/body.h"

/* A crash may follow an hour after what caused it arrived; until a host is called dark takes minutes. */
#define LATER_MS   (2 * 3600 * CLOCK_SECOND_MS)
#define LOOP_MS    "86400000" /* between the crash it told of and the one that it is down by */
#define LOOP_BOOTS "3"        /* of one that is up, unclean, since the window began */
#define SAME_MS    "60000"    /* it is the crash that the host is down by, not one before */

static void add_number(struct question *q, const char *before, uint64_t number, const char *after)
{
	char digits[24];
	snprintf(digits, sizeof(digits), "%" PRIu64, number);
	question_add(q, before);
	question_add(q, digits);
	question_add(q, after);
}

/* As hosts are today. */
static void add_where(const struct command *c, struct question *q)
{
	if (!options_has(&c->options, "where"))
		return;
	question_add(q, " WHERE h.host IN (SELECT host FROM hosts WHERE 1");
	question_where(q, c);
	question_add(q, ")");
}

/* --- who had it --- */

static void add_having(const struct impact *i, struct question *q, const char *from)
{
	question_add(q, "SELECT host, entry, ");
	impact_target_version(&i->target, q);
	question_add(q, " AS meant FROM ");
	question_add(q, from);
	question_add(q, " WHERE ");
	impact_target_name(&i->target, q);
}

static void add_has(const struct impact *i, struct question *q)
{
	question_add(q, "WITH has AS MATERIALIZED (SELECT host, max(");
	impact_target_version(&i->target, q);
	question_add(q, ") AS meant FROM host_components WHERE ");
	impact_target_name(&i->target, q);
	question_add(q, " GROUP BY host)");
}

/* Of each entry the oldest change after that time tells whether it was there. What was removed, and nobody
 * can name any more, may be the version before of what was added with it. */
static void add_has_then(const struct impact *i, struct question *q)
{
	add_number(q,
		   "WITH later AS MATERIALIZED (SELECT host, entry, min(time_ms) AS time_ms, op FROM changes "
		   "WHERE time_ms > ",
		   i->at, " AND op IN ('added', 'removed') GROUP BY host, entry)");
	add_number(q,
		   ", unnamed AS MATERIALIZED (SELECT DISTINCT host, time_ms FROM changes WHERE time_ms > ",
		   i->at, " AND op = 'removed' AND component IS NULL)");
	question_add(q, ", today AS MATERIALIZED (");
	add_having(i, q, "host_components");
	question_add(q, "), had AS (SELECT today.host, today.meant FROM today LEFT JOIN later ON "
			"later.host = today.host AND later.entry = today.entry "
			"WHERE later.op IS NOT 'added' UNION ALL SELECT host, meant FROM (");
	add_having(i, q,
		   "(SELECT later.host, h.name AS host_name, h.site, h.status, c.kind, c.name AS component, "
		   "c.version, c.version_status, c.source, c.source_status, c.vendor, c.vendor_status, "
		   "c.size_bytes, c.boot_start, c.out_of_tree, c.unsigned, c.proprietary, c.third_party, "
		   "c.entry, NULL AS loaded, NULL AS pending FROM later JOIN components c ON "
		   "c.entry = later.entry JOIN hosts h ON h.host = later.host WHERE later.op = 'removed')");
	question_add(q, ") UNION ALL SELECT today.host, ");
	question_add(q, impact_target_any_version(&i->target) ? "today.meant" : "NULL");
	question_add(q, " FROM today JOIN later ON later.host = today.host AND later.entry = today.entry "
			"JOIN unnamed ON unnamed.host = later.host AND unnamed.time_ms = later.time_ms "
			"WHERE later.op = 'added'), "
			"has AS MATERIALIZED (SELECT host, max(meant) AS meant FROM had GROUP BY host)");
}

/* --- what they were --- */

/* The first change after it tells what a host was; since when, the last one up to it. A state that lasts
 * since before is known without the log. */
static void add_states_then(const struct impact *i, const struct command *c, struct question *q)
{
	bool watched = i->watch == QUERY_WATCH_OK || i->watch == QUERY_WATCH_ALONE;
	add_number(q,
		   ", moved AS MATERIALIZED (SELECT host, min(seq), from_status FROM transitions WHERE "
		   "kind = 'host' AND since_ms > ",
		   i->at, " GROUP BY host)");
	add_number(q,
		   ", settled AS MATERIALIZED (SELECT host, max(seq), to_status, since_ms FROM transitions "
		   "WHERE kind = 'host' AND since_ms <= ",
		   i->at, " GROUP BY host)");
	/* All that it told of is later: there may have been more. */
	add_number(q, ", short AS MATERIALIZED (SELECT host FROM changes WHERE time_ms > ", i->at, "");
	add_number(q, " GROUP BY host HAVING count(*) >= ", LIMIT_CHANGES, ")");
	add_number(q, ", crashed_short AS MATERIALIZED (SELECT host FROM crashes WHERE time_ms > ", i->at,
		   "");
	add_number(q, " GROUP BY host HAVING count(*) >= ", LIMIT_CRASH_EVENTS, ")");
	question_add(q, ", once AS MATERIALIZED (SELECT h.host, h.site, h.components, h.module_support, "
			"h.status AS today, h.");
	question_add(q, i->by != NULL ? i->by : "role");
	/* One that is new to this node need not be new: it tells only where it watched on the day of
	 * enrolment. */
	add_number(q, " AS value, CASE WHEN h.enrolled_day > ", i->at / CLOCK_DAY_MS, " THEN 'later' ");
	add_number(q, "WHEN coalesce(h.status_since_ms, 0) <= ", i->at, " THEN h.status ");
	if (watched)
		add_number(
		    q,
		    "WHEN moved.from_status IS NULL AND settled.host IS NULL AND moved.host IS NOT NULL "
		    "AND h.enrolled_day = ",
		    i->at / CLOCK_DAY_MS, " THEN 'later' ELSE moved.from_status");
	add_number(q, " END AS status, CASE WHEN h.status_since_ms <= ", i->at,
		   " THEN h.status_since_ms WHEN settled.to_status = moved.from_status THEN settled.since_ms "
		   "END AS status_since_ms, short.host IS NOT NULL AS short, "
		   "crashed_short.host IS NOT NULL AS crashed_short FROM hosts h "
		   "LEFT JOIN moved ON moved.host = h.host LEFT JOIN settled ON settled.host = h.host "
		   "LEFT JOIN short ON short.host = h.host "
		   "LEFT JOIN crashed_short ON crashed_short.host = h.host");
	add_where(c, q);
	question_add(q, ")");
}

/* --- who crashed --- */

/* By the log, who vanished up to LATER_MS behind the window; and just before it, to date those that may have
 * crashed in it or before. */
static void add_fell(const struct impact *i, struct question *q)
{
	wall_ms last = i->to + LATER_MS, first = i->from > CRASH_NOTED_MS ? i->from - CRASH_NOTED_MS : 0;
	if (i->at != 0 && i->at < last)
		last = i->at;
	add_number(q,
		   ", fell AS MATERIALIZED (SELECT host, since_ms FROM transitions WHERE kind = 'host' AND "
		   "to_status = 'dark' AND since_ms >= ",
		   first, "");
	add_number(q, " AND since_ms <= ", last, ")");
	add_number(
	    q,
	    ", fell_before AS MATERIALIZED (SELECT host, max(since_ms) AS last FROM fell WHERE since_ms < ",
	    i->from, " GROUP BY host)");
}

/* A crash counts that may have been in the window, unless witnesses missed the host before it. As of then,
 * one that it was up after: of the others nobody knew. */
static void add_told(const struct impact *i, struct question *q)
{
	question_add(q, "SELECT c.host AS host, c.kind = 'unclean-boot' AS boot, c.time_ms AS earliest, "
			"c.latest_ms AS latest, NULL AS missed FROM crashes c");
	if (i->at != 0)
		question_add(q, " JOIN once ON once.host = c.host");
	if (i->windowed)
		question_add(q, " LEFT JOIN fell_before ON fell_before.host = c.host");
	/* How late it can have been is worked out for few. */
	add_number(q, " WHERE c.time_ms >= ",
		   i->crashed_from > CRASH_NOTED_MS ? i->crashed_from - CRASH_NOTED_MS : 0, "");
	add_number(q, " AND c.kind IN ('unclean-boot', 'panic', 'blue-screen') AND c.latest_ms >= ",
		   i->crashed_from, "");
	if (i->windowed)
		add_number(q, " AND (c.time_ms >= ", i->from,
			   " OR fell_before.last IS NULL OR fell_before.last < c.time_ms)");
	if (i->at != 0)
		add_number(q, " AND c.latest_ms <= ", i->at,
			   " AND (once.status IS NOT 'dark' OR c.latest_ms + " SAME_MS
			   " < once.status_since_ms)");
}

static void add_crashed(const struct impact *i, struct question *q)
{
	question_add(q, ", crashed AS MATERIALIZED (SELECT host, sum(boot) AS boots, max(earliest) AS last, "
			"min(earliest) AS first, min(latest) AS first_latest, min(missed) AS missed FROM (");
	add_told(i, q);
	if (i->windowed)
		add_number(q,
			   " UNION ALL SELECT host, NULL, NULL, NULL, since_ms FROM fell WHERE since_ms >= ",
			   i->from, "");
	question_add(q, ") GROUP BY host)");
}

/* --- so what became of them --- */

/* Of its state, of what it had or of its crashes. */
static const char no_history[] =
    "(h.status IS NULL OR h.short OR (has.host IS NOT NULL AND has.meant IS NULL) OR "
    "(h.crashed_short AND h.status = 'up' AND has.meant AND crashed.first IS NULL))";

/* The one place where it is decided what became of a host. */
static void add_classes(const struct impact *i, struct question *q)
{
	/* Most hosts by far, and what comes below says the same of them. */
	question_add(
	    q, i->at == 0 ? "CASE WHEN h.status = 'up' AND has.meant AND crashed.host IS NULL THEN 'not_hit' "
			  : "CASE ");
	question_add(q, "WHEN h.status IN ('left', 'replaced') THEN 'gone' ");
	if (i->at != 0) {
		question_add(q, "WHEN h.status = 'later' THEN 'later' WHEN ");
		question_add(q, no_history);
		question_add(q, " THEN 'cannot_tell' ");
	}
	question_add(q, "WHEN has.host IS NULL AND (h.components IS NULL OR "
			"h.module_support IN ('denied', 'failed', 'unknown')) THEN 'cannot_tell' "
			"WHEN has.host IS NULL THEN 'without' "
			/* It was up between two crashes, and long enough to say so. */
			"WHEN has.meant AND h.status = 'dark' AND crashed.last + " LOOP_MS
			" > h.status_since_ms THEN 'loop' "
			"WHEN has.meant AND h.status = 'up' AND crashed.boots >= " LOOP_BOOTS " THEN 'loop' "
			"WHEN h.status = 'dark' AND (coalesce(h.status_since_ms, 0) < ");
	add_number(q, "", i->from, "");
	add_number(q, " OR h.status_since_ms > ", i->windowed ? i->to + LATER_MS : INT64_MAX, "");
	question_add(q, ") THEN iif(has.meant, 'down_otherwise', 'without') "
			"WHEN h.status = 'dark' THEN iif(has.meant, 'down', 'down_unreported') "
			"WHEN NOT has.meant THEN 'without' "
			"WHEN h.status = 'silent' THEN 'silent_site' "
			"WHEN h.status IN ('stopped', 'asleep') THEN 'at_risk' "
			"WHEN h.status = 'up' AND crashed.host IS NOT NULL THEN 'recovered' "
			"WHEN h.status = 'up' THEN 'not_hit' ELSE 'cannot_tell' END");
}

/* Between which times it crashed: witnesses say when within the range that it told of, if they saw it. */
static void add_crash_times(struct question *q)
{
	static const char *const names[] = {"first", "first_latest"}, *const as[] = {"earliest", "latest"};
	for (size_t k = 0; k < 2; k++) {
		question_add(q, ", CASE WHEN crashed.missed IS NULL THEN crashed.");
		question_add(q, names[k]);
		question_add(q, " WHEN crashed.first IS NULL OR crashed.missed BETWEEN crashed.first AND "
				"crashed.first_latest THEN crashed.missed ELSE crashed.");
		question_add(q, names[k]);
		question_add(q, " END AS crash_");
		question_add(q, as[k]);
	}
}

static void add_judged(const struct impact *i, const struct command *c, struct question *q)
{
	question_add(q, ", judged AS (SELECT h.host, h.site, ");
	question_add(q, i->at != 0 ? "h.value" : i->by != NULL ? "h." : "h.role");
	question_add(q, i->at == 0 && i->by != NULL ? i->by : "");
	question_add(q, " AS value, h.status, h.status_since_ms AS since_ms, ");
	question_add(q, i->at != 0 ? "h.today AS today, nullif(" : "h.status AS today, NULL AS no_history");
	if (i->at != 0) {
		question_add(q, no_history);
		question_add(q, ", 0) AS no_history");
	}
	question_add(q, ", CASE WHEN crashed.host IS NOT NULL THEN nullif(has.meant, 0) END AS fell, ");
	add_classes(i, q);
	question_add(q, " AS class");
	add_crash_times(q);
	question_add(q, i->at != 0 ? " FROM once h" : " FROM hosts h");
	question_add(q, " LEFT JOIN has ON has.host = h.host LEFT JOIN crashed ON crashed.host = h.host");
	if (i->at == 0)
		add_where(c, q);
	question_add(q, ") ");
}

void impact_judge(const struct impact *i, const struct command *c, struct question *q)
{
	if (i->at != 0) {
		add_has_then(i, q);
		add_states_then(i, c, q);
	} else {
		add_has(i, q);
	}
	if (i->windowed)
		add_fell(i, q);
	add_crashed(i, q);
	add_judged(i, c, q);
}
