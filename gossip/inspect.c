/* Looking into a node: for the control socket, the simulator's invariants and tests. Changes nothing. */
#include <string.h>

#include "gossip/blob.h"
#include "gossip/core.h"

#define DIRECT_MS 10000

void gossip_status(const struct gossip *g, struct gossip_status *ret)
{
	*ret = (struct gossip_status){.host = g->self->id,
				      .estate = g->keys.estate,
				      .instance = g->instance,
				      .seq_next = g->seq_next,
				      .hosts = g->members.count,
				      .sites = g->members.site_count,
				      .records = set_count(g->set),
				      .estate_root = set_estate_root(g->set),
				      .log_head = authlog_head(g->log),
				      .bridge = edge_bridge(g),
				      .cloned = g->cloned,
				      .counters = g->counters};
	memcpy(ret->site, g->self->site->name, sizeof(ret->site));
	blob_count(g, &ret->blobs, &ret->blobs_wanted);
	/* Ranking refreshes cached scores, nothing that shows. */
	ret->witness = witness_self((struct gossip *)g);
	for (size_t i = 0; i < g->members.count; i++)
		ret->sessions += g->members.hosts[i]->session;
}

bool gossip_peer_at(const struct gossip *g, size_t index, struct gossip_peer *ret)
{
	struct member *live[LIMIT_WITNESSES];
	size_t own = 0;

	while (own < g->members.count && g->members.hosts[own] != g->self)
		own++;
	if (index >= own)
		index++;
	if (index >= g->members.count)
		return false;
	const struct member *m = g->members.hosts[index];

	*ret = (struct gossip_peer){.host = m->id,
				    .address = m->address,
				    .status = m->state.status,
				    .session = m->session,
				    .direct = m->answered_at && g->now - m->answered_at <= DIRECT_MS,
				    .suspected = m->suspected,
				    .edge = edge_carries(g, m),
				    .rtt_ms = m->rtt_ms,
				    .last_heard = m->heard_at};
	memcpy(ret->site, m->site->name, sizeof(ret->site));
	size_t count = m->site == g->self->site ? witness_live((struct gossip *)g, live)
						: state_signers((struct gossip *)g, m->site, live);

	for (size_t i = 0; i < count; i++)
		ret->witness |= live[i] == m;
	return true;
}

bool gossip_entry_at(const struct gossip *g, size_t index, struct gossip_entry *ret)
{
	struct set_entry entry;

	if (!set_at(g->set, index, &entry))
		return false;
	*ret = (struct gossip_entry){.key = entry.key, .seq = entry.seq, .id = entry.id};
	return true;
}

bool gossip_host_state(const struct gossip *g, const struct id *host, struct host_state *ret)
{
	const struct member *m = member_find(g, host);

	if (m) {
		*ret = m->state;
		ret->issuer = m->issuer;
	}
	return m != NULL;
}

bool gossip_site_state(const struct gossip *g, const char *site, struct site_state *ret)
{
	const struct site *s = site_find_name(g, site);

	if (s)
		*ret = s->state;
	return s != NULL;
}
