/* Lies in sketches. The attacker asks its victim for the very blocks it is asked for, bends them, and gives
 * them back as its own: so the difference is what it wants it to be. */
#include <stdlib.h>
#include <string.h>

#include "gossip/sketch.h"
#include "tests/hostile/attacks.h"

#define HOSTS  8
#define SITES  2
#define THIEF  7
#define VICTIM 1
#define SECOND 1000
#define LASTS  (300 * SECOND)

static struct actor *insider(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	actor_meet_all(actor_of(t, THIEF));
	return actor_of(t, THIEF);
}

static void bend(struct wire_sketch *w, const struct sketch *by, bool one_cell)
{
	struct sketch_block b;
	sketch_block(by, w->number, &b);
	for (size_t i = one_cell ? 1 : 0; i < SKETCH_BLOCK_CELLS; i++) {
		w->block.cells[i].ids += b.cells[i].ids;
		w->block.cells[i].keys += b.cells[i].keys;
		w->block.cells[i].weights += b.cells[i].weights;
		if (one_cell && b.cells[i].ids != 0)
			break;
	}
}

static struct sketch *fresh(const struct actor *a)
{
	struct sketch *s = NULL;
	CHECK(sketch_new(a->t->w->estate.keys.set_key, &s) == ERR_OK);
	return s;
}

/* A few cells that hold what no keys add up to. */
static void noise(struct actor *a, struct wire_sketch *w, struct prng *prng)
{
	(void)a;
	for (size_t i = 0; i < 4; i++) {
		w->block.cells[i * 7].ids += prng_u64(prng) | 1;
		w->block.cells[i * 7].weights += (uint32_t)prng_u64(prng);
	}
}

/* Nothing: the sets are the same, and the root is not. */
static void nothing(struct actor *a, struct wire_sketch *w, struct prng *prng)
{
	(void)a;
	(void)w;
	(void)prng;
}

/* Records that do not exist. */
static void inventions(struct actor *a, struct wire_sketch *w, struct prng *prng)
{
	struct sketch *s = fresh(a);
	for (size_t i = 0; i < 20; i++)
		sketch_add(s, prng_u64(prng), prng_u64(prng), i);
	bend(w, s, false);
	sketch_free(s);
}

/* In one cell a certificate has changed, in the others of its key it has not. */
static void contradiction(struct actor *a, struct wire_sketch *w, struct prng *prng)
{
	const uint8_t *set_key = a->t->w->estate.keys.set_key;
	const struct node *n = &a->t->w->nodes[0];
	struct sketch *s = fresh(a);
	struct record r;
	(void)prng;
	CHECK(record_parse(n->certificate, n->certificate_len, &r) == ERR_OK);
	uint64_t key_hash = record_key_hash(set_key, &r.key), id = record_id(set_key, r.bytes, r.len);
	sketch_take(s, key_hash, id, r.seq);
	sketch_add(s, key_hash, id ^ 0xff00, r.seq + 1);
	bend(w, s, true);
	sketch_free(s);
}

struct lie {
	void (*tell)(struct actor *a, struct wire_sketch *w, struct prng *prng);
	uint64_t question; /* nonce of the victim's last one */
};

static bool answer(struct actor *a, const struct address *from, const struct datagram *d)
{
	struct lie *lie = a->context;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_sketch_pull pull;
	struct wire_sketch sketch;
	struct prng prng;
	(void)from;
	if (d->type == WIRE_SKETCH_PULL && wire_sketch_pull_decode(d->message, d->len, &pull) == ERR_OK) {
		lie->question = d->nonce;
		pull.estate_root = 0xbad;
		pull.held = 0;
		pull.count += pull.first;
		pull.first = 0;
		peer_say(a->peer, &d->source, WIRE_SKETCH_PULL, message,
			 wire_sketch_pull_encode(&pull, message));
	}
	if (d->type == WIRE_SKETCH && wire_sketch_decode(d->message, d->len, &sketch) == ERR_OK) {
		prng_seed(&prng, lie->question);
		sketch.echo = lie->question;
		sketch.estate_root ^= 0xdead0000beef;
		lie->tell(a, &sketch, &prng);
		peer_say(a->peer, &d->source, WIRE_SKETCH, message, wire_sketch_encode(&sketch, message));
	}
	return false;
}

/* Its root differs all the time; now and then it has something new, so that it is worth asking. */
static struct gossip_counters tempt(struct trial *t,
				    void (*tell)(struct actor *, struct wire_sketch *, struct prng *))
{
	struct actor *a = insider(t);
	struct lie lie = {.tell = tell};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct gossip_counters before = trial_counters(t, VICTIM);
	a->context = &lie;
	a->heard = answer;
	for (mono_ms at = 0; at < LASTS && !trial_over(t); at += 500) {
		peer_claim_root(a->peer, at + 1);
		peer_ping(a->peer, &t->w->nodes[VICTIM].id);
		if (at % (10 * SECOND) == 0)
			actor_push(a, VICTIM, bytes, actor_health(a, at, bytes));
		trial_run(t, 500);
	}
	struct gossip_counters after = trial_counters(t, VICTIM);
	a->heard = NULL;
	after.sketches_asked -= before.sketches_asked;
	after.sketches_failed -= before.sketches_failed;
	after.sketch_cells -= before.sketch_cells;
	after.sketch_blocks_in -= before.sketch_blocks_in;
	mono_ms took = trial_news(t, 0, GOSSIP_ROUTINE, 20 * SECOND);
	trial_promise(t, took <= 4 * SECOND, "routine news take %u ms", (unsigned)took);
	return after;
}

static void sketch_undecodable(struct trial *t)
{
	struct gossip_counters c = tempt(t, noise);
	trial_need(t, c.sketches_failed > 0, "no sketch came to nothing");
	trial_promise(t, c.sketches_failed <= 5, "%u sketches that never come out in five minutes",
		      (unsigned)c.sketches_failed);
}

static void sketch_wrong_root(struct trial *t)
{
	struct gossip_counters c = tempt(t, nothing);
	trial_need(t, c.sketches_failed > 0, "nobody saw that nothing differs");
	trial_promise(t, c.sketches_failed <= 5, "%u sketches of the same set in five minutes",
		      (unsigned)c.sketches_failed);
}

static void sketch_of_nothing(struct trial *t)
{
	struct gossip_counters c = tempt(t, inventions);
	trial_need(t, c.sketch_blocks_in > 0, "it sent no sketch");
	trial_promise(t, c.sketch_blocks_in <= 4, "%u sketches of inventions in five minutes",
		      (unsigned)c.sketch_blocks_in);
}

static void sketch_endless(struct trial *t)
{
	struct gossip_counters c = tempt(t, contradiction);
	trial_need(t, c.sketch_blocks_in > 0, "it sent no sketch");
	trial_promise(t, c.sketch_cells <= c.sketch_blocks_in * SKETCH_BLOCK_CELLS * SKETCH_WORK_A_CELL,
		      "%u cells were written to for %u blocks", (unsigned)c.sketch_cells,
		      (unsigned)c.sketch_blocks_in);
}

static void sketch_drain(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t message[WIRE_MESSAGE_BYTES];
	const struct wire_sketch_pull pull = {.estate_root = 0xbad, .count = LIMIT_SKETCH_BLOCKS};
	uint64_t before = peer_heard(a->peer, WIRE_SKETCH);
	for (int i = 0; i < 1000 && !trial_over(t); i++) {
		peer_say(a->peer, &t->w->nodes[VICTIM].id, WIRE_SKETCH_PULL, message,
			 wire_sketch_pull_encode(&pull, message));
		trial_run(t, 20);
	}
	uint64_t got = peer_heard(a->peer, WIRE_SKETCH) - before;
	trial_need(t, got > 0, "it got no sketch");
	trial_promise(t, got <= 80 + 20 * 8 + 2, "it drew %u blocks in 20 s", (unsigned)got);
	mono_ms took = trial_news(t, 0, GOSSIP_ROUTINE, 20 * SECOND);
	trial_promise(t, took <= 3 * SECOND, "routine news take %u ms", (unsigned)took);
}

const struct attack attacks_sketch[] = {
    {"sketch_undecodable", "an insider whose root always differs sends sketches that never come out",
     "five in five minutes are asked of it, and the news of others", DEFENCE_SKETCH_DOUBT,
     sketch_undecodable},
    {"sketch_wrong_root", "an insider gives another root to a sketch of the same set",
     "five in five minutes are asked of it, and the news of others", DEFENCE_SKETCH_DOUBT, sketch_wrong_root},
    {"sketch_of_nothing", "an insider's sketches name records that do not exist",
     "four in five minutes are asked of it, and the news of others", DEFENCE_SKETCH_DOUBT, sketch_of_nothing},
    {"sketch_endless",
     "an insider sends a sketch that contradicts itself, so that taking it apart would not end",
     "32 cells are written to for each that came", DEFENCE_SKETCH_WORK, sketch_endless},
    {"sketch_drain", "a stolen host asks for all blocks 50 times a second",
     "it gets 80 at once, then 8 a second", DEFENCE_SKETCH_SHARE, sketch_drain},
    {0},
};
