/* The log of transitions, in the order of commits. Times are pushed down to its rows, whose latest time so
 * far only grows; a host to the first half of its id, which is all that the log has of it. */
#include <stdlib.h>

#include "store/history.h"
#include "store/table.h"

#define COLUMNS(X)                                                                                           \
	X(SEQ, "seq", "INTEGER", "",                                                                         \
	  "order of events, ascending; a clock that was set makes times go back, never this")                \
	X(NOTED, "noted_ms", "INTEGER", "ms since 1970", "when this node put it down, by its clock then")    \
	X(SINCE, "since_ms", "INTEGER", "ms since 1970",                                                     \
	  "since when it is so, by the evidence; of a start or pause: since when this node had not "         \
	  "watched; "                                                                                        \
	  "NULL: not known")                                                                                 \
	X(KIND, "kind", "TEXT", "",                                                                          \
	  "host or site; or of this node itself: start, pause (it was suspended or cut off, or its clock "   \
	  "was set), "                                                                                       \
	  "stop")                                                                                            \
	X(SUBJECT, "subject", "TEXT", "",                                                                    \
	  "first 16 hexadecimal digits of the id of the host or site; NULL: of this node itself")            \
	X(HOST, "host", "TEXT", "", "host id; NULL: no host, or one that is not known any more")             \
	X(HOST_NAME, "host_name", "TEXT", "", "today's; NULL: likewise, or unknown")                         \
	X(SITE, "site", "TEXT", "", "the host's home today, or the site; NULL: none that a host calls home") \
	X(FROM, "from_status", "TEXT", "",                                                                   \
	  "what it was: a status of hosts or sites; NULL: it was not known, or its state was lost")          \
	X(TO, "to_status", "TEXT", "", "what it became; NULL: its state was lost")                           \
	X(VOTES, "votes", "INTEGER", "witnesses", "that said so; NULL: it did not become dark")              \
	X(SIGNERS, "signers", "INTEGER", "witnesses", "of so many; NULL: likewise")

enum { COLUMNS(TABLE_SYMBOL) };
static const struct query_column columns[] = {COLUMNS(TABLE_COLUMN)};

/* Constraints that are pushed down; their values come in this order. */
enum {
	PLAN_NOTED_FROM = 1,
	PLAN_SINCE_FROM = 2, /* nothing is noted before it is so */
	PLAN_NOTED_UP_TO = 4,
	PLAN_NOTED_IS = 8,
	PLAN_HOST = 16,
	PLANS = 5
};

struct transition_scan {
	struct history_map hosts; /* short id: number + 1, or 0: a hidden one */
	struct history_map sites; /* index */
	bool mapped;
	uint64_t row, end; /* next row, and behind the last */
	wall_ms from, up_to;
	bool one, nothing;
	uint64_t subject; /* one: of the host */
	struct row_value value;
	struct history_row at;
	size_t place;
	struct history_event event;
};

void table_transitions_free(struct transition_scan *scan)
{
	if (scan == NULL)
		return;
	history_map_free(&scan->hosts);
	history_map_free(&scan->sites);
	free(scan);
}

/* --- what is asked for --- */

static int plan_of(const struct sqlite3_index_constraint *c)
{
	bool from = c->op == SQLITE_INDEX_CONSTRAINT_GE || c->op == SQLITE_INDEX_CONSTRAINT_GT;
	bool up_to = c->op == SQLITE_INDEX_CONSTRAINT_LE || c->op == SQLITE_INDEX_CONSTRAINT_LT;
	bool is = c->op == SQLITE_INDEX_CONSTRAINT_EQ;
	if (!c->usable)
		return 0;
	if (c->iColumn == NOTED)
		return from ? PLAN_NOTED_FROM : up_to ? PLAN_NOTED_UP_TO : is ? PLAN_NOTED_IS : 0;
	if (c->iColumn == SINCE)
		return from || is ? PLAN_SINCE_FROM : 0;
	return c->iColumn == HOST && is ? PLAN_HOST : 0;
}

static void plan(const struct query *q, sqlite3_index_info *info)
{
	const struct store_history *h = &snapshot_meta(q->snapshot)->history;
	double events = (double)h->bytes / HISTORY_EVENT_BYTES + 1, found = events;
	int chosen[PLANS] = {0}, arguments = 0;
	for (int i = 0; i < info->nConstraint; i++) {
		int one = plan_of(&info->aConstraint[i]);
		bool binary = sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") == 0;
		if (one == 0 || (info->idxNum & one) != 0 || (one == PLAN_HOST && !binary))
			continue;
		info->idxNum |= one;
		for (int k = 0; k < PLANS; k++)
			chosen[k] = one == 1 << k ? i : chosen[k];
	}
	for (int k = 0; k < PLANS; k++) {
		if ((info->idxNum & 1 << k) == 0)
			continue;
		info->aConstraintUsage[chosen[k]].argvIndex = ++arguments;
		found *= 1 << k == PLAN_HOST ? 1e-3 : 0.2;
	}
	info->estimatedCost =
	    (info->idxNum & ~(PLAN_HOST | PLAN_NOTED_UP_TO)) != 0 ? events * 0.2 + 10 : events + 10;
	info->estimatedRows = (sqlite3_int64)found + 1;
	info->orderByConsumed =
	    info->nOrderBy == 1 && info->aOrderBy[0].iColumn == SEQ && !info->aOrderBy[0].desc;
}

/* False: the value bounds nothing. */
static bool time_value(sqlite3_value *value, wall_ms *ret)
{
	int type = sqlite3_value_type(value);
	if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
		return false;
	double v = sqlite3_value_double(value);
	*ret = v < 0 ? 0 : v > (double)INT64_MAX / 2 ? INT64_MAX : (wall_ms)sqlite3_value_int64(value);
	return true;
}

static void take_value(struct transition_scan *s, int one, sqlite3_value *value)
{
	wall_ms t;
	struct id id;
	if (one == PLAN_HOST) {
		const char *text = (const char *)sqlite3_value_text(value);
		s->one = text != NULL && id_unhex(&id, text);
		s->nothing |= !s->one;
		s->subject = s->one ? id_short(&id) : 0;
		return;
	}
	if (!time_value(value, &t))
		return;
	if (one != PLAN_NOTED_UP_TO && t > s->from)
		s->from = t;
	/* A fraction of a millisecond was cut off. */
	if ((one & (PLAN_NOTED_UP_TO | PLAN_NOTED_IS)) != 0 && t < s->up_to)
		s->up_to = t;
}

/* --- whose they are --- */

static enum err map_host(struct table_cursor *c, const struct roster_host *host)
{
	struct column_row row;
	struct id id;
	enum err err = columns_row(&c->q->columns, GROUP_HOST, host->number, &row);
	if (err != ERR_OK || row.block == NULL || !column_row_id(row, C_HOST_ID, &id))
		return err;
	uint64_t *place = history_map_put(&c->transitions->hosts, id_short(&id));
	if (place == NULL)
		return ERR_NOMEM;
	*place = roster_at(&c->q->roster, host->number) != NULL ? host->number + 1 : 0;
	return ERR_OK;
}

/* All hosts where their names are asked for, else those that are hidden. */
static enum err map_subjects(struct table_cursor *c)
{
	const struct roster *r = &c->q->roster;
	struct transition_scan *s = c->transitions;
	bool named = (c->used & (1u << HOST | 1u << HOST_NAME | 1u << SITE)) != 0;
	enum err err = roster_load(c->q);
	if (err == ERR_OK)
		err = roster_sites(c->q);
	for (uint32_t n = 0; err == ERR_OK && n < r->end; n++) {
		if (r->hosts[n].certified && (named || roster_at(r, n) == NULL))
			err = map_host(c, &r->hosts[n]);
	}
	for (size_t i = 0; err == ERR_OK && i < r->site_count; i++) {
		uint64_t *place = history_map_put(&s->sites, id_short(&r->sites[i].state.site));
		if (place == NULL)
			return ERR_NOMEM;
		*place = i;
	}
	s->mapped = err == ERR_OK;
	return err;
}

static enum err start(struct table_cursor *c, int chosen, int argc, sqlite3_value **argv)
{
	if (c->transitions == NULL)
		c->transitions = calloc(1, sizeof(*c->transitions));
	struct transition_scan *s = c->transitions;
	if (s == NULL)
		return ERR_NOMEM;
	enum err err = s->mapped ? ERR_OK : map_subjects(c);
	s->from = 0;
	s->up_to = UINT64_MAX;
	s->one = s->nothing = false;
	s->at.count = s->place = 0;
	for (int k = 0, at = 0; k < PLANS && at < argc; k++) {
		if ((chosen & 1 << k) != 0)
			take_value(s, 1 << k, argv[at++]);
	}
	s->end = snapshot_meta(c->q->snapshot)->history.next;
	s->row = snapshot_meta(c->q->snapshot)->history.first;
	if (err == ERR_OK && s->from > 0)
		err = history_find(c->q->snapshot, s->from - 1, &s->row);
	return err;
}

/* --- rows --- */

static bool is_wanted(const struct transition_scan *s, const struct history_event *e)
{
	if (s->one && (e->what != HISTORY_HOST || e->subject != s->subject))
		return false;
	const uint64_t *place = e->what == HISTORY_HOST ? history_map_get(&s->hosts, e->subject) : NULL;
	return place == NULL || *place != 0;
}

/* The next event that is wanted, from s->place on. */
static enum err seek(struct table_cursor *c, bool *ret_found)
{
	struct transition_scan *s = c->transitions;
	for (;;) {
		for (; s->place < s->at.count; s->place++) {
			s->event = history_event_unpack(s->at.events + s->place * HISTORY_EVENT_BYTES);
			if (is_wanted(s, &s->event)) {
				*ret_found = true;
				return ERR_OK;
			}
		}
		s->at.count = s->place = 0;
		if (s->row >= s->end || s->nothing)
			return ERR_OK;
		if (s->row % 64 == 0 && query_too_late(c->q))
			return ERR_TIMEOUT;
		enum err err = history_read(c->q->snapshot, s->row++, &s->value, &s->at);
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
		if (err == ERR_NOT_FOUND || s->at.noted < s->from || s->at.noted > s->up_to)
			s->at.count = 0;
	}
}

static enum err count(struct table_cursor *c, size_t *ret_rows)
{
	bool found = false;
	enum err err = seek(c, &found);
	*ret_rows = found ? SIZE_MAX : 0;
	return err;
}

static void next(struct table_cursor *c)
{
	bool found = false;
	c->transitions->place++;
	enum err err = seek(c, &found);
	if (err != ERR_OK)
		(void)query_fail(c->q, err);
	if (!found)
		c->rows = c->row;
}

/* --- cells --- */

static const char *kind_name(enum history_what what)
{
	static const char *const names[] = {[HISTORY_HOST] = "host",
					    [HISTORY_SITE] = "site",
					    [HISTORY_START] = "start",
					    [HISTORY_PAUSE] = "pause",
					    [HISTORY_STOP] = "stop"};
	return (size_t)what < sizeof(names) / sizeof(names[0]) ? names[what] : "unknown";
}

static void status_cell(const struct history_event *e, unsigned status, sqlite3_context *context)
{
	if (e->what == HISTORY_HOST && status <= HOST_REPLACED)
		cell_static(context, host_status_name((enum host_status)status));
	else if (e->what == HISTORY_SITE && status <= SITE_SILENT)
		cell_static(context, site_status_name((enum site_status)status));
}

static void host_cell(struct table_cursor *c, int number, sqlite3_context *context)
{
	static const struct cell_source id = {CELL_ID, GROUP_HOST, C_HOST_ID},
					name = {CELL_TEXT, GROUP_PROFILE, C_PROFILE_NAME};
	const struct transition_scan *s = c->transitions;
	const struct roster *r = &c->q->roster;
	if (s->event.what == HISTORY_SITE) {
		const uint64_t *site = history_map_get(&s->sites, s->event.subject);
		if (number == SITE && site != NULL)
			cell_static(context, r->sites[*site].state.name);
		return;
	}
	const uint64_t *place =
	    s->event.what == HISTORY_HOST ? history_map_get(&s->hosts, s->event.subject) : NULL;
	if (place == NULL)
		return;
	host_view_start(&c->view, c->q, roster_at(r, (uint32_t)*place - 1));
	if (number == SITE)
		cell_static(context, c->view.site->state.name);
	else
		(void)cell_from(&c->view, number == HOST ? &id : &name, context);
}

static void column(struct table_cursor *c, int number, sqlite3_context *context)
{
	const struct transition_scan *s = c->transitions;
	const struct history_event *e = &s->event;
	bool of_node = e->what != HISTORY_HOST && e->what != HISTORY_SITE;
	bool dark = e->what == HISTORY_HOST && e->to == HOST_DARK;
	switch (number) {
	case SEQ:
		cell_u64(context, (s->row - 1) * HISTORY_SEQ_STEP + s->place);
		break;
	case NOTED:
		cell_time(context, s->at.noted);
		break;
	case SINCE:
		cell_time(context, e->since);
		break;
	case KIND:
		cell_static(context, kind_name(e->what));
		break;
	case SUBJECT:
		if (!of_node)
			cell_hex64(context, e->subject);
		break;
	case FROM:
		status_cell(e, e->from, context);
		break;
	case TO:
		status_cell(e, e->to, context);
		break;
	case VOTES:
		if (dark)
			cell_u64(context, e->votes);
		break;
	case SIGNERS:
		if (dark)
			cell_u64(context, e->signers);
		break;
	default:
		host_cell(c, number, context);
	}
}

const struct table table_transitions = {
    .info =
	TABLE_INFO("transitions",
		   "How hosts and sites changed, as this node saw it, one row a change; bounded, the "
		   "oldest ones are dropped. Between a stop, start or pause and the row before it nothing "
		   "is known.",
		   columns),
    .plan = plan,
    .start = start,
    .count = count,
    .next = next,
    .column = column,
};
