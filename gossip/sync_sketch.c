/* Reconciliation by sketch (docs/protocol.md section 8), before anyone walks.
 *
 * Happy path: roots differ; this node asks the peer for the first block of its sketch, takes its own cells
 * off, and knows which records only one of the two holds: it pulls the one kind and names the other. One
 * round trip, whatever the size of the sets. Where more differs the first block tells how much, and the
 * blocks that are needed come at once. The peer keeps nothing of it. Fails: too much differs, or nothing
 * comes: the walk. A sketch that no honest set has, or that does not come out when it should, costs a bounded
 * number of cells; its sender is not asked again for a while. */
#include <stdlib.h>
#include <string.h>

#include "gossip/spread.h"
#include "gossip/sync.h"

#define AT_ONCE_FAR    8 /* blocks over an edge */
#define QUESTIONS_MAX  4
#define BEYOND_MS      10000 /* no sketch while so much differs … */
#define DOUBT_MS       30000 /* … nor of one whose sketches come to nothing … */
#define DOUBT_DOUBLED  6     /* … so many doublings … */
#define FORGIVEN_MS    3600000
#define SERVED_MS      125   /* of time that a block for one peer uses up … */
#define SERVED_MOST_MS 10000 /* … and eighty at once */

#ifdef MESH_WEAKEN
#define WORK_WEAKENED (1ull << 20) /* so that a trial without the bound ends */
#endif

/* One peer's sketch, being put together. */
struct exchange {
	struct member *peer; /* NULL: free */
	uint64_t nonce;      /* of the question */
	uint64_t root;       /* of the blocks */
	mono_ms heard_at;
	unsigned first, count; /* asked for … */
	unsigned arrived;      /* … and come */
	unsigned enough;       /* blocks in all with which it may well come out */
	unsigned questions;
	bool again; /* because nothing came */
	struct sketch_part *part;
};

struct sketches {
	struct exchange exchanges[LIMIT_SKETCHES];
};

enum err sync_sketch_init(struct gossip *g)
{
	g->sketches = calloc(1, sizeof *g->sketches);
	return g->sketches == NULL ? ERR_NOMEM : ERR_OK;
}

static void end(struct exchange *e)
{
	sketch_part_free(e->part);
	*e = (struct exchange){.peer = NULL};
}

void sync_sketch_free(struct gossip *g)
{
	for (size_t i = 0; g->sketches != NULL && i < LIMIT_SKETCHES; i++)
		end(&g->sketches->exchanges[i]);
	free(g->sketches);
	g->sketches = NULL;
}

static struct exchange *find(struct gossip *g, const struct member *m)
{
	for (size_t i = 0; i < LIMIT_SKETCHES; i++)
		if (g->sketches->exchanges[i].peer == m)
			return &g->sketches->exchanges[i];
	return NULL;
}

static bool abroad(const struct gossip *g, const struct member *m)
{
	return m->site != g->self->site;
}

/* --- asking --- */

static bool ask(struct gossip *g, struct exchange *e, uint64_t echo)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	const struct wire_sketch_pull pull = {.echo = echo,
					      .estate_root = set_estate_root(g->set),
					      .held = sketch_part_count(e->part) > 0 ? e->root : 0,
					      .first = e->first,
					      .count = e->count};
	size_t len = wire_sketch_pull_encode(&pull, message);
	if (!core_send(g, e->peer, WIRE_SKETCH_PULL, message, len, &e->nonce))
		return false;
	e->arrived = 0;
	e->questions++;
	e->heard_at = g->now;
	g->counters.sketches_asked++;
	core_deadline(g, g->now + sync_patience(g, e->peer));
	return true;
}

/* It names what it does not hand over, or its last sketches came to nothing. */
static bool doubted(const struct gossip *g, const struct member *m)
{
	return (g->now < m->sketch_after || m->pull_vain >= PULL_VAIN_MOST) &&
	       defence_on(g, DEFENCE_SKETCH_DOUBT);
}

bool sync_sketch_begin(struct gossip *g, struct member *m)
{
	if (find(g, m) != NULL)
		return true;
	struct exchange *e = find(g, NULL);
	if (e == NULL || doubted(g, m))
		return false;
	struct exchange begun = {.peer = m, .count = 1, .enough = 1};
	if (sketch_part_new(1, &begun.part) != ERR_OK)
		return false;
	*e = begun;
	if (ask(g, e, 0))
		return true;
	end(e);
	return false;
}

static void walk_instead(struct gossip *g, struct exchange *e)
{
	struct member *m = e->peer;
	end(e);
	if (m->session)
		sync_walk(g, m);
}

static void doubt(struct gossip *g, struct exchange *e)
{
	struct member *m = e->peer;
	g->counters.sketches_failed++;
	if (g->now > m->sketch_after + FORGIVEN_MS)
		m->sketch_failures = 0;
	m->sketch_after = g->now + ((mono_ms)DOUBT_MS << m->sketch_failures);
	m->sketch_failures = (uint8_t)(m->sketch_failures + (m->sketch_failures < DOUBT_DOUBLED));
	walk_instead(g, e);
}

/* --- what came out --- */

static int ascending(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

static void name(struct gossip *g, struct member *m, uint64_t *ids, size_t count, uint64_t echo)
{
	struct wire_offer o = {.echo = echo};
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (count > 1)
		qsort(ids, count, sizeof *ids, ascending);
	for (; count > 0; count -= o.count, ids += o.count) {
		o.count = count < WIRE_OFFER_IDS ? count : WIRE_OFFER_IDS;
		memcpy(o.ids, ids, o.count * sizeof *ids);
		core_send(g, m, WIRE_SKETCH_OFFER, message, wire_offer_encode(&o, message), NULL);
	}
}

/* Of each key the newer one goes to who has the older one, or none; of two of one seq both go, as proof. */
static void settle(struct gossip *g, struct exchange *e, const struct sketch_peeled *found, uint64_t echo)
{
	struct member *m = e->peer;
	size_t lacked = 0, offered = 0;
	uint64_t *ids = calloc(2 * found->count, sizeof *ids);
	if (ids == NULL) {
		walk_instead(g, e);
		return;
	}
	end(e);
	g->counters.sketches_decoded++;
	for (size_t i = 0; i < found->count; i++) {
		const struct sketch_unit *u = &found->units[i];
		if (u->theirs_held && u->ahead >= 0)
			ids[lacked++] = u->theirs;
		if (u->own_held && u->ahead <= 0)
			ids[2 * found->count - ++offered] = u->own;
	}
	name(g, m, ids + 2 * found->count - offered, offered, echo);
	m->sketch_settled = lacked + g->spread->pull_count <= LIMIT_PULLS;
	pull_want(g, m, ids, lacked, true);
	free(ids);
}

/* What is there is not enough: by what it tells of the rest, ask for that or walk. */
static void more(struct gossip *g, struct exchange *e, uint64_t echo)
{
	size_t keys = sketch_estimate(set_sketch(g->set), e->part);
	size_t have = sketch_part_count(e->part),
	       at_once = abroad(g, e->peer) ? AT_ONCE_FAR : LIMIT_SKETCH_BLOCKS;
	size_t need = (keys * 3 / 2 + 20 + SKETCH_BLOCK_CELLS - 1) / SKETCH_BLOCK_CELLS;
	if (need > LIMIT_SKETCH_BLOCKS || need > have + at_once * (QUESTIONS_MAX - 1)) {
		g->counters.sketches_beyond++;
		e->peer->sketch_after = g->now + BEYOND_MS;
		walk_instead(g, e);
		return;
	}
	if (need <= have) /* it should have come out: perhaps these do it */
		need = have + 1 + have / 8;
	unsigned next = sketch_part_begun(e->part) ? e->first + e->count : 0;
	if (e->questions == QUESTIONS_MAX || next == LIMIT_SKETCH_BLOCKS) {
		doubt(g, e);
		return;
	}
	size_t count = next == 0 ? need : need - have;
	count = count < at_once ? count : at_once;
	count = count < LIMIT_SKETCH_BLOCKS - next ? count : LIMIT_SKETCH_BLOCKS - next;
	e->first = next;
	e->count = (unsigned)count;
	e->enough = (unsigned)(keys * 27 / 20 / SKETCH_BLOCK_CELLS + 1);
	if (sketch_part_grow(e->part, next + (unsigned)count) != ERR_OK)
		walk_instead(g, e);
	else if (!ask(g, e, echo))
		end(e);
}

static uint64_t work_allowed(const struct gossip *g, const struct exchange *e)
{
#ifdef MESH_WEAKEN
	if (!defence_on(g, DEFENCE_SKETCH_WORK))
		return WORK_WEAKENED;
#else
	(void)g;
#endif
	return (uint64_t)sketch_part_count(e->part) * SKETCH_BLOCK_CELLS * SKETCH_WORK_A_CELL;
}

/* `all`: nothing more will come by itself. */
static void attempt(struct gossip *g, struct exchange *e, bool all, uint64_t echo)
{
	struct sketch_peeled found = {0};
	if (e->root == set_estate_root(g->set)) {
		end(e);
		return;
	}
	enum err err =
	    sketch_peel(set_sketch(g->set), e->part, set_sketch_lookup, g->set, work_allowed(g, e), &found);
	g->counters.sketch_cells += found.work;
	if (err == ERR_OK && found.count > 0)
		settle(g, e, &found, echo);
	else if (err == ERR_SHORT && all)
		more(g, e, echo);
	else if (err == ERR_NOMEM)
		walk_instead(g, e);
	else if (err != ERR_SHORT) /* also where roots differ and nothing else does */
		doubt(g, e);
	free(found.units);
}

static void on_sketch(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_sketch theirs;
	if (wire_sketch_decode(d->message, d->len, &theirs) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	struct exchange *e = find(g, m);
	if (e == NULL || theirs.echo != e->nonce)
		return;
	if (e->arrived == 0 && theirs.estate_root != e->root) {
		/* Its set has moved: this answer begins at the first block. */
		sketch_part_clear(e->part);
		e->root = theirs.estate_root;
		e->count += e->first;
		e->first = 0;
	}
	/* All blocks of an answer are of one set, each comes once, and none that was not asked for. */
	if (theirs.estate_root != e->root || theirs.number < e->first ||
	    theirs.number >= e->first + e->count || sketch_part_has(e->part, theirs.number))
		return;
	m->root = theirs.estate_root;
	e->heard_at = g->now;
	e->arrived++;
	g->counters.sketch_blocks_in++;
	sketch_part_put(e->part, theirs.number, &theirs.block);
	bool all = e->arrived == e->count;
	if (all || sketch_part_count(e->part) >= e->enough)
		attempt(g, e, all, d->nonce);
}

static void on_offer(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_offer theirs;
	if (wire_offer_decode(d->message, d->len, &theirs) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	m->sketch_settled = true;
	pull_want(g, m, theirs.ids, theirs.count, true);
}

static void wait(struct gossip *g, struct exchange *e)
{
	struct member *m = e->peer;
	mono_ms until = e->heard_at + sync_patience(g, m);
	if (!m->session || m->root == set_estate_root(g->set)) {
		end(e);
	} else if (until > g->now) {
		core_deadline(g, until);
	} else if (e->arrived > 0) {
		attempt(g, e, true, 0);
	} else if (e->questions < QUESTIONS_MAX && !e->again) {
		e->again = true;
		if (!ask(g, e, 0))
			end(e);
	} else {
		/* Perhaps it does not know sketches. */
		m->sketch_after = g->now + DOUBT_MS;
		walk_instead(g, e);
	}
}

void sync_sketch_tick(struct gossip *g)
{
	for (size_t i = 0; i < LIMIT_SKETCHES; i++)
		if (g->sketches->exchanges[i].peer != NULL)
			wait(g, &g->sketches->exchanges[i]);
}

/* --- answering --- */

/* Takes one block out of the peer's share. */
static bool served(struct gossip *g, struct member *m)
{
	if (m->sketch_served_until > g->now + SERVED_MOST_MS && defence_on(g, DEFENCE_SKETCH_SHARE)) {
		g->counters.sketches_refused++;
		return false;
	}
	m->sketch_served_until =
	    (m->sketch_served_until > g->now ? m->sketch_served_until : g->now) + SERVED_MS;
	return true;
}

static void on_pull(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_sketch_pull theirs;
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (wire_sketch_pull_decode(d->message, d->len, &theirs) != ERR_OK) {
		g->counters.dropped_schema++;
		return;
	}
	struct wire_sketch own = {.echo = d->nonce, .estate_root = set_estate_root(g->set)};
	m->root = theirs.estate_root;
	if (m->root == own.estate_root) {
		sync_equal(g, m, d->nonce);
		return;
	}
	sync_asked(g, m);
	unsigned end = theirs.first + theirs.count;
	own.number = theirs.held == own.estate_root ? theirs.first : 0;
	for (; own.number < end && served(g, m); own.number++) {
		sketch_block(set_sketch(g->set), own.number, &own.block);
		if (!core_send(g, m, WIRE_SKETCH, message, wire_sketch_encode(&own, message), NULL))
			break;
		g->counters.sketch_blocks_out++;
	}
}

void sync_sketch_on_message(struct gossip *g, struct member *m, const struct datagram *d)
{
	if (d->type == WIRE_SKETCH_PULL)
		on_pull(g, m, d);
	else if (d->type == WIRE_SKETCH)
		on_sketch(g, m, d);
	else
		on_offer(g, m, d);
}
