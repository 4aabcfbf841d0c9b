/* Where a host can be reached, and which of that is proven.
 *
 * Happy path: a profile tells addresses, a question of ours goes to one of them, and the answer to its nonce
 * comes from there: that address is proven. Only a proven one gets more than it sent. Fails: a datagram from
 * elsewhere, sealed or not, proves nothing, as anyone on the way can let one come again from wherever: it is
 * answered by a PING there, and only the ACK from there moves the member. Nor does it move while it still
 * answers where it was: whoever passes questions and answers on would otherwise come between. A published
 * address that does not answer gives way to the next at each hello. */
#include <string.h>

#include "gossip/core.h"

#define CHECK_MS 1000

struct member *member_at_address(const struct gossip *g, const struct address *address)
{
	for (size_t i = 0; i < g->members.count; i++) {
		if (address_equal(&g->members.hosts[i]->address, address))
			return g->members.hosts[i];
	}
	return NULL;
}

void member_published(struct member *m, const struct record *r)
{
	struct profile profile;

	if (profile_decode(r->body, r->body_len, &profile))
		return;
	m->published_count = (uint8_t)profile.address_count;
	m->address_next = 0;
	memcpy(m->published, profile.addresses, profile.address_count * sizeof(m->published[0]));
	if (!m->address_proven && profile.address_count)
		m->address = m->published[0];
}

bool member_proven_at(const struct member *m, const struct address *address)
{
	return m->address_proven && address_equal(&m->address, address);
}

static bool published_at(const struct member *m, const struct address *address)
{
	bool found = false;

	for (size_t i = 0; i < m->published_count && !found; i++)
		found = address_equal(&m->published[i], address);
	return found;
}

/* It was asked where it was and has had the time to answer. */
static bool left(const struct gossip *g, const struct member *m)
{
	return m->stays_asked_at && m->stays_asked_at > m->proven_at &&
	       g->now - m->stays_asked_at >= g->timing.ack_ms;
}

void member_proved(struct gossip *g, struct member *m, const struct address *asked,
		   const struct address *from)
{
	if (!address_equal(asked, from))
		return;
	if (m->address_proven && !address_equal(&m->address, from) && !left(g, m) && !published_at(m, from))
		return;
	m->address = *from;
	m->address_proven = true;
	m->proven_at = g->now;
	m->stays_asked_at = 0;
	if (address_equal(&g->asker, from))
		g->asker_left = SIZE_MAX;
}

bool member_check(struct gossip *g, struct member *m, const struct address *at)
{
	if (g->now - m->ping_at < CHECK_MS && m->ping_at)
		return false;
	return probe_ping_at(g, m, at);
}

/* Is it there, or still where it was? The latter is asked first. */
static void member_seen_at(struct gossip *g, struct member *m, const struct address *from)
{
	if (!m->address_proven || published_at(m, from) || left(g, m)) {
		member_check(g, m, from);
	} else if (m->stays_asked_at <= m->proven_at && g->now - m->proven_at >= CHECK_MS &&
		   probe_ping_at(g, m, &m->address)) {
		m->stays_asked_at = g->now;
	}
}

void member_heard(struct gossip *g, struct member *m, const struct address *from)
{
	if (!defence_on(g, DEFENCE_ADDRESS_PROOF)) {
		m->address = *from;
		m->address_proven = true;
	}
	if (!member_proven_at(m, from))
		member_seen_at(g, m, from);
	else if (m->suspected)
		member_check(g, m, from);
	m->heard_at = g->now;
	m->session = true;
	witness_hears(g);
	if (m->site != g->self->site)
		edge_heard(g, m);
}
