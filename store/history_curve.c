/* The estate as this node saw it at moments gone by: today's counts, and backwards from them what the log
 * says of each change.
 *
 * Rows of the log are in the order of commits, and their times by a clock that may have been set. So they are
 * cut into stretches, each from a start (or pause, or loss) of this node's watch to the next: between two of
 * them nothing is known, and inside one times ascend. What a clock that was set back had said of times ahead
 * of it is not told any more. Inside a stretch a change counts from when the evidence says it happened, but
 * never from before the change of the same host that came before it: so each host is one thing at a time. */
#include <stdlib.h>
#include <string.h>

#include "store/history.h"
#include "store/query_private.h"

/* What is counted: hosts by status, then these. */
enum slot {
	SLOT_LOST = HOST_REPLACED + 1,
	SLOT_SILENT, /* sites */
	SLOT_SITES_LOST,
	SLOT_ALL_UP, /* of the whole estate */
	SLOT_NONE,
	SLOTS
};

/* There may be two million. */
struct event {
	uint64_t subject;
	uint64_t since : 48, what : 4, from : 4, to : 4;
};
#define TIME_MASK ((1ull << 48) - 1)

struct stretch {
	wall_ms begin, end;
	size_t first, last; /* events, `last` behind them */
};

/* Per point: what changed since the one before. */
struct bucket {
	int32_t undo[SLOTS]; /* going back over it */
	uint32_t went_dark, went_silent, came_up;
};

struct curve {
	struct query *q;
	const wall_ms *times;
	size_t count;
	struct query_point *points;
	bool *answered;
	struct bucket *buckets; /* count + 1 */
	bool by_site;
	size_t site;
	struct history_map members, hidden, homes;
	struct event *events;
	size_t event_count, event_cap;
	struct stretch *stretches;
	size_t stretch_count, stretch_cap;
	bool gap; /* rows before the first stretch are lost */
	int64_t now[SLOTS];
	size_t hosts; /* today */
	struct history_map since, lost;
};

const char *query_watch_name(enum query_watch watch)
{
	static const char *const names[] = {
	    [QUERY_WATCH_OK] = "ok",           [QUERY_WATCH_ALONE] = "alone",
	    [QUERY_WATCH_OFF] = "off",         [QUERY_WATCH_BEFORE] = "before",
	    [QUERY_WATCH_DAMAGED] = "damaged", [QUERY_WATCH_AFTER] = "after"};
	return names[watch];
}

/* --- the log --- */

static enum err open_stretch(struct curve *c, wall_ms begin)
{
	if (c->stretch_count == c->stretch_cap) {
		size_t cap = c->stretch_cap == 0 ? 16 : c->stretch_cap * 2;
		struct stretch *more = realloc(c->stretches, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		c->stretches = more;
		c->stretch_cap = cap;
	}
	c->stretches[c->stretch_count++] =
	    (struct stretch){.begin = begin, .first = c->event_count, .last = c->event_count};
	return ERR_OK;
}

static enum err take_event(struct curve *c, const struct history_event *e, wall_ms noted)
{
	switch (e->what) {
	case HISTORY_HOST:
	case HISTORY_SITE:
		if (c->event_count == c->event_cap) {
			size_t cap = c->event_cap == 0 ? 1024 : c->event_cap * 2;
			struct event *more = realloc(c->events, cap * sizeof(*more));
			if (more == NULL)
				return ERR_NOMEM;
			c->events = more;
			c->event_cap = cap;
		}
		c->events[c->event_count++] = (struct event){e->subject, e->since & TIME_MASK, e->what & 15u,
							     e->from & 15u, e->to & 15u};
		c->stretches[c->stretch_count - 1].last = c->event_count;
		return ERR_OK;
	case HISTORY_START:
	case HISTORY_PAUSE:
		c->stretches[c->stretch_count - 1].end = e->since;
		return open_stretch(c, noted);
	case HISTORY_STOP:
		break;
	}
	return ERR_OK;
}

static enum err take_row(struct curve *c, const struct history_row *row)
{
	enum err err = c->stretch_count == 0 ? open_stretch(c, row->noted) : ERR_OK;
	for (size_t i = 0; i < row->count && err == ERR_OK; i++) {
		struct history_event e = history_event_unpack(row->events + i * HISTORY_EVENT_BYTES);
		err = take_event(c, &e, row->noted);
	}
	return err;
}

/* From the last row that cannot matter on: it shows that the node watched then. */
static enum err load_log(struct curve *c)
{
	const struct store_meta *meta = snapshot_meta(c->q->snapshot);
	struct row_value value;
	struct history_row row;
	uint64_t at;
	enum err err = history_find(c->q->snapshot, c->times[0], &at);
	if (err == ERR_OK && at > meta->history.first)
		at--;
	for (; err == ERR_OK && at < meta->history.next; at++) {
		err = history_read(c->q->snapshot, at, &value, &row);
		if (err == ERR_OK) {
			err = take_row(c, &row);
		} else if (err == ERR_NOT_FOUND) {
			/* What was before it cannot be counted back to. */
			c->gap = true;
			c->event_count = c->stretch_count = 0;
			err = ERR_OK;
		}
	}
	if (err == ERR_OK && c->stretch_count > 0)
		c->stretches[c->stretch_count - 1].end = meta->as_of;
	return err;
}

/* --- who counts --- */

static enum err note_host(struct curve *c, struct history_map *map, const struct roster_host *host)
{
	struct column_row row;
	struct id id;
	enum err err = columns_row(&c->q->columns, GROUP_HOST, host->number, &row);
	if (err == ERR_OK && row.block != NULL && column_row_id(row, C_HOST_ID, &id) &&
	    history_map_put(map, id_short(&id)) == NULL)
		err = ERR_NOMEM;
	return err;
}

static enum err count_host(struct curve *c, uint32_t number)
{
	const struct roster_host *host = &c->q->roster.hosts[number];
	if (!host->certified)
		return ERR_OK;
	if (roster_revoked(host))
		return note_host(c, &c->hidden, host);
	bool counts = !c->by_site || host->site == c->site;
	c->now[host->decided && counts ? host->status : SLOT_NONE]++;
	c->now[SLOT_ALL_UP] += host->status == HOST_UP;
	c->hosts++;
	return c->by_site && counts ? note_host(c, &c->members, host) : ERR_OK;
}

static enum err count_today(struct curve *c)
{
	const struct roster *r = &c->q->roster;
	enum err err = roster_load(c->q);
	for (uint32_t n = 0; err == ERR_OK && n < r->end; n++)
		err = count_host(c, n);
	for (size_t i = 0; i < r->site_count && err == ERR_OK; i++) {
		if (c->by_site && i != c->site)
			continue;
		c->now[SLOT_SILENT] += r->sites[i].state.status == SITE_SILENT;
		if (history_map_put(&c->homes, id_short(&r->sites[i].state.site)) == NULL)
			err = ERR_NOMEM;
	}
	return err;
}

enum part { PART_NONE, PART_ESTATE, PART_ALL };

static enum part part_of(const struct curve *c, const struct event *e)
{
	if (e->what == HISTORY_SITE)
		return history_map_get(&c->homes, e->subject) != NULL ? PART_ALL : PART_NONE;
	if (history_map_get(&c->hidden, e->subject) != NULL)
		return PART_NONE;
	return c->by_site && history_map_get(&c->members, e->subject) == NULL ? PART_ESTATE : PART_ALL;
}

/* --- going back --- */

static enum slot slot_of(unsigned what, unsigned status)
{
	if (what == HISTORY_SITE)
		return status == SITE_SILENT    ? SLOT_SILENT
		       : status == HISTORY_LOST ? SLOT_SITES_LOST
						: SLOT_NONE;
	return status <= HOST_REPLACED ? (enum slot)status : status == HISTORY_LOST ? SLOT_LOST : SLOT_NONE;
}

/* `was` in place of what it is after the event. */
static void undo(struct curve *c, struct bucket *b, const struct event *e, enum part part, unsigned is)
{
	const struct {
		unsigned status;
		int change;
	} both[] = {{is, -1}, {e->from, 1}};
	for (size_t i = 0; i < 2; i++) {
		enum slot slot = part == PART_ALL ? slot_of(e->what, both[i].status) : SLOT_NONE;
		bool up = e->what == HISTORY_HOST && both[i].status == HOST_UP;
		c->now[slot] += both[i].change;
		c->now[SLOT_ALL_UP] += up ? both[i].change : 0;
		if (b == NULL)
			continue;
		b->undo[slot] += both[i].change;
		b->undo[SLOT_ALL_UP] += up ? both[i].change : 0;
	}
	if (b == NULL || part != PART_ALL || e->what != HISTORY_HOST || e->from > HOST_REPLACED)
		return;
	b->went_dark += e->to == HOST_DARK;
	b->went_silent += e->to == HOST_SILENT;
	b->came_up += e->to == HOST_UP;
}

/* A host whose state was lost: what it is after an event before that nobody knows. */
static enum err status_after(struct curve *c, const struct event *e, unsigned *ret)
{
	uint64_t *lost = c->lost.count > 0 ? history_map_get(&c->lost, e->subject) : NULL;
	*ret = e->to;
	if (lost != NULL && *lost != 0) {
		*ret = HISTORY_LOST;
		*lost = 0;
	}
	if (e->from != HISTORY_LOST)
		return ERR_OK;
	lost = history_map_put(&c->lost, e->subject);
	if (lost == NULL)
		return ERR_NOMEM;
	*lost = 1;
	return ERR_OK;
}

/* In the order of commits; one host's changes stay in order. */
static enum err settle_times(struct curve *c, const struct stretch *s)
{
	history_map_clear(&c->since);
	for (size_t i = s->first; i < s->last; i++) {
		struct event *e = &c->events[i];
		uint64_t *since = history_map_put(&c->since, e->subject);
		if (since == NULL)
			return ERR_NOMEM;
		if (*since > e->since)
			e->since = *since & TIME_MASK;
		*since = e->since;
	}
	return ERR_OK;
}

/* Index of the first time that is not before `t`, below `high`. */
static size_t time_at(const struct curve *c, wall_ms t, size_t low, size_t high)
{
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (c->times[middle] < t)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void answer(struct curve *c, size_t at, const int64_t *counts, bool changes)
{
	struct query_point *p = &c->points[at];
	const struct bucket *b = &c->buckets[at];
	*p = (struct query_point){.watch = counts[SLOT_ALL_UP] <= 1 && c->hosts > 1 ? QUERY_WATCH_ALONE
										    : QUERY_WATCH_OK,
				  .lost = (uint64_t)counts[SLOT_LOST],
				  .sites_known = counts[SLOT_SITES_LOST] == 0,
				  .sites_silent = (uint64_t)counts[SLOT_SILENT],
				  .changes_known = changes,
				  .went_dark = b->went_dark,
				  .went_silent = b->went_silent,
				  .came_up = b->came_up};
	for (size_t i = 0; i <= HOST_REPLACED; i++)
		p->by_status[i] = (uint64_t)counts[i];
	c->answered[at] = true;
}

/* The points of a stretch, from its end back. */
static enum err go_back(struct curve *c, const struct stretch *s)
{
	size_t low = time_at(c, s->begin, 0, c->count), high = time_at(c, s->end + 1, low, c->count),
	       at = high;
	int64_t counts[SLOTS];
	enum err err = ERR_OK;
	bool wanted = false;
	for (size_t i = low; i < high; i++)
		wanted = wanted || !c->answered[i];
	memcpy(counts, c->now, sizeof(counts));
	if (wanted) {
		memset(&c->buckets[low], 0, (high - low + 1) * sizeof(*c->buckets));
		err = settle_times(c, s);
	}
	for (size_t i = s->last; i-- > s->first && err == ERR_OK;) {
		const struct event *e = &c->events[i];
		enum part part = part_of(c, e);
		unsigned is;
		if (part == PART_NONE)
			continue;
		/* They come nearly in order. */
		while (wanted && at > low && c->times[at - 1] >= e->since)
			at--;
		while (wanted && at < high && c->times[at] < e->since)
			at++;
		err = status_after(c, e, &is);
		if (err == ERR_OK)
			undo(c, wanted ? &c->buckets[at] : NULL, e, part, is);
	}
	for (size_t i = high; wanted && err == ERR_OK && i-- > low;) {
		for (size_t k = 0; k < SLOTS; k++)
			counts[k] += c->buckets[i + 1].undo[k];
		if (!c->answered[i])
			answer(c, i, counts, i > low);
	}
	return err;
}

/* Times of which no stretch speaks. */
static void explain_rest(struct curve *c, wall_ms begins)
{
	wall_ms as_of = snapshot_meta(c->q->snapshot)->as_of;
	wall_ms first = c->stretch_count > 0 ? c->stretches[0].begin : UINT64_MAX;
	for (size_t i = 0; i < c->count; i++) {
		if (c->answered[i])
			continue;
		wall_ms at = c->times[i];
		enum query_watch watch = QUERY_WATCH_OFF;
		if (at > as_of)
			watch = QUERY_WATCH_AFTER;
		else if (begins == 0 || at < begins)
			watch = QUERY_WATCH_BEFORE;
		else if (c->gap && at < first)
			watch = QUERY_WATCH_DAMAGED;
		c->points[i] = (struct query_point){.watch = watch};
	}
}

/* --- the whole --- */

static enum err find_begin(struct query *q, struct query_log *ret)
{
	const struct store_meta *meta = snapshot_meta(q->snapshot);
	struct row_value value;
	struct history_row row;
	enum err err = ERR_NOT_FOUND;
	*ret = (struct query_log){.as_of = meta->as_of, .dropped = meta->history.first > 0};
	for (uint64_t at = meta->history.first; err == ERR_NOT_FOUND && at < meta->history.next; at++)
		err = history_read(q->snapshot, at, &value, &row);
	if (err == ERR_OK)
		ret->begins = row.noted;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err draw(struct curve *c, const struct query_log *log)
{
	enum err err = ERR_OK;
	c->answered = calloc(c->count, sizeof(*c->answered));
	c->buckets = calloc(c->count + 1, sizeof(*c->buckets));
	if (c->answered == NULL || c->buckets == NULL)
		err = ERR_NOMEM;
	if (err == ERR_OK)
		err = load_log(c);
	if (err == ERR_OK)
		err = count_today(c);
	for (size_t i = c->stretch_count; i-- > 0 && err == ERR_OK;)
		err = go_back(c, &c->stretches[i]);
	if (err == ERR_OK)
		explain_rest(c, log->begins);
	return err;
}

enum err query_history(struct query *q, const char *site, const wall_ms *times, size_t count,
		       struct query_point *ret, struct query_log *ret_log, struct err_info *info)
{
	struct curve c = {.q = q, .times = times, .count = count, .points = ret, .by_site = site != NULL};
	enum err err = find_begin(q, ret_log);
	if (err == ERR_OK && count > 0)
		err = roster_sites(q);
	if (err == ERR_OK && site != NULL && count > 0) {
		c.site = roster_site_find(&q->roster, site);
		if (c.site >= q->roster.site_count)
			return err_set(info, ERR_NOT_FOUND, "no host calls that site its home");
	}
	if (err == ERR_OK && count > 0)
		err = draw(&c, ret_log);
	history_map_free(&c.members);
	history_map_free(&c.hidden);
	history_map_free(&c.homes);
	history_map_free(&c.since);
	history_map_free(&c.lost);
	free(c.answered);
	free(c.buckets);
	free(c.events);
	free(c.stretches);
	return snapshot_error(q->snapshot, err, info);
}
