/* What one stolen host can say, exhaustively: each kind of record there can be, about each sort of subject,
 * under each sort of writer, offered by PUSH, in answer to a PULL after an announcement, and in one after a
 * walk. All are well formed and signed by the stolen key. Accepted is exactly what design.md, section 6
 * allows: about itself, and the liveness of its own site.
 *
 * Rates are left out (gossip/defence.h), so that each is judged by what it says and not by how many came
 * before. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "tests/hostile/trial.h"

#define HOSTS 6
#define SITES 2
#define THIEF 5 /* of site-1 */
#define NEAR  3
#define FAR   0
#define HIT   1
#define KINDS 128
#define BATCH 100

enum route { PUSHED, PULLED, RECONCILED, ROUTES };
static const char *const routes[ROUTES] = {"push", "pull answer", "reconciliation"};

enum party { OWN, NEIGHBOUR, STRANGER, OWN_SITE, OTHER_SITE, ESTATE, OPERATOR, ISSUER, PARTIES };
static const char *const parties[PARTIES] = {"itself",      "a host of its site", "a host of another site",
					     "its site",    "another site",       "the estate",
					     "an operator", "an issuer"};

struct claim {
	uint8_t kind;
	enum party writer, subject;
	uint64_t slot;
	struct record_key key;
	uint64_t seq, id;
	size_t len;
	uint8_t bytes[LIMIT_RECORD_BYTES];
};

struct bench {
	struct trial t;
	struct actor *thief;
	struct id ids[PARTIES];
	struct claim *claims;
	size_t count, accepted, offered;
	bool good;
};

/* docs/protocol.md section 2, by hand: record_sign refuses some of these. */
static void claim_make(struct bench *b, struct claim *c)
{
	struct writer w = writer_of(c->bytes, sizeof(c->bytes));
	const struct id *estate = &b->t.w->estate.keys.estate;
	uint8_t to_sign[13 + ID_BYTES + LIMIT_RECORD_BYTES], signature[SIGNATURE_BYTES];
	c->seq = ++b->thief->seq;
	c->key = (struct record_key){c->kind, b->ids[c->writer], b->ids[c->subject], c->slot};
	writer_u8(&w, 0x9a);
	writer_u8(&w, 1);
	writer_u8(&w, c->kind);
	writer_u16(&w, 0xc410);
	writer_bytes(&w, c->key.writer.b, ID_BYTES);
	writer_u16(&w, 0xc410);
	writer_bytes(&w, c->key.subject.b, ID_BYTES);
	const uint64_t numbers[] = {c->slot, c->seq, 0xbad, world_wall(b->t.w)};
	for (size_t i = 0; i < 4; i++) {
		writer_u8(&w, 0xcf);
		writer_u64(&w, numbers[i]);
	}
	writer_u8(&w, 0x80);
	memcpy(to_sign, "mesh record 1", 13);
	memcpy(to_sign + 13, estate->b, ID_BYTES);
	memcpy(to_sign + 13 + ID_BYTES, c->bytes, w.len);
	identity_sign(b->thief->identity, to_sign, 13 + ID_BYTES + w.len, signature);
	writer_u16(&w, 0xc440);
	writer_bytes(&w, signature, sizeof(signature));
	CHECK(!w.failed);
	c->len = w.len;
	c->id = record_id(b->t.w->estate.keys.set_key, c->bytes, c->len);
	/* Otherwise the world would end the run at the first that is accepted. */
	struct record r;
	if (record_parse(c->bytes, c->len, &r) == ERR_OK)
		registry_add(&b->t.w->registry, &r, b->t.w->now);
}

static bool allowed(const struct claim *c)
{
	if (c->writer != OWN)
		return false;
	if (c->kind >= RECORD_PROFILE && c->kind <= 15)
		return c->subject == OWN && c->slot == 0;
	if (c->kind == RECORD_ROLLCALL)
		return c->subject == OWN_SITE && c->slot < 10;
	return c->kind > RECORD_ROLLCALL && c->kind <= 31 && c->subject == OWN_SITE && c->slot == 0;
}

static void offer(struct bench *b, enum route route)
{
	const struct id *hit = &b->t.w->nodes[HIT].id;
	uint64_t ids[BATCH];
	for (size_t i = 0; i < b->count; i++) {
		ids[i] = b->claims[i].id;
		if (route == PUSHED)
			peer_push(b->thief->peer, hit, b->claims[i].bytes, b->claims[i].len);
		else
			peer_hold(b->thief->peer, b->claims[i].bytes, b->claims[i].len);
	}
	if (route == PULLED)
		peer_announce(b->thief->peer, hit, ids, b->count);
	for (size_t i = 0; i < b->count && route == RECONCILED; i++) {
		uint8_t message[WIRE_MESSAGE_BYTES];
		const struct wire_leaf leaf = {.partition = id_short(&b->ids[OWN_SITE]),
					       .reply = true,
					       .first = ids[i],
					       .last = ids[i],
					       .count = 1,
					       .ids = {ids[i]}};
		peer_say(b->thief->peer, hit, WIRE_SYNC_LEAF, message, wire_leaf_encode(&leaf, message));
	}
	trial_run(&b->t, 1000);
}

static bool holds(const struct bench *b, const struct claim *c)
{
	uint64_t id = 0;
	return trial_holds(&b->t, HIT, &c->key, &id) == c->seq && id == c->id;
}

static void settle(struct bench *b, enum route route)
{
	uint64_t pulls = peer_heard(b->thief->peer, WIRE_PULL);
	offer(b, route);
	if (route != PUSHED && peer_heard(b->thief->peer, WIRE_PULL) == pulls) {
		printf("FAILED  nothing was pulled for: %s\n", routes[route]);
		b->good = false;
	}
	for (size_t i = 0; i < b->count; i++) {
		const struct claim *c = &b->claims[i];
		bool held = holds(b, c);
		b->offered++;
		b->accepted += held;
		if (held == allowed(c))
			continue;
		printf("FAILED  kind %u, writer %s, subject %s, slot %llu, by %s: %s\n", c->kind,
		       parties[c->writer], parties[c->subject], (unsigned long long)c->slot, routes[route],
		       held ? "accepted" : "refused");
		b->good = false;
	}
	b->count = 0;
}

static void claim_add(struct bench *b, enum route route, struct claim c)
{
	claim_make(b, &c);
	b->claims[b->count++] = c;
	if (b->count == BATCH)
		settle(b, route);
}

static void enumerate(struct bench *b, enum route route)
{
	static const uint64_t slots[] = {0, 9, 10, 0x123456789};
	for (unsigned kind = 0; kind < KINDS; kind++)
		for (int writer = 0; writer < PARTIES; writer++)
			for (int subject = 0; subject < PARTIES; subject++)
				for (size_t s = 0; s < sizeof(slots) / sizeof(slots[0]); s++)
					claim_add(b, route,
						  (struct claim){.kind = (uint8_t)kind,
								 .writer = (enum party)writer,
								 .subject = (enum party)subject,
								 .slot = slots[s]});
	if (b->count > 0)
		settle(b, route);
}

static void prepare(struct bench *b)
{
	struct trial *t = &b->t;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	t->seed = 1;
	t->weakened = 1ull << DEFENCE_LIAR | 1ull << DEFENCE_ORIGIN_SHARE | 1ull << DEFENCE_SENDER_RATE;
	trial_world(t, HOSTS, SITES);
	struct world *w = t->w;
	struct identity *person = estate_identity(t->seed, 1u << 27);
	trial_begin(t, 1u << THIEF);
	CHECK(authlog_make_operator(w->estate.log, w->estate.authority, identity_public_key(person), "person",
				    15, clock_day(world_wall(w)) + 100, world_wall(w), entry,
				    &len) == ERR_OK);
	CHECK(authlog_append(w->estate.log, entry, len) == ERR_OK);
	node_log(w, &w->nodes[HIT], entry, len);
	b->thief = actor_of(t, THIEF);
	b->ids[OWN] = w->nodes[THIEF].id;
	b->ids[NEIGHBOUR] = w->nodes[NEAR].id;
	b->ids[STRANGER] = w->nodes[FAR].id;
	b->ids[OWN_SITE] = w->site_ids[1];
	b->ids[OTHER_SITE] = w->site_ids[0];
	b->ids[ESTATE] = w->estate.keys.estate;
	b->ids[OPERATOR] = *identity_id(person);
	b->ids[ISSUER] = *identity_id(w->estate.first_issuer);
	identity_free(person);
	actor_meet(b->thief, HIT);
	peer_set_answers(b->thief->peer, PEER_CALM | PEER_PULLS);
	trial_run(t, 5000);
}

int main(void)
{
	struct bench b = {.good = true, .claims = sim_alloc(BATCH, sizeof(struct claim))};
	prepare(&b);
	for (int route = 0; route < ROUTES && !trial_over(&b.t); route++)
		enumerate(&b, (enum route)route);
	if (trial_over(&b.t)) {
		printf("FAILED  %s%s\n", b.t.how, b.t.w->failure);
		b.good = false;
	}
	/* Kinds 2 to 15 about itself; of its site 16 in two of the slots tried, 17 to 31 in slot 0. */
	size_t wanted = ROUTES * (14 + 2 + 15);
	printf("%zu records of a stolen key offered, %zu accepted: kinds 2 to 15 about itself, 16 to 31 of "
	       "its site\n",
	       b.offered, b.accepted);
	b.good =
	    b.good && b.accepted == wanted && b.offered == (size_t)ROUTES * KINDS * PARTIES * PARTIES * 4;
	trial_free(&b.t);
	free(b.claims);
	return b.good ? 0 : 1;
}
