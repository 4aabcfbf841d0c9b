/* What the replica's node noted as it went: states are committed at the times at which it would have learned
 * of them, so that its log of transitions tells how it came to be as it is.
 *
 * The node was started a day before the outage (or before now). What a host was then, and what it became
 * since, follows from the same truth as its state of today. */
#include <stdlib.h>
#include <string.h>

#include "tests/estate/outage.h"
#include "tests/estate/write.h"

#define BEFORE_MS     CLOCK_DAY_MS
#define RESTART_MS    100000 /* a host that restarts is away for so long */
#define COMMITS_MAX   1500   /* each is synced, so a small estate has fewer: one for four hosts … */
#define COMMITS_MIN   24     /* … but so many, and one every ten seconds at most */
#define COMMIT_MIN_MS 10000
#define ROUNDS_MAX    200 /* of a boot loop: the newest */
#define SILENT_AFTER  3   /* intervals */

struct turn {
	wall_ms noted, since;
	uint32_t number; /* of the host or site */
	uint8_t status;
	bool site, last; /* last: what it is today */
};

struct turns {
	struct estate *e;
	struct turn *turns;
	size_t count, cap;
	enum err err;
};

wall_ms history_begin(const struct estate *e)
{
	return e->epoch - BEFORE_MS;
}

static void add(struct turns *t, struct turn turn)
{
	if (turn.noted > t->e->o->now)
		turn.noted = t->e->o->now;
	if (t->count == t->cap && t->err == ERR_OK) {
		size_t cap = t->cap == 0 ? 1024 : t->cap * 2;
		struct turn *more = realloc(t->turns, cap * sizeof(*more));
		if (more == NULL) {
			t->err = ERR_NOMEM;
			return;
		}
		t->turns = more;
		t->cap = cap;
	}
	if (t->err == ERR_OK)
		t->turns[t->count++] = turn;
}

static void add_host(struct turns *t, const struct host *h, wall_ms since, wall_ms after,
		     enum host_status status)
{
	add(t, (struct turn){.noted = since + after,
			     .since = since,
			     .number = (uint32_t)h->number,
			     .status = (uint8_t)status});
}

/* A host that vanished, if anybody of its site was left to say so and to be heard; until it was back. */
static void vanish(struct turns *t, const struct host *h, wall_ms died, wall_ms back)
{
	size_t live[LIMIT_WITNESSES];
	const struct site *s = &t->e->sites[h->site];
	wall_ms noticed = died + WITNESS_DETECT_MS;
	if (died < history_begin(t->e) || noticed >= back || (s->cut != 0 && noticed > s->cut) ||
	    witness_live(t->e, s, noticed, live) == 0)
		return;
	add_host(t, h, died + 2000, WITNESS_DETECT_MS - 2000, HOST_DARK);
}

static void come_back(struct turns *t, const struct host *h, wall_ms back)
{
	const struct site *s = &t->e->sites[h->site];
	if (back > history_begin(t->e) && (s->cut == 0 || back < s->cut))
		add_host(t, h, back + 2000, 500, HOST_UP);
}

/* Up for some seconds, round after round; the last round is the host's own. */
static void rounds(struct turns *t, const struct host *h)
{
	wall_ms first = h->died + OUTAGE_BOOT_MS, at = first, died = h->died;
	uint64_t count = h->back > first ? (h->back - first) / OUTAGE_LOOP_MS : 0;
	if (count > ROUNDS_MAX)
		at = h->back - ROUNDS_MAX * OUTAGE_LOOP_MS;
	for (; at < h->back; at += OUTAGE_LOOP_MS) {
		vanish(t, h, died, at);
		come_back(t, h, at);
		died = at + OUTAGE_LOOP_UP_MS;
	}
	vanish(t, h, died, h->back);
}

/* Everything before the state of today. */
static void before_today(struct turns *t, const struct host *h)
{
	wall_ms begin = history_begin(t->e);
	bool said = h->fate == FATE_ASLEEP || h->fate == FATE_STOPPED;
	if (h->back == 0 && h->fate == FATE_UP && h->booted > begin + RESTART_MS && h->enrolled < begin)
		add_host(t, h, h->booted - RESTART_MS, 500, HOST_STOPPED);
	if (h->died != 0 && !said && h->state.status != HOST_DARK && h->back == 0)
		vanish(t, h, h->died, h->state.since);
	if (h->back == 0)
		return;
	if (h->fate == FATE_LOOP)
		rounds(t, h);
	else
		vanish(t, h, h->died, h->back);
	if (h->state.status != HOST_UP)
		come_back(t, h, h->back);
}

static uint64_t until_noted(const struct estate *e, const struct host *h)
{
	if (h->state.status == HOST_SILENT)
		return SILENT_AFTER * witness_interval_ms(e, &e->sites[h->site]);
	return h->state.status == HOST_DARK ? WITNESS_DETECT_MS : 500;
}

struct host_state history_first(const struct estate *e, const struct host *h)
{
	struct host_state first = h->state;
	wall_ms begin = history_begin(e);
	if (first.since <= begin)
		return first;
	first.status = h->enrolled > begin ? HOST_UNKNOWN : HOST_UP;
	/* Gone before the node was started, and told of later. */
	if (h->died != 0 && h->died < begin)
		first.status = HOST_DARK;
	first.since = begin - CLOCK_DAY_MS;
	first.seen = first.status == HOST_UNKNOWN ? 0 : begin;
	first.votes = first.signers = 0;
	memset(first.witnesses, 0, sizeof(first.witnesses));
	first.replaced_by = (struct id){{0}};
	return first;
}

struct site_state history_first_site(const struct estate *e, const struct site *s)
{
	struct site_state first = s->state;
	if (first.since <= history_begin(e))
		return first;
	first.status = SITE_REPORTING;
	first.since = first.last_rollcall = history_begin(e) - 1000;
	return first;
}

/* --- in the order in which it was learned --- */

static int by_time(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;
	if (x->noted != y->noted)
		return x->noted < y->noted ? -1 : 1;
	/* What is so today comes behind what was. */
	if (x->last != y->last)
		return x->last ? 1 : -1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	return (x->since > y->since) - (x->since < y->since);
}

static enum err put(struct estate *e, const struct turn *t)
{
	enum err err = write_room(e);
	if (err != ERR_OK)
		return err;
	if (t->site)
		return store_put_site_state(e->store, &e->sites[t->number].state);
	struct host_state state = e->hosts[t->number].state;
	if (!t->last) {
		state.status = (enum host_status)t->status;
		state.since = t->since;
		state.seen = t->since;
		state.replaced_by = (struct id){{0}};
		memset(state.witnesses, 0, sizeof(state.witnesses));
		state.votes = state.signers = state.status == HOST_DARK ? 2 : 0;
	}
	return store_put_host_state(e->store, &state);
}

static enum err play(struct turns *t)
{
	struct estate *e = t->e;
	size_t commits = e->o->hosts / 4;
	commits = commits < COMMITS_MIN ? COMMITS_MIN : commits > COMMITS_MAX ? COMMITS_MAX : commits;
	wall_ms width = (e->o->now - history_begin(e)) / commits;
	enum err err = t->err;
	if (width < COMMIT_MIN_MS)
		width = COMMIT_MIN_MS;
	if (err == ERR_OK && t->count > 0)
		qsort(t->turns, t->count, sizeof(*t->turns), by_time);
	for (size_t i = 0; i < t->count && err == ERR_OK; i++) {
		/* A commit takes what was learned since the one before. */
		wall_ms end = (t->turns[i].noted / width + 1) * width;
		e->at = end < e->o->now ? end : e->o->now;
		err = put(e, &t->turns[i]);
		if (err == ERR_OK && (i + 1 == t->count || t->turns[i + 1].noted >= end))
			err = store_flush(e->store, e->at, e->info);
	}
	return err;
}

enum err history_play(struct estate *e)
{
	struct turns t = {.e = e};
	wall_ms begin = history_begin(e);
	/* All that went before was there when the node was started. */
	enum err err = store_flush(e->store, begin, e->info);
	for (size_t i = 0; i < e->o->hosts; i++) {
		const struct host *h = &e->hosts[i];
		if (h->state.since <= begin)
			continue;
		before_today(&t, h);
		add(&t, (struct turn){.noted = h->state.since + until_noted(e, h),
				      .since = h->state.since,
				      .number = (uint32_t)i,
				      .last = true});
	}
	for (size_t i = 0; i < e->o->sites; i++) {
		const struct site_state *s = &e->sites[i].state;
		uint64_t after = SILENT_AFTER * witness_interval_ms(e, &e->sites[i]);
		if (s->since > begin)
			add(&t, (struct turn){.noted = s->since + after,
					      .number = (uint32_t)i,
					      .site = true,
					      .last = true});
	}
	if (err == ERR_OK)
		err = play(&t);
	free(t.turns);
	e->at = e->o->now;
	return err;
}
