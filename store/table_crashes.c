#include "store/table_host.h"

#define CRASH_COLUMNS(X)                                                                                     \
	HOST_COLUMNS(X)                                                                                      \
	X(KIND, "kind", "TEXT", "", "unclean-boot, oops, warning, panic, oom-kill, core-dump or blue-screen")

#define EVENT_COLUMNS(X)                                                                                     \
	CRASH_COLUMNS(X)                                                                                     \
	X(TIME, "time_ms", "INTEGER", "ms since 1970", "by the host's clock")                                \
	X(DETAIL, "detail", "TEXT", "", "component or source; NULL: none named")

#define COUNT_SYMBOL(symbol, name, type, unit, meaning) COUNT_##symbol,
#define COUNT_COLUMNS(X)                                                                                     \
	CRASH_COLUMNS(X)                                                                                     \
	X(TOTAL, "total", "INTEGER", "since enrolment", "NULL: see source_status")                           \
	X(SOURCE, "source_status", "TEXT", "", "whether the source of this kind can be read: ok, or why not")

enum { EVENT_COLUMNS(TABLE_SYMBOL) };
enum { COUNT_COLUMNS(COUNT_SYMBOL) };
static const struct query_column event_columns[] = {EVENT_COLUMNS(TABLE_COLUMN)};
static const struct query_column count_columns[] = {COUNT_COLUMNS(TABLE_COLUMN)};

static enum err count_events(struct table_cursor *c, size_t *ret_rows)
{
	const struct crashes *crashes = host_crashes(c->view);
	*ret_rows = crashes != NULL ? crashes->event_count : 0;
	return ERR_OK;
}

static void event_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct crash_event *event = &c->view->crashes.events[c->row];
	if (table_host_column(c, number, context))
		return;
	if (number == KIND)
		cell_text(context, crash_kind_name(event->kind));
	else if (number == TIME)
		cell_time(context, event->time_s * 1000);
	else
		cell_known_text(context, event->detail);
}

static enum err count_kinds(struct table_cursor *c, size_t *ret_rows)
{
	*ret_rows = host_crashes(c->view) != NULL ? CRASH_KINDS - 1 : 0;
	return ERR_OK;
}

static void count_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	enum crash_kind kind = (enum crash_kind)(c->row + 1);
	const struct crashes *crashes = &c->view->crashes;
	if (table_host_column(c, number, context))
		return;
	if (number == COUNT_KIND)
		cell_text(context, crash_kind_name(kind));
	else if (number == COUNT_SOURCE)
		cell_status(context, crashes->sources[kind]);
	else if (crashes->sources[kind] == READING_OK)
		cell_u64(context, crashes->totals[kind]);
}

const struct table table_crashes = {
    .info = TABLE_INFO("crashes", "The last crash events, at most 16 a host.", event_columns),
    .by_host = true,
    .host_column = HOST,
    .name_column = HOST_NAME,
    .count = count_events,
    .column = event_column,
};

const struct table table_crash_counts = {
    .info = TABLE_INFO("crash_counts", "Crashes by kind, counted by each host since it was enrolled.",
		       count_columns),
    .by_host = true,
    .host_column = COUNT_HOST,
    .name_column = COUNT_HOST_NAME,
    .count = count_kinds,
    .column = count_column,
};
