/* Edges between sites: who of this site talks to whom of another.
 *
 * Happy path: each site picks up to six others by rendezvous hash. At each end the members that are up are
 * ranked by a hash of (site, other site, host, day, log head), those who are new last: the best of the
 * picking site is the edge's bridge and pings the best of the other one. Both then count each other as peers:
 * spread and walks go over them. Where ranks change, with the day or the log, the old end stays until the new
 * one answered, and the old bridge for ten seconds. Fails: a far end that does not answer within a second
 * (three, when it did before) gives way to the next; after three of them the bridge waits 3 s ± 50 % and
 * starts over. A bridge that its own site suspects is succeeded when it has been suspected for 4 s or is
 * dark; one that hears nobody of its own site any more stops after 2 s, unless it is the only one left up.
 * Two bridges at once cost a few datagrams, none costs news, so both err so. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/edge_table.h"
#include "gossip/standing.h"
#include "gossip/sync.h"

#define FALL_THROUGH 3
#define MISSES       3
#define HANDOVER_MS  10000
#define LOOK_MS      30000
#define SUCCEED_MS   4000
#define REPICK_MS    30000
#define RANK_MS      1000
#define BEST_MS      60000 /* an edge that fell through to the next tries the best again */

enum err edge_init(struct gossip *g)
{
	g->edge = calloc(1, sizeof(*g->edge));
	return g->edge ? ERR_OK : ERR_NOMEM;
}

void edge_free(struct gossip *g)
{
	if (g->edge)
		edge_tree_free(g->edge);
	free(g->edge);
	g->edge = NULL;
}

uint64_t edge_rendezvous(const struct site *a, const struct site *b)
{
	uint8_t data[3 * ID_BYTES] = {0};

	memcpy(data, a->id.b, ID_BYTES);
	memcpy(data + ID_BYTES, b->id.b, ID_BYTES);
	return hash_u64("mesh.edge", data, sizeof(data));
}

uint64_t edge_rank(const struct gossip *g, const struct site *s, const struct site *far,
		   const struct member *m)
{
	struct authlog_head head = authlog_head(g->log);
	uint8_t data[3 * ID_BYTES + 16];
	struct writer w = writer_of(data, sizeof(data));

	writer_bytes(&w, s->id.b, ID_BYTES);
	writer_bytes(&w, far->id.b, ID_BYTES);
	writer_bytes(&w, m->id.b, ID_BYTES);
	writer_u32(&w, keyring_day(g->keyring));
	writer_u32(&w, head.index);
	writer_u64(&w, head.hash);
	uint64_t junior = m->score >> 63 << 63;

	return junior | hash_u64("mesh.bridge", data, sizeof(data)) >> 1;
}

/* --- which sites --- */

bool edge_site_alive(const struct gossip *g, const struct site *s)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = s->members[i];

		if (m != g->self && !member_goodbye(m))
			return true;
	}
	return false;
}

static void edge_pick(struct gossip *g)
{
	struct edge *e = g->edge;
	struct pick picks[LIMIT_EDGES_PER_SITE];
	size_t count = 0;

	for (size_t i = 0; i < g->members.site_count; i++) {
		struct site *s = g->members.sites[i];
		struct pick pick = {.far = s};
		size_t place = count;

		if (s == g->self->site || !edge_site_alive(g, s))
			continue;
		pick.score = edge_rendezvous(g->self->site, s);
		while (place > 0 && picks[place - 1].score > pick.score)
			place--;
		if (place == LIMIT_EDGES_PER_SITE)
			continue;
		if (count < LIMIT_EDGES_PER_SITE)
			count++;
		memmove(&picks[place + 1], &picks[place], (count - place - 1) * sizeof(picks[0]));
		picks[place] = pick;
	}
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < e->pick_count; j++) {
			if (e->picks[j].far == picks[i].far)
				picks[i] = e->picks[j];
		}
	}
	memcpy(e->picks, picks, count * sizeof(picks[0]));
	e->pick_count = count;
	e->picked_of = g->members.site_count;
	e->picked_at = g->now;
}

/* --- which members --- */

/* Up as far as this end can tell; a suspicion has time to be refuted. */
static bool bridge_up(const struct gossip *g, const struct member *m)
{
	if (m == g->self)
		return true;
	if (m->state.status != HOST_UP || !standing_has_say(m) || member_goodbye(m) || m->address.ip_len == 0)
		return false;
	return !m->suspected || g->now - m->answered_at < SUCCEED_MS;
}

/* Does this node still hear its site? Alone, it has nobody to hear. */
static bool bridge_heard(const struct gossip *g)
{
	const struct site *s = g->self->site;
	bool others = false;

	for (size_t i = 0; i < s->count; i++) {
		const struct member *m = s->members[i];

		if (m == g->self || m->state.status != HOST_UP)
			continue;
		if (!m->suspected)
			return true;
		others = true;
	}
	return !others;
}

/* Members of the own site before this one for an edge with `far`, 2 at most; 2 as well when it cannot be a
 * bridge. */
static unsigned bridge_place(const struct gossip *g, const struct site *far)
{
	struct site *s = g->self->site;
	unsigned before = 0;

	if (!bridge_heard(g) || !standing_has_say(g->self))
		return 2;
	witness_scores(g, s);
	uint64_t own = edge_rank(g, s, far, g->self);

	for (size_t i = 0; i < s->count && before < 2; i++) {
		const struct member *m = s->members[i];

		before += m != g->self && bridge_up(g, m) && edge_rank(g, s, far, m) < own;
	}
	return before;
}

static bool candidate(const struct gossip *g, const struct member *m)
{
	return member_reachable(g, m) && standing_has_say(m) && m->state.status != HOST_DARK;
}

/* Of the far site's candidates the one of this rank, those dark or departed left out; NULL: fewer. */
static struct member *far_end(const struct gossip *g, struct site *far, size_t rank)
{
	uint64_t after = 0;
	struct member *best = NULL;

	witness_scores(g, far);
	for (size_t round = 0; round <= rank; round++) {
		uint64_t lowest = UINT64_MAX;

		best = NULL;
		for (size_t i = 0; i < far->count; i++) {
			struct member *m = far->members[i];

			if (!candidate(g, m))
				continue;
			uint64_t score = edge_rank(g, far, g->self->site, m);

			if (score > after && score < lowest) {
				lowest = score;
				best = m;
			}
		}
		if (!best)
			return NULL;
		after = lowest;
	}
	return best;
}

/* Its site's first for edges with the own one: it keeps to one end here. */
static bool far_bridge(const struct gossip *g, const struct member *m)
{
	struct site *far = m->site;

	witness_scores(g, far);
	uint64_t rank = edge_rank(g, far, g->self->site, m);

	for (size_t i = 0; i < far->count; i++) {
		const struct member *other = far->members[i];

		if (other != m && other->state.status == HOST_UP && standing_has_say(other) &&
		    !member_goodbye(other) && edge_rank(g, far, g->self->site, other) < rank)
			return false;
	}
	return true;
}

/* --- the bridge at work --- */

bool edge_live(const struct gossip *g, const struct member *m)
{
	return m->session && !m->site->cut && m->heard_at && g->now - m->heard_at <= LIVE_MS;
}

static bool end_answered(const struct pick *p)
{
	return p->end && p->end->answered_at && p->end->answered_at >= p->asked_at;
}

static void pick_ask(struct gossip *g, struct pick *p)
{
	witness_scores(g, p->far);
	if (p->epoch != p->far->score_epoch) {
		p->epoch = p->far->score_epoch;
		p->rank = p->missed = 0;
	}
	/* Else both ends' bridges would go on with different pairs, and news cross twice. */
	if (p->rank > 0 && g->now >= p->best_at)
		p->rank = p->missed = 0;
	if (p->rank == 0)
		p->best_at = g->now + core_jitter(g, BEST_MS, 0.25);
	p->end = far_end(g, p->far, p->rank);
	if (!p->end && p->rank > 0) {
		p->rank = 0;
		p->end = far_end(g, p->far, 0);
	}
	if (!p->end) {
		p->next_at = g->now + core_jitter(g, g->timing.edge_retry_ms, 0.5);
		return;
	}
	p->asked_at = g->now;
	p->next_at = g->now + g->timing.probe_ms;
	probe_ping(g, p->end);
	if (p->held && p->held != p->end && edge_live(g, p->held))
		probe_ping(g, p->held);
}

/* A bridge, or the end it talks to, may hold things back: the two next to them compare now and then. */
static void pick_look(struct gossip *g, struct pick *p)
{
	struct member *m = NULL;

	if (!p->look_at)
		p->look_at = g->now + core_jitter(g, LOOK_MS, 0.5);
	if (g->now >= p->look_at) {
		p->look_at = g->now + core_jitter(g, LOOK_MS, 0.25);
		m = far_end(g, p->far, 1);
	}
	core_deadline(g, p->look_at);
	if (!m)
		return;
	bool session = m->session;

	probe_ping(g, m); /* or a hello, which leads to a walk as well */
	if (session)
		sync_on_session(g, m);
}

static void pick_tick(struct gossip *g, struct pick *p)
{
	if (p->asked_at && end_answered(p)) {
		p->held = p->end;
		p->tried = p->missed = 0;
		p->asked_at = 0;
		p->next_at = g->now + core_jitter(g, g->timing.probe_idle_ms, 0.2);
	}
	if (g->now < p->next_at)
		return;
	if (p->asked_at) {
		p->asked_at = 0;
		p->missed++;
		/* One lost datagram does not move an edge that works. */
		if (p->end && p->missed < MISSES && edge_live(g, p->end)) {
			pick_ask(g, p);
			return;
		}
		p->missed = 0;
		p->rank++;
		if (++p->tried % FALL_THROUGH == 0) {
			p->next_at = g->now + core_jitter(g, g->timing.edge_retry_ms, 0.5);
			return;
		}
	}
	pick_ask(g, p);
}

/* Two bridges at once cost a few datagrams; none, for as long as the new one needs, news. */
static void pick_rank(struct gossip *g, struct pick *p)
{
	unsigned place = bridge_place(g, p->far);

	p->second = place == 1;
	if (place == 0) {
		if (!p->ours_since)
			p->ours_since = g->now;
		p->ours = true;
		return;
	}
	bool worked = p->ours_since && p->held && edge_live(g, p->held) && g->now - p->ours_since >= LIVE_MS;

	if (worked)
		p->ours_until = g->now + HANDOVER_MS;
	p->ours_since = 0;
	p->ours = g->now < p->ours_until && bridge_heard(g) && standing_has_say(g->self);
}

void edge_tick(struct gossip *g)
{
	struct edge *e = g->edge;

	if (e->picked_of != g->members.site_count || g->now - e->picked_at >= REPICK_MS)
		edge_pick(g);
	if (g->now - e->ranked_at >= RANK_MS || e->ranked_at == 0) {
		e->ranked_at = g->now;
		for (size_t i = 0; i < e->pick_count; i++)
			pick_rank(g, &e->picks[i]);
		for (size_t i = 0; i < e->accepted_count; i++)
			e->accepted[i].bridge = far_bridge(g, e->accepted[i].m);
	}
	for (size_t i = 0; i < e->pick_count; i++) {
		struct pick *p = &e->picks[i];

		if (p->second && !p->far->cut)
			pick_look(g, p);
		if (!p->ours || p->far->cut)
			continue;
		pick_tick(g, p);
		core_deadline(g, p->next_at);
	}
	if (edge_bridge(g) || e->accepted_count > 0)
		edge_tree_tick(g);
}

static size_t peer_add(const struct gossip *g, struct member *m, struct member **ret, size_t count,
		       size_t max)
{
	if (!m || count == max || !edge_live(g, m))
		return count;
	for (size_t i = 0; i < count; i++) {
		if (ret[i] == m)
			return count;
	}
	ret[count] = m;
	return count + 1;
}

size_t edge_peers(const struct gossip *g, struct member **ret, size_t max)
{
	const struct edge *e = g->edge;
	size_t count = 0;

	for (size_t i = 0; i < e->pick_count; i++) {
		const struct pick *p = &e->picks[i];

		if (!p->ours)
			continue;
		count = peer_add(g, p->held, ret, count, max);
		if (p->end != p->held)
			count = peer_add(g, p->end, ret, count, max);
	}
	for (size_t i = 0; i < e->accepted_count; i++) {
		count = peer_add(g, e->accepted[i].m, ret, count, max);
	}
	return count;
}

bool edge_end(const struct gossip *g, const struct member *m)
{
	const struct edge *e = g->edge;

	for (size_t i = 0; i < e->pick_count; i++) {
		const struct pick *p = &e->picks[i];

		if (p->far == m->site)
			return p->ours && (p->held ? p->held : p->end) == m;
	}
	for (size_t i = 0; i < e->accepted_count; i++) {
		if (e->accepted[i].m == m)
			return e->accepted[i].bridge;
	}
	return false;
}

bool edge_bridge(const struct gossip *g)
{
	for (size_t i = 0; i < g->edge->pick_count; i++) {
		if (g->edge->picks[i].ours)
			return true;
	}
	return false;
}

bool edge_carries(const struct gossip *g, const struct member *m)
{
	struct member *peers[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, peers, EDGE_PEERS_MAX);

	for (size_t i = 0; i < count; i++) {
		if (peers[i] == m)
			return true;
	}
	return false;
}
