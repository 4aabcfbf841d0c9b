/* New records spread.
 *
 * Happy path: a record enters the set; urgent ones are pushed to a few peers at once, for the first hops; the
 * id of every one waits up to 100 ms for company and is announced to about log2(n) + 2 peers of the site and
 * across the edges this node carries. Who lacks it pulls it (pull.c) and announces it in turn, so that a
 * payload crosses to a node about once.
 * Fails: a lost push or announcement reaches the node from another peer; what all lost, the walk finds
 * (sync.c). Records a walk found are not announced in the own site, which had them before. */
#include "gossip/spread.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_MS     100
#define PUSH_PEERS   4
#define FANOUT_MAX   20
#define NEWS_AT_ONCE 64
#define FLUSH_BYTES  16384 /* of one announcement to all, that the budget is waited for */
#define IP6_BYTES    16    /* of an address: the larger headers */

_Static_assert(FANOUT_MAX <= EDGE_PEERS_MAX && PUSH_PEERS <= EDGE_PEERS_MAX, "one array for both");

enum err spread_init(struct gossip *g)
{
	g->spread = calloc(1, sizeof *g->spread);
	return g->spread == NULL ? ERR_NOMEM : ERR_OK;
}

void spread_free(struct gossip *g)
{
	struct spread *s = g->spread;
	if (s == NULL)
		return;
	for (size_t i = 0; i < SPREAD_KEPT; i++)
		free(s->kept[i].bytes);
	pull_free(s);
	free(s->news);
	free(s);
	g->spread = NULL;
}

/* --- what is at hand, what is known --- */

const struct kept *spread_kept(const struct spread *s, uint64_t id)
{
	for (size_t i = 0; i < SPREAD_KEPT; i++)
		if (s->kept[i].bytes != NULL && s->kept[i].id == id)
			return &s->kept[i];
	return NULL;
}

static void keep(struct spread *s, const struct record *r, uint64_t id)
{
	uint8_t *bytes = malloc(r->len);
	if (bytes == NULL)
		return; /* the replica has it */
	memcpy(bytes, r->bytes, r->len);
	struct kept *k = &s->kept[s->kept_next++ % SPREAD_KEPT];
	free(k->bytes);
	*k = (struct kept){.id = id, .bytes = bytes, .len = r->len};
}

static void remember(struct spread *s, uint64_t id)
{
	s->seen[id % SPREAD_SEEN] = id;
}

bool spread_knows(const struct gossip *g, uint64_t id)
{
	return g->spread->seen[id % SPREAD_SEEN] == id || set_has_id(g->set, id);
}

void spread_refused(struct gossip *g, uint64_t id, enum err err)
{
	/* A signer may become trusted, and room may come; nothing else mends. */
	if (err != ERR_OK && err != ERR_UNTRUSTED && err != ERR_LIMIT && err != ERR_BUSY && err != ERR_NOMEM)
		remember(g->spread, id);
}

void spread_reconsider(struct gossip *g)
{
	memset(g->spread->seen, 0, sizeof g->spread->seen);
}

/* --- telling --- */

static size_t log2_of(size_t n)
{
	size_t ret = 0;
	while (n > 1) {
		n = (n + 1) / 2;
		ret++;
	}
	return ret;
}

static void push(struct gossip *g, struct member *m, const struct record *r, uint8_t hops)
{
	struct wire_pack pack;
	wire_pack_push(&pack, hops);
	if (wire_pack_add(&pack, r->bytes, r->len) && core_send(g, m, WIRE_PUSH, pack.bytes, pack.len, NULL))
		g->counters.pushes_out++;
}

/* `hops` made so far inside this site. */
static void push_all(struct gossip *g, const struct record *r, const struct member *from, unsigned hops)
{
	struct member *peers[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (from == NULL || peers[i]->site != from->site)
			push(g, peers[i], r, 1);
	/* Once pushes could have reached about half the site, most would meet who has it: announcing is
	 * cheaper. */
	size_t reach = (size_t)1 << 2 * (hops < WIRE_PUSH_HOPS ? hops + 1 : WIRE_PUSH_HOPS);
	if (hops >= WIRE_PUSH_HOPS || (hops > 0 && reach > g->self->site->count))
		return;
	count = member_pick(g, from, PUSH_PEERS, peers);
	for (size_t i = 0; i < count; i++)
		push(g, peers[i], r, (uint8_t)(hops + 1));
}

static void news_add(struct gossip *g, uint64_t id, struct member *from)
{
	struct spread *s = g->spread;
	if (s->news_count == s->news_cap) {
		size_t cap = s->news_cap == 0 ? NEWS_AT_ONCE : s->news_cap * 2;
		struct news *news = cap > LIMIT_SPREAD_QUEUE ? NULL : realloc(s->news, cap * sizeof *news);
		if (news == NULL)
			return; /* the walk will find it */
		s->news = news;
		s->news_cap = cap;
	}
	if (s->news_count == 0)
		s->flush_at = g->now + FLUSH_MS;
	s->news[s->news_count++] = (struct news){.id = id, .from = from};
}

void spread_on_record(struct gossip *g, const struct record *r, uint64_t id, struct member *from,
		      unsigned hops, enum gossip_urgency urgency)
{
	struct spread *s = g->spread;
	bool abroad = from != NULL && from->site != g->self->site;
	remember(s, id);
	pull_arrived(g, id);
	if (s->quiet && !abroad)
		return;
	keep(s, r, id);
	if (urgency == GOSSIP_URGENT && !s->quiet)
		push_all(g, r, from, abroad ? 0 : hops);
	news_add(g, id, from);
}

static void announce_to(struct gossip *g, struct member *m, bool edge)
{
	const struct spread *s = g->spread;
	struct wire_ids ids = {0};
	uint8_t message[WIRE_MESSAGE_BYTES];
	for (size_t i = 0; i <= s->news_count; i++) {
		bool last = i == s->news_count;
		if (ids.count == WIRE_IDS || (last && ids.count > 0)) {
			size_t len = wire_ids_encode(&ids, message);
			if (core_send(g, m, WIRE_ANNOUNCE, message, len, NULL))
				g->counters.announced_ids_out += ids.count;
			ids.count = 0;
		}
		if (last)
			break;
		const struct news *n = &s->news[i];
		if (n->from == m || (edge && n->from != NULL && n->from->site == m->site))
			continue;
		if (set_has_id(g->set, n->id)) /* else superseded while it waited */
			ids.ids[ids.count++] = n->id;
	}
}

/* News that have to wait for the budget go together, which costs less. */
static bool flush_waits(struct gossip *g, size_t fanout)
{
	struct spread *s = g->spread;
	struct member *edges[EDGE_PEERS_MAX];
	size_t ids = s->news_count < WIRE_IDS ? s->news_count : WIRE_IDS;
	size_t bytes =
	    (fanout + edge_peers(g, edges, EDGE_PEERS_MAX)) * budget_datagram_bytes(1 + 8 * ids, IP6_BYTES);

	bytes = bytes < FLUSH_BYTES ? bytes : FLUSH_BYTES;
	if (budget_allows(g, GOSSIP_CLASS_NEWS, bytes))
		return false;
	g->counters.held_back[GOSSIP_CLASS_NEWS]++;
	s->flush_at = budget_when(g, GOSSIP_CLASS_NEWS, bytes) + 1;
	return true;
}

static void flush(struct gossip *g)
{
	struct spread *s = g->spread;
	struct member *peers[EDGE_PEERS_MAX];
	size_t fanout = log2_of(g->self->site->count) + 2;
	if (flush_waits(g, fanout))
		return;
	size_t count = member_pick(g, NULL, fanout < FANOUT_MAX ? fanout : FANOUT_MAX, peers);
	for (size_t i = 0; i < count; i++)
		announce_to(g, peers[i], false);
	count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		announce_to(g, peers[i], true);
	s->news_count = 0;
	if (s->news_cap > NEWS_AT_ONCE) { /* a burst does not set the footprint for ever */
		free(s->news);
		s->news = NULL;
		s->news_cap = 0;
	}
}

void spread_tick(struct gossip *g)
{
	struct spread *s = g->spread;
	if (s->news_count > 0 && s->flush_at <= g->now)
		flush(g);
	if (s->news_count > 0)
		core_deadline(g, s->flush_at);
	pull_tick(g);
}

/* --- hearing --- */

static void on_push(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_items items;
	if (wire_items_decode(WIRE_PUSH, d->message, d->len, &items) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	for (size_t i = 0; i < items.count; i++) {
		const struct wire_item *item = &items.items[i];
		g->counters.payloads_in++;
		g->counters.far_payloads_in += m->site != g->self->site;
		g->counters.payload_bytes_in += item->len;
		enum err err = core_accept_record(g, item->bytes, item->len, m, items.hops);
		if (err != ERR_OK)
			spread_refused(g, record_id(g->keys.set_key, item->bytes, item->len), err);
	}
}

static void on_announce(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_ids ids;
	if (wire_ids_decode(d->message, d->len, &ids) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	pull_want(g, m, ids.ids, ids.count, false);
}

void spread_on_message(struct gossip *g, struct member *m, const struct datagram *d)
{
	switch (d->type) {
	case WIRE_PUSH:
		on_push(g, m, d);
		break;
	case WIRE_ANNOUNCE:
		on_announce(g, m, d);
		break;
	case WIRE_PULL:
		pull_on_pull(g, m, d);
		break;
	default:
		pull_on_records(g, m, d);
	}
}
