/* Reconciliation: when it is due, and the walk of docs/protocol.md section 8, stateless on both sides.
 *
 * Happy path: a PING or ACK shows another estate root; after some jitter a sketch settles it (sync_sketch.c).
 * Where it does not, this node sends its partitions' roots; the two go down the trie, each answering with its
 * own hashes of what differs; a leaf's list makes its receiver pull what it lacks and name what the list
 * lacks. Where more was found than one walk answers, the next begins as soon as all that was asked for has
 * come. Fails: a lost message ends its branch; who began the walk begins again when nothing more is heard and
 * the roots still differ, a few times, then at a later PING. Walks that bring nothing are spaced out. Site
 * records are not in the estate root: they are compared in each walk, at the start of a session, and every
 * half minute with whoever answers. */
#include <stdlib.h>
#include <string.h>

#include "gossip/pace.h"
#include "gossip/spread.h"
#include "gossip/sync.h"

#define ANSWERS_MAX  8 /* datagrams in answer to one */
#define DUE_MAX      8
#define REFRESH_MS   30000
#define ACTIVE_MAX   8
#define RESTARTS_MAX 3

struct walk {
	struct member *peer;
	mono_ms at;
	bool forced; /* also when the estate roots agree */
};

/* A walk this node began; all it keeps of one, and only to see it stall. */
struct active {
	struct member *peer; /* NULL: free */
	mono_ms heard_at;
	unsigned restarts;
};

struct sync {
	struct walk due[DUE_MAX];
	size_t due_count;
	struct active active[ACTIVE_MAX];
	mono_ms refreshed_at;
	uint64_t cursor; /* first partition of the next walk, where one walk cannot name all */
};

enum err sync_init(struct gossip *g)
{
	g->sync = calloc(1, sizeof *g->sync);
	if (g->sync == NULL)
		return ERR_NOMEM;
	g->sync->refreshed_at = g->now;
	return ERR_OK;
}

void sync_free(struct gossip *g)
{
	free(g->sync);
	g->sync = NULL;
}

/* --- when to walk --- */

static void schedule(struct gossip *g, struct member *m, mono_ms at, bool forced)
{
	struct sync *s = g->sync;
	for (size_t i = 0; i < s->due_count; i++) {
		struct walk *w = &s->due[i];
		if (w->peer != m)
			continue;
		w->forced |= forced;
		if (at < w->at)
			w->at = at;
		return;
	}
	/* Else a later PING says it again. Who has to wait for long holds no place that others need. */
	size_t place = s->due_count;
	for (size_t i = 0; place == DUE_MAX && i < DUE_MAX; i++)
		if (s->due[i].at > at + g->timing.sync_ms && !s->due[i].forced)
			place = i;
	if (place == DUE_MAX)
		return;
	s->due[place] = (struct walk){.peer = m, .at = at, .forced = forced};
	s->due_count += place == s->due_count;
}

/* Earliest time of a walk with `m` for a difference seen now. */
static mono_ms polite(struct gossip *g, const struct member *m)
{
	/* Not at once, so that what is on its way can come first. */
	mono_ms at = g->now + core_jitter(g, g->timing.sync_ms * 3 / 8, 0.6);
	mono_ms paced = pace_with(g, m);
	if (!defence_on(g, DEFENCE_WALK_PACE))
		return g->now;
	return at > paced ? at : paced;
}

void sync_on_root(struct gossip *g, struct member *m, uint64_t root)
{
	struct sync *s = g->sync;
	m->root = root;
	if (root != set_estate_root(g->set)) {
		schedule(g, m, polite(g, m), false);
		return;
	}
	pace_equal(g, m);
	if (g->now - s->refreshed_at >= REFRESH_MS) {
		s->refreshed_at = g->now;
		schedule(g, m, polite(g, m), true);
	}
}

void sync_on_session(struct gossip *g, struct member *m)
{
	schedule(g, m, g->now + prng_below(&g->prng, g->timing.sync_ms / 8 + 1), true);
}

void sync_on_rollcall(struct gossip *g, struct site *site, const uint64_t trie[16], struct member *from)
{
	uint64_t children[SET_CHILDREN];
	set_children(g->set, site->partition, children);
	if (memcmp(children, trie, sizeof children) == 0)
		return;
	struct member *edges[EDGE_PEERS_MAX];
	size_t count = edge_peers(g, edges, EDGE_PEERS_MAX);
	for (size_t i = 0; i < count; i++)
		if (edges[i]->site == site) {
			schedule(g, edges[i], polite(g, edges[i]), true);
			return;
		}
	/* Whoever has the same set as this node cannot mend it. */
	if (from != NULL && from != g->self && from->session && from->root != set_estate_root(g->set))
		schedule(g, from, polite(g, from), false);
}

/* --- the walk --- */

static bool send(struct gossip *g, struct member *m, enum wire_type type, const uint8_t *message, size_t len)
{
	g->counters.walk_messages_out++;
	return core_send(g, m, type, message, len, NULL);
}

/* Name the partitions from `first` on, in as many messages as allowed. */
static void send_roots(struct gossip *g, struct member *m)
{
	struct sync *s = g->sync;
	uint64_t partitions[WIRE_ROOTS], roots[WIRE_ROOTS];
	uint8_t message[WIRE_MESSAGE_BYTES];
	uint64_t first = s->cursor;
	for (size_t sent = 0; sent < ANSWERS_MAX; sent++) {
		size_t count = set_partitions(g->set, first, WIRE_ROOTS, partitions, roots);
		struct wire_roots body = {.estate_root = set_estate_root(g->set),
					  .first = first,
					  .last = count < WIRE_ROOTS ? UINT64_MAX : partitions[count - 1],
					  .count = count};
		for (size_t i = 0; i < count; i++) {
			body.roots[i].partition = partitions[i];
			body.roots[i].root = roots[i];
		}
		send(g, m, WIRE_SYNC_ROOTS, message, wire_roots_encode(&body, message));
		first = body.last + 1; /* 0 after the last */
		if (first == s->cursor || (first == 0 && s->cursor == 0))
			break;
	}
	s->cursor = first;
}

static struct active *active_find(struct sync *s, const struct member *m)
{
	for (size_t i = 0; i < ACTIVE_MAX; i++)
		if (s->active[i].peer == m)
			return &s->active[i];
	return NULL;
}

/* Of partition 1 neither estate root nor sketch tells. */
static void send_site_root(struct gossip *g, struct member *m)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_roots body = {
	    .estate_root = set_estate_root(g->set), .first = SET_PARTITION_SITE, .last = SET_PARTITION_SITE};
	body.roots[0].partition = SET_PARTITION_SITE;
	body.roots[0].root = set_partition_root(g->set, SET_PARTITION_SITE);
	body.count = body.roots[0].root != 0;
	send(g, m, WIRE_SYNC_ROOTS, message, wire_roots_encode(&body, message));
}

void sync_walk(struct gossip *g, struct member *m)
{
	struct sync *s = g->sync;
	struct active *a = active_find(s, m);
	if (a == NULL)
		a = active_find(s, NULL);
	if (a != NULL) {
		a->restarts = a->peer == m ? a->restarts : 0;
		a->peer = m;
		a->heard_at = g->now;
	}
	m->sync_at = g->now;
	m->sketch_settled = false;
	g->counters.walks_started++;
	send_roots(g, m);
}

static void start(struct gossip *g, struct member *m, bool forced)
{
	if (!m->session)
		return;
	m->sync_at = g->now;
	if (forced)
		send_site_root(g, m);
	if (m->root == set_estate_root(g->set))
		return;
	pace_begun(g, m);
	if (!sync_sketch_begin(g, m))
		sync_walk(g, m);
}

void sync_drained(struct gossip *g, struct member *m)
{
	struct active *a = active_find(g->sync, m);
	if (a != NULL)
		a->restarts = 0; /* it bears fruit */
	bool more = pace_goes_on(m);
	if (m->session && more && !m->sketch_settled)
		sync_walk(g, m);
}

mono_ms sync_patience(const struct gossip *g, const struct member *m)
{
	return m->site == g->self->site ? SYNC_STALLED_NEAR_MS : SYNC_STALLED_FAR_MS;
}

/* Begin again where a walk stalled; forget it when it is done, or in vain. */
static void watch(struct gossip *g, struct active *a)
{
	struct member *m = a->peer;
	mono_ms stalled = sync_patience(g, m);
	if (m->root == set_estate_root(g->set) || !m->session) {
		a->peer = NULL;
		return;
	}
	if (g->spread->catching_up > 0) /* what it found is on its way */
		a->heard_at = g->now;
	if (a->heard_at + stalled > g->now) {
		core_deadline(g, a->heard_at + stalled);
	} else if (a->restarts == RESTARTS_MAX || !pace_worth(g, m)) {
		a->peer = NULL;
		g->counters.walks_given_up++;
	} else {
		a->restarts++;
		sync_walk(g, m);
		core_deadline(g, a->heard_at + stalled);
	}
}

void sync_tick(struct gossip *g)
{
	struct sync *s = g->sync;
	for (size_t i = 0; i < s->due_count;) {
		struct walk w = s->due[i];
		mono_ms free = pace_with_any(g);
		mono_ms at = w.forced || w.at > free ? w.at : free;
		if (at > g->now) {
			core_deadline(g, at);
			i++;
			continue;
		}
		s->due[i] = s->due[--s->due_count];
		if (w.forced || w.peer->root != set_estate_root(g->set))
			start(g, w.peer, w.forced);
	}
	for (size_t i = 0; i < ACTIVE_MAX; i++)
		if (s->active[i].peer != NULL)
			watch(g, &s->active[i]);
}

void sync_asked(struct gossip *g, struct member *m)
{
	struct sync *s = g->sync;
	m->sync_at = g->now;
	for (size_t i = 0; i < s->due_count; i++)
		if (s->due[i].peer == m && !s->due[i].forced) {
			s->due[i] = s->due[--s->due_count];
			return;
		}
}

/* So that a walk between equal sets does not look like one that stalled. Names no partition. */
void sync_equal(struct gossip *g, struct member *m, uint64_t echo)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_roots body = {.echo = echo, .estate_root = set_estate_root(g->set)};
	send(g, m, WIRE_SYNC_ROOTS, message, wire_roots_encode(&body, message));
}

static void answer_children(struct gossip *g, struct member *m, uint64_t echo, uint64_t partition)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_node body = {.echo = echo, .partition = partition, .level = 0};
	set_children(g->set, partition, body.hashes);
	send(g, m, WIRE_SYNC_NODE, message, wire_node_encode(&body, message));
}

/* Differing partitions; where there are too many to answer all, each has the same chance. */
struct sample {
	size_t seen;
	size_t count;
	uint64_t partitions[ANSWERS_MAX];
};

static void sample_add(struct gossip *g, struct sample *s, uint64_t partition)
{
	s->seen++;
	if (s->count < ANSWERS_MAX) {
		s->partitions[s->count++] = partition;
		return;
	}
	uint64_t at = prng_below(&g->prng, s->seen);
	if (at < ANSWERS_MAX)
		s->partitions[at] = partition;
}

static void on_roots(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_roots theirs;
	if (wire_roots_decode(d->message, d->len, &theirs) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	m->root = theirs.estate_root;
	if (theirs.echo == 0 && theirs.last == UINT64_MAX && m->root == set_estate_root(g->set))
		sync_equal(g, m, d->nonce);
	struct sample differing = {0};
	size_t at = 0;
	for (uint64_t from = theirs.first; at < theirs.count || from <= theirs.last;) {
		uint64_t own = 0, root = 0;
		bool mine = set_partitions(g->set, from, 1, &own, &root) == 1 && own <= theirs.last;
		uint64_t named = at < theirs.count ? theirs.roots[at].partition : 0;
		if (at < theirs.count && (!mine || named < own)) {
			sample_add(g, &differing, named);
			at++;
			continue;
		}
		if (!mine)
			break;
		if (at == theirs.count || named > own || theirs.roots[at].root != root)
			sample_add(g, &differing, own);
		at += at < theirs.count && named == own;
		if (own == UINT64_MAX)
			break;
		from = own + 1;
	}
	for (size_t i = 0; i < differing.count; i++)
		answer_children(g, m, d->nonce, differing.partitions[i]);
}

/* Own ids of a leaf, page by page, as long as there is budget. */
static size_t send_leaf(struct gossip *g, struct member *m, uint64_t echo, uint64_t partition, uint8_t leaf,
			size_t budget)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_leaf body = {.echo = echo, .partition = partition, .leaf = leaf, .more = true};
	size_t sent = 0;
	for (uint64_t from = 0; sent < budget && body.more; sent++) {
		/* A leaf too long for one answer goes on at a random id, so that in time all of it is told.
		 */
		if (sent == ANSWERS_MAX / 2)
			from += prng_below(&g->prng, UINT64_MAX - from);
		body.count = set_leaf_ids(g->set, partition, leaf, from, WIRE_LEAF_IDS, body.ids, &body.more);
		body.first = from;
		body.last = body.more ? body.ids[body.count - 1] : UINT64_MAX;
		send(g, m, WIRE_SYNC_LEAF, message, wire_leaf_encode(&body, message));
		from = body.last + 1;
	}
	return sent;
}

static void on_node(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_node theirs;
	if (wire_node_decode(d->message, d->len, &theirs) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	uint64_t own[SET_CHILDREN];
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (theirs.level == 0)
		set_children(g->set, theirs.partition, own);
	else
		set_leaves(g->set, theirs.partition, theirs.child, own);
	/* Begins anywhere, so that what the bound leaves out differs from walk to walk. */
	uint64_t begin = prng_below(&g->prng, SET_CHILDREN);
	size_t budget = ANSWERS_MAX;
	for (size_t i = 0; i < SET_CHILDREN && budget > 0; i++) {
		uint8_t child = (uint8_t)((begin + i) % SET_CHILDREN);
		if (own[child] == theirs.hashes[child])
			continue;
		if (theirs.level == 1) {
			uint8_t leaf = (uint8_t)(theirs.child * SET_CHILDREN + child);
			budget -= send_leaf(g, m, d->nonce, theirs.partition, leaf, budget);
			continue;
		}
		struct wire_node body = {
		    .echo = d->nonce, .partition = theirs.partition, .level = 1, .child = child};
		set_leaves(g->set, theirs.partition, child, body.hashes);
		send(g, m, WIRE_SYNC_NODE, message, wire_node_encode(&body, message));
		budget--;
	}
}

/* Name own ids of the range that their list lacks. Both lists ascend. */
static void name_missing(struct gossip *g, struct member *m, uint64_t echo, const struct wire_leaf *theirs)
{
	uint64_t own[WIRE_LEAF_IDS];
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_leaf body = *theirs;
	size_t at = 0;
	bool more = true;
	body.echo = echo;
	body.reply = true;
	for (size_t sent = 0; sent < ANSWERS_MAX && more;) {
		size_t count = set_leaf_ids(g->set, theirs->partition, theirs->leaf, body.first,
					    WIRE_LEAF_IDS, own, &more);
		body.count = 0;
		for (size_t i = 0; i < count && own[i] <= theirs->last; i++) {
			while (at < theirs->count && theirs->ids[at] < own[i])
				at++;
			if (at == theirs->count || theirs->ids[at] != own[i])
				body.ids[body.count++] = own[i];
		}
		more = more && own[count - 1] < theirs->last;
		body.more = more;
		body.last = more ? own[count - 1] : theirs->last;
		if (body.count > 0) {
			send(g, m, WIRE_SYNC_LEAF, message, wire_leaf_encode(&body, message));
			sent++;
		}
		body.first = body.last + 1;
	}
}

void sync_on_message(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct active *a = active_find(g->sync, m);
	if (a != NULL)
		a->heard_at = g->now;
	if (d->type == WIRE_SYNC_ROOTS) {
		on_roots(g, m, d);
		return;
	}
	if (d->type == WIRE_SYNC_NODE) {
		on_node(g, m, d);
		return;
	}
	struct wire_leaf leaf;
	if (wire_leaf_decode(d->message, d->len, &leaf) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	pull_want(g, m, leaf.ids, leaf.count, true);
	if (!leaf.reply)
		name_missing(g, m, d->nonce, &leaf);
}
