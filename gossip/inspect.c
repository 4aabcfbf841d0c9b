/* Looking into a node: for the control socket, the simulator's invariants and tests. Changes nothing. */
#include <stdlib.h>
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

bool gossip_sketch_sound(const struct gossip *g)
{
	return set_sketch_check(g->set) != ERR_CORRUPT;
}

const struct gossip_counters *gossip_counted(const struct gossip *g)
{
	return &g->counters;
}

bool gossip_expects(const struct gossip *g)
{
	for (size_t i = 0; i < g->members.count; i++) {
		enum host_status status = g->members.hosts[i]->state.status;

		if (g->members.hosts[i] != g->self && (status == HOST_UP || status == HOST_SILENT))
			return true;
	}
	return false;
}

enum host_standing gossip_standing(const struct gossip *g)
{
	return g->self->state.standing;
}

/* The signers that count of each site, in the order of members.sites; NULL without memory. */
static struct member **seats_of(const struct gossip *g)
{
	struct member **seats = calloc(g->members.site_count * LIMIT_WITNESSES, sizeof(*seats));

	for (size_t i = 0; seats && i < g->members.site_count; i++) {
		struct site *s = g->members.sites[i];

		if (s == g->self->site)
			witness_live((struct gossip *)g, seats + i * LIMIT_WITNESSES);
		else
			state_signers((struct gossip *)g, s, seats + i * LIMIT_WITNESSES);
	}
	return seats;
}

static bool has_seat(const struct gossip *g, struct member *const *seats, const struct member *m)
{
	size_t low = 0, high = g->members.site_count;

	while (seats && low < high) {
		size_t middle = low + (high - low) / 2;

		if (id_compare(&g->members.sites[middle]->id, &m->site->id) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = 0; seats && i < LIMIT_WITNESSES; i++) {
		if (seats[low * LIMIT_WITNESSES + i] == m)
			return true;
	}
	return false;
}

void gossip_each_peer(const struct gossip *g, void (*each)(void *context, const struct gossip_peer *peer),
		      void *context)
{
	struct member **seats = seats_of(g);

	for (size_t i = 0; i < g->members.count; i++) {
		const struct member *m = g->members.hosts[i];

		if (m == g->self)
			continue;
		struct gossip_peer peer = {.host = m->id,
					   .address = m->address,
					   .status = m->state.status,
					   .session = m->session,
					   .direct = m->answered_at && g->now - m->answered_at <= DIRECT_MS,
					   .suspected = m->suspected,
					   .witness = has_seat(g, seats, m),
					   .edge = edge_carries(g, m),
					   .rtt_ms = m->rtt_ms,
					   .last_heard = m->heard_at};

		memcpy(peer.site, m->site->name, sizeof(peer.site));
		each(context, &peer);
	}
	free(seats);
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
