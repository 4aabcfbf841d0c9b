/* Edges that other sites picked: who of a far site is heard as its bridge.
 *
 * Happy path: each host of another site whose sealed datagrams come in has a place for ten seconds, of one
 * site the two best-ranked, bridge and successor. News go to both: one of them may hold things back.
 * Fails: a bridge that is not heard any more leaves its place. */
#include "gossip/edge_table.h"
#include "gossip/standing.h"

#define A_SITE 2 /* places of one site, its best-ranked: a bridge and its successor */

static void accepted_expire(struct gossip *g)
{
	struct edge *e = g->edge;

	for (size_t i = 0; i < e->accepted_count;) {
		if (g->now - e->accepted[i].heard_at > LIVE_MS || e->accepted[i].m->site->cut)
			e->accepted[i] = e->accepted[--e->accepted_count];
		else
			i++;
	}
}

/* Whoever does not answer in its own site carries nothing into it, however well it ranks. */
static uint64_t accepted_rank(const struct gossip *g, const struct member *m)
{
	return edge_rank(g, m->site, g->self->site, m) >> 1 | (uint64_t)(m->state.status != HOST_UP) << 63;
}

/* Where `m` could take the place of another: of its own site's where that has enough, else of a site's
 * second. NULL: nowhere. */
static struct accepted *accepted_room(struct gossip *g, const struct member *m)
{
	struct edge *e = g->edge;
	struct accepted *worst = NULL, *second = NULL;
	uint64_t worst_rank = 0;
	size_t same = 0;

	witness_scores(g, m->site);
	for (size_t i = 0; i < e->accepted_count; i++) {
		struct accepted *a = &e->accepted[i];

		for (size_t j = 0; j < i; j++)
			second = e->accepted[j].m->site == a->m->site ? a : second;
		if (a->m->site != m->site)
			continue;
		uint64_t rank = accepted_rank(g, a->m);

		same++;
		if (rank >= worst_rank) {
			worst = a;
			worst_rank = rank;
		}
	}
	if (same >= A_SITE)
		return accepted_rank(g, m) < worst_rank ? worst : NULL;
	if (e->accepted_count < ACCEPTED)
		return &e->accepted[e->accepted_count++];
	return same == 0 ? second : NULL;
}

void edge_heard(struct gossip *g, struct member *m)
{
	struct edge *e = g->edge;

	if (!standing_has_say(m))
		return;
	for (size_t i = 0; i < e->accepted_count; i++) {
		if (e->accepted[i].m == m) {
			e->accepted[i].heard_at = g->now;
			return;
		}
	}
	accepted_expire(g);
	struct accepted *place = accepted_room(g, m);

	if (place)
		*place = (struct accepted){.m = m, .heard_at = g->now};
}
