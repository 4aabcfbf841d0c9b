/* New records spread.
 *
 * Happy path: a record enters the set; urgent ones are pushed to a few peers at once, for the first hops; the
 * id of every one waits up to 100 ms for company and is announced to about log2(n) + 2 peers of the site.
 * Over the edges this node carries go news whose way leads there (edge_tree.c), and the ids of all others
 * later. Who lacks it pulls it (pull.c) and announces it in turn, so that a payload crosses to a node about
 * once. Fails: a lost push or announcement reaches the node from another peer; what all lost, the walk finds
 * (sync.c). Records a walk found are not announced in the own site, which had them before. */
#include "gossip/spread.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_MS        100
#define PUSH_PEERS      4
#define FANOUT_MAX      20
#define NEWS_AT_ONCE    64
#define LATE_URGENT_MS  800 /* by when a site that has it from elsewhere knows it throughout */
#define LATE_ROUTINE_MS 2000
#define FLUSH_BYTES     16384 /* of one announcement to all, that the budget is waited for */
#define IP6_BYTES       16    /* of an address: the larger headers */

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
	free(s->news.items);
	free(s->late.items);
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

const struct site *spread_origin(const struct gossip *g, const struct record_key *key)
{
	const struct member *m = member_find(g, &key->writer);
	if (m == NULL)
		m = member_find(g, &key->subject);
	return m == NULL ? NULL : m->site;
}

/* `hops` made so far inside this site. */
static void push_all(struct gossip *g, const struct record *r, const struct member *from, unsigned hops)
{
	struct member *peers[EDGE_PEERS_MAX];
	const struct site *origin = spread_origin(g, &r->key);
	size_t count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		if ((from == NULL || peers[i]->site != from->site) && edge_at_once(g, origin, peers[i]))
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

static bool queue_add(struct news_queue *q, const struct news *n)
{
	if (q->count == q->cap) {
		size_t cap = q->cap == 0 ? NEWS_AT_ONCE : q->cap * 2;
		struct news *items = cap > LIMIT_SPREAD_QUEUE ? NULL : realloc(q->items, cap * sizeof *items);
		if (items == NULL)
			return false; /* the walk will find it */
		q->items = items;
		q->cap = cap;
	}
	q->items[q->count++] = *n;
	return true;
}

/* A burst does not set the footprint for ever. */
static void queue_shrink(struct news_queue *q)
{
	if (q->count > 0 || q->cap <= NEWS_AT_ONCE)
		return;
	free(q->items);
	*q = (struct news_queue){.items = NULL};
}

static void news_add(struct gossip *g, const struct news *n)
{
	struct spread *s = g->spread;
	if (queue_add(&s->news, n) && s->news.count == 1)
		s->flush_at = g->now + FLUSH_MS;
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
	const struct news n = {.id = id,
			       .from = from,
			       .origin = spread_origin(g, &r->key),
			       .late_at =
				   g->now + (urgency == GOSSIP_URGENT ? LATE_URGENT_MS : LATE_ROUTINE_MS)};
	news_add(g, &n);
}

enum whom { IN_SITE, AT_ONCE, LATE };

static bool told_to(const struct gossip *g, const struct news *n, const struct member *m, enum whom whom)
{
	if (n->from == m || (whom != IN_SITE && n->from != NULL && n->from->site == m->site))
		return false;
	if (whom == LATE && n->late_at > g->now)
		return false;
	if (!set_has_id(g->set, n->id))
		return false; /* superseded while it waited */
	return whom == IN_SITE || edge_at_once(g, n->origin, m) == (whom == AT_ONCE);
}

static void announce_to(struct gossip *g, const struct news_queue *q, struct member *m, enum whom whom)
{
	struct wire_ids ids = {0};
	uint8_t message[WIRE_MESSAGE_BYTES];
	for (size_t i = 0; i <= q->count; i++) {
		bool last = i == q->count;
		if (ids.count == WIRE_IDS || (last && ids.count > 0)) {
			size_t len = wire_ids_encode(&ids, message);
			if (core_send(g, m, WIRE_ANNOUNCE, message, len, NULL))
				g->counters.announced_ids_out += ids.count;
			ids.count = 0;
		}
		if (!last && told_to(g, &q->items[i], m, whom))
			ids.ids[ids.count++] = q->items[i].id;
	}
}

static void announce_over_edges(struct gossip *g, const struct news_queue *q, enum whom whom)
{
	struct member *peers[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		announce_to(g, q, peers[i], whom);
}

/* What did not cross every edge at once. */
static void keep_for_later(struct gossip *g)
{
	struct spread *s = g->spread;
	struct member *peers[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, peers, EDGE_PEERS_MAX);
	for (size_t n = 0; n < s->news.count; n++) {
		const struct news *news = &s->news.items[n];
		bool all = true;
		for (size_t i = 0; i < count && all; i++)
			all = edge_at_once(g, news->origin, peers[i]);
		if (all || !queue_add(&s->late, news))
			continue;
		if (s->late.count == 1 || news->late_at < s->late_at)
			s->late_at = news->late_at;
	}
}

static void flush_late(struct gossip *g)
{
	struct spread *s = g->spread;
	size_t kept = 0;
	announce_over_edges(g, &s->late, LATE);
	s->late_at = g->now + LATE_ROUTINE_MS;
	for (size_t i = 0; i < s->late.count; i++) {
		const struct news *n = &s->late.items[i];
		if (n->late_at <= g->now)
			continue;
		if (n->late_at < s->late_at)
			s->late_at = n->late_at;
		s->late.items[kept++] = *n;
	}
	s->late.count = kept;
	queue_shrink(&s->late);
}

/* News that have to wait for the budget go together, which costs less. */
static bool flush_waits(struct gossip *g, size_t fanout)
{
	struct spread *s = g->spread;
	struct member *edges[EDGE_PEERS_MAX];
	size_t ids = s->news.count < WIRE_IDS ? s->news.count : WIRE_IDS;
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
		announce_to(g, &s->news, peers[i], IN_SITE);
	announce_over_edges(g, &s->news, AT_ONCE);
	keep_for_later(g);
	s->news.count = 0;
	queue_shrink(&s->news);
}

void spread_tick(struct gossip *g)
{
	struct spread *s = g->spread;
	if (s->news.count > 0 && s->flush_at <= g->now)
		flush(g);
	if (s->news.count > 0)
		core_deadline(g, s->flush_at);
	if (s->late.count > 0 && s->late_at <= g->now)
		flush_late(g);
	if (s->late.count > 0)
		core_deadline(g, s->late_at);
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
