/* Against eclipse: about once an hour each host compares its log head and its set, roll-calls included, with
 * one host of another site, drawn evenly from all that may be up: to whoever is cut off, others are silent.
 * So bridges that hold something back, and members who are in league with them, hide it for hours at most.
 *
 * Happy path: a PING (after a hello, where there is no session) shows the heads; a walk compares the rest.
 * Fails: who does not answer is passed over; the next is drawn a minute later, then two, and so on up to an
 * hour. */
#include "gossip/compare.h"

#include <stdlib.h>

#include "gossip/standing.h"
#include "gossip/sync.h"

#define EVERY_MS  3600000
#define AGAIN_MS  60000
#define VAIN_MOST 6 /* doublings of that, to about an hour */

struct compare {
	mono_ms next_at, asked_at;
	struct member *peer; /* asked, and not heard yet; NULL: none */
	unsigned vain;       /* how many in a row did not answer */
};

enum err compare_init(struct gossip *g)
{
	g->compare = calloc(1, sizeof *g->compare);
	return g->compare == NULL ? ERR_NOMEM : ERR_OK;
}

void compare_free(struct gossip *g)
{
	free(g->compare);
	g->compare = NULL;
}

static struct member *draw(struct gossip *g)
{
	struct member *chosen = NULL;
	uint64_t seen = 0;
	for (size_t i = 0; i < g->members.count; i++) {
		struct member *m = g->members.hosts[i];
		bool perhaps = m->state.status == HOST_UP || m->state.status == HOST_SILENT ||
			       m->state.status == HOST_UNKNOWN;
		if (m->site == g->self->site || !m->rostered || !standing_has_say(m) || !perhaps ||
		    !member_reachable(g, m) || !defence_on(g, DEFENCE_COMPARE))
			continue;
		if (prng_below(&g->prng, ++seen) == 0)
			chosen = m;
	}
	return chosen;
}

static void ask(struct gossip *g, struct member *m)
{
	struct compare *c = g->compare;
	c->peer = m;
	c->asked_at = g->now;
	c->next_at = g->now + core_jitter(g, (mono_ms)AGAIN_MS << c->vain, 0.25);
	c->vain += c->vain < VAIN_MOST;
	if (m == NULL)
		return;
	bool session = m->session;
	probe_ping(g, m); /* or a hello, which leads to a walk as well */
	if (session)
		sync_on_session(g, m);
}

void compare_tick(struct gossip *g)
{
	struct compare *c = g->compare;
	if (c->next_at == 0) /* all hours of a host begin elsewhere */
		c->next_at = g->now + 1 + g->self->short_id % EVERY_MS;
	if (c->peer != NULL && c->peer->answered_at >= c->asked_at) {
		c->peer = NULL;
		c->vain = 0;
		c->next_at = g->now + core_jitter(g, EVERY_MS, 0.25);
	}
	if (g->now >= c->next_at)
		ask(g, draw(g));
	core_deadline(g, c->next_at);
}
