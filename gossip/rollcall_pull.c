/* ROLLCALL_PULL: asking for roll-calls of a site that stay away, and answering with the records themselves.
 *
 * Happy path: a reader that missed a site's roll-calls names those it has to two peers of its own site and
 * two edges, to that site where it carries one; each sends back what it holds of the current signers and the
 * list lacks. One datagram there and one back: where one in five is lost, announcing, pulling and handing
 * over comes through half as often. Fails: no answer, or nobody there has anything newer: asked again a sixth
 * of an interval later (state.c), of others. */
#include "gossip/evidence.h"
#include "gossip/spread.h"
#include "gossip/standing.h"

#define ASK_PEERS 2
#define ASK_EDGES 2

/* Two edges, those to the site itself first. */
static size_t ask_edges(const struct gossip *g, const struct site *s, struct member *ret[ASK_EDGES])
{
	struct member *edges[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, edges, EDGE_PEERS_MAX), chosen = 0;

	for (int there = 1; there >= 0; there--) {
		for (size_t i = 0; i < count && chosen < ASK_EDGES; i++) {
			if ((edges[i]->site == s) == there)
				ret[chosen++] = edges[i];
		}
	}
	return chosen;
}

void rollcall_ask(struct gossip *g, const struct site *s)
{
	struct member *peers[ASK_PEERS + ASK_EDGES];
	struct wire_rollcall_pull pull = {.site = s->id};
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t count = member_pick(g, NULL, ASK_PEERS, peers);

	count += ask_edges(g, s, peers + count);
	for (size_t i = 0; i < s->view_count && pull.count < WIRE_VIEWS; i++) {
		const struct rollcall_view *v = &s->views[i];

		pull.held[pull.count].signer = v->signer->short_id;
		pull.held[pull.count].part = (uint8_t)v->slot;
		pull.held[pull.count++].seq = v->seq;
	}
	size_t len = wire_rollcall_pull_encode(&pull, message);

	for (size_t i = 0; i < count; i++)
		core_send(g, peers[i], WIRE_ROLLCALL_PULL, message, len, NULL);
}

static bool named(const struct wire_rollcall_pull *pull, const struct rollcall_view *v)
{
	for (size_t i = 0; i < pull->count; i++) {
		if (pull->held[i].signer == v->signer->short_id && pull->held[i].part == v->slot)
			return pull->held[i].seq >= v->seq;
	}
	return false;
}

void rollcall_on_pull(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_rollcall_pull pull;
	struct set_entry entries[LIMIT_WITNESSES * LIMIT_ROLLCALL_PARTS];
	struct member *signers[LIMIT_WITNESSES];
	size_t count = 0;

	if (wire_rollcall_pull_decode(d->message, d->len, &pull)) {
		g->counters.dropped_schema++;
		return;
	}
	struct site *s = site_find(g, &pull.site);

	if (!s)
		return;
	size_t signer_count = state_signers(g, s, signers);

	for (size_t i = 0; i < s->view_count; i++) {
		const struct rollcall_view *v = &s->views[i];
		struct record_key key = {
		    .kind = RECORD_ROLLCALL, .writer = v->signer->id, .subject = s->id, .slot = v->slot};

		if (evidence_listed(v->signer, signers, signer_count) && !named(&pull, v) &&
		    set_find(g->set, &key, &entries[count]) &&
		    entries[count].partition != SET_PARTITION_HIDDEN)
			count++;
	}
	pull_answer(g, m, GOSSIP_CLASS_URGENT, d->nonce, entries, count);
}
