/* How often this node begins to reconcile.
 *
 * Happy path: sets differ, one exchange brings what is missing, and they are equal again.
 * Fails: sets that always differ. Either a peer lies about its own: exchanges with it bring nothing, and the
 * next with it waits twice as long each time; others are not slowed by that. Or the estate changes faster
 * than news travel, so that no two sets are equal for a moment: the more came in by spreading since the last
 * exchange, the longer the next may wait, because what is missing is on its way. Or nodes disagree on what
 * they take: then no exchange with anybody brings anything, and all are spaced out. */
#include "gossip/core.h"

#define VAIN_FREE    2 /* exchanges in vain with a peer before the next waits longer … */
#define VAIN_DOUBLED 5 /* … by so many doublings of timing.sync_ms: to about a minute */
#define VAIN_STEP    8 /* exchanges in vain, one after the other, that double the gap between any two */
#define GAP_SHARE    4 /* of timing.sync_ms: the least gap between any two, and the most in its units */
#define BUSY_RECORDS 8 /* that came in by spreading add a gap */
#define MUCH         16

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

mono_ms pace_with(const struct gossip *g, const struct member *m)
{
	unsigned doublings = m->sync_vain > VAIN_FREE ? m->sync_vain - VAIN_FREE : 0;

	if (m->sync_at == 0 || !defence_on(g, DEFENCE_WALK_PACE))
		return g->now;
	return m->sync_at + ((mono_ms)g->timing.sync_ms << least(doublings, VAIN_DOUBLED));
}

mono_ms pace_with_any(const struct gossip *g)
{
	const struct pace *p = &g->pace;
	mono_ms gap = g->timing.sync_ms / GAP_SHARE, most = (mono_ms)g->timing.sync_ms * GAP_SHARE;
	uint64_t news = g->counters.records_accepted - p->accepted;

	if (p->at == 0 || !defence_on(g, DEFENCE_WALK_PACE))
		return g->now;
	gap = (gap << least(p->vain / VAIN_STEP, VAIN_DOUBLED)) + gap * news / BUSY_RECORDS;
	return p->at + (gap < most ? gap : most);
}

void pace_begun(struct gossip *g, struct member *m)
{
	/* One that always differs says nothing about the others. */
	if (m->sync_vain <= VAIN_FREE)
		g->pace.vain += g->pace.vain < UINT8_MAX;
	else
		g->counters.exchanges_vain++;
	m->sync_vain = (uint8_t)(m->sync_vain + (m->sync_vain < UINT8_MAX));
	m->sync_found = 0;
	g->pace.at = g->now;
	g->pace.accepted = g->counters.records_accepted;
}

void pace_fruit(struct gossip *g, struct member *m)
{
	g->pace.accepted++; /* not by spreading */
	m->sync_found = (uint16_t)(m->sync_found + (m->sync_found < UINT16_MAX));
	pace_equal(g, m);
}

void pace_equal(struct gossip *g, struct member *m)
{
	m->sync_vain = 0;
	g->pace.vain = 0;
}

bool pace_worth(const struct gossip *g, const struct member *m)
{
	return m->sync_vain <= VAIN_FREE || !defence_on(g, DEFENCE_WALK_PACE);
}

bool pace_goes_on(struct member *m)
{
	bool much = m->sync_found >= MUCH;

	m->sync_found = 0;
	return much;
}
