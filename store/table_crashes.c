#include "store/crash_time.h"
#include "store/table_host.h"

#define CRASH_COLUMNS(X)                                                                                     \
	HOST_COLUMNS(X)                                                                                      \
	X(KIND, "kind", "TEXT", "", "unclean-boot, oops, warning, panic, oom-kill, core-dump or blue-screen")

#define EVENT_COLUMNS(X)                                                                                     \
	CRASH_COLUMNS(X)                                                                                     \
	X(TIME, "time_ms", "INTEGER", "ms since 1970",                                                       \
	  "by the host's clock; of an unclean boot when the host last noted that it ran: it crashed after "  \
	  "that")                                                                                            \
	X(LATEST, "latest_ms", "INTEGER", "ms since 1970",                                                   \
	  "at the latest; of an unclean boot up to ten minutes later, when it had booted or told of "        \
	  "something else; of the other kinds the same")                                                     \
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

static const uint8_t *event_of(const struct table_cursor *c)
{
	size_t left = c->event_bytes - c->event_at;
	const uint8_t *event = c->events + c->event_at;
	return left >= CRASH_EVENT_HEAD && left - CRASH_EVENT_HEAD >= event[9] ? event : NULL;
}

static void next_event(struct table_cursor *c)
{
	const uint8_t *event = event_of(c);
	if (event != NULL)
		c->event_at += CRASH_EVENT_HEAD + event[9];
	if (event_of(c) == NULL)
		c->row = c->rows;
}

static enum err count_events(struct table_cursor *c, size_t *ret_rows)
{
	struct column_row row = host_row(&c->view, GROUP_CRASHES);
	c->event_at = 0;
	c->events = row.block != NULL ? column_row_bytes(row, C_CRASHES_EVENTS, &c->event_bytes) : NULL;
	*ret_rows =
	    c->events != NULL && event_of(c) != NULL ? (size_t)column_row_u64(row, C_CRASHES_EVENT_COUNT) : 0;
	return ERR_OK;
}

static void latest_cell(struct table_cursor *c, sqlite3_context *context)
{
	wall_ms booted;
	c->view.err = crash_booted(c->q, c->view.host->number, &booted);
	if (c->view.err == ERR_OK)
		cell_time(context, crash_time_at(c->events, c->event_bytes, c->event_at, booted).latest);
}

static void event_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const uint8_t *event = event_of(c);
	if (table_host_column(c, number, context) || event == NULL)
		return;
	if (number == KIND)
		cell_static(context, crash_kind_name((enum crash_kind)event[8]));
	else if (number == TIME)
		cell_time(context, column_le(event, 8) * 1000);
	else if (number == LATEST)
		latest_cell(c, context);
	else if (event[9] > 0)
		sqlite3_result_text(context, (const char *)event + CRASH_EVENT_HEAD, event[9], SQLITE_STATIC);
}

static enum err count_kinds(struct table_cursor *c, size_t *ret_rows)
{
	*ret_rows = host_row(&c->view, GROUP_CRASHES).block != NULL ? CRASH_KINDS - 1 : 0;
	return ERR_OK;
}

static void count_column(struct table_cursor *c, int number, sqlite3_context *context)
{
	/* Source and total of each kind, in the order of enum crash_kind. */
	struct cell_source source = {CELL_STATUS, GROUP_CRASHES, (uint8_t)(C_CRASHES_SOURCE_1 + 2 * c->row)};
	if (table_host_column(c, number, context))
		return;
	if (number == COUNT_KIND) {
		cell_static(context, crash_kind_name((enum crash_kind)(c->row + 1)));
		return;
	}
	if (number == COUNT_TOTAL)
		source = (struct cell_source){CELL_READING, GROUP_CRASHES, (uint8_t)(source.column + 1)};
	(void)cell_from(&c->view, &source, context);
}

const struct table table_crashes = {
    .info = TABLE_INFO("crashes", "The last crash events, at most 16 a host.", event_columns),
    .by_host = true,
    .filters = {[FILTER_HOST] = HOST + 1, [FILTER_NAME] = HOST_NAME + 1, [FILTER_SITE] = SITE + 1},
    .count = count_events,
    .next = next_event,
    .column = event_column,
};

const struct table table_crash_counts = {
    .info = TABLE_INFO("crash_counts", "Crashes by kind, counted by each host since it was enrolled.",
		       count_columns),
    .by_host = true,
    .filters =
	{[FILTER_HOST] = COUNT_HOST + 1, [FILTER_NAME] = COUNT_HOST_NAME + 1, [FILTER_SITE] = COUNT_SITE + 1},
    .count = count_kinds,
    .column = count_column,
};
