#include "villain.h"

#include <stdlib.h>
#include <string.h>

#include "tests/hostile/peer.h"

#define FRIENDS_NEAR 12
#define FRIENDS_FAR  4
#define FIRST_SEQ    100000

struct villain {
	struct world *w;
	struct node *n;
	struct prng prng;
	struct peer *peer;
	unsigned deeds;
	uint64_t seq, said;
	uint32_t friends[FRIENDS_NEAR + FRIENDS_FAR]; /* whom it bothers */
	uint32_t hello_next;
};

static void send(void *context, const struct address *from, const struct address *to, const uint8_t *bytes,
		 size_t len)
{
	const struct villain *v = context;
	net_send(v->w, from, to, bytes, len);
}

static void drop(struct villain *v, const struct datagram *d)
{
	struct wire_ids ids;
	if (d->type != WIRE_ANNOUNCE || wire_ids_decode(d->message, d->len, &ids) != ERR_OK)
		return;
	for (size_t i = 0; i < FRIENDS_NEAR; i++)
		v->said += peer_announce(v->peer, &v->w->nodes[v->friends[i]].id, ids.ids, ids.count);
}

static void mislead(struct villain *v, const struct datagram *d)
{
	uint8_t message[WIRE_MESSAGE_BYTES];
	uint64_t partition = id_short(&v->w->site_ids[prng_below(&v->prng, v->w->site_count)]);
	if (d->type == WIRE_SYNC_ROOTS) {
		struct wire_node node = {.echo = d->nonce, .partition = partition};
		for (size_t i = 0; i < WIRE_CHILDREN; i++)
			node.hashes[i] = prng_u64(&v->prng);
		v->said +=
		    peer_say(v->peer, &d->source, WIRE_SYNC_NODE, message, wire_node_encode(&node, message));
	} else if (d->type == WIRE_SYNC_NODE) {
		struct wire_leaf leaf = {.echo = d->nonce, .partition = partition, .last = UINT64_MAX};
		for (size_t i = 0; i < 64; i++)
			leaf.ids[leaf.count++] = (i + 1) * (UINT64_MAX / 80) + prng_below(&v->prng, 1000000);
		v->said +=
		    peer_say(v->peer, &d->source, WIRE_SYNC_LEAF, message, wire_leaf_encode(&leaf, message));
	} else if (d->type == WIRE_SKETCH_PULL) {
		struct wire_sketch sketch = {.echo = d->nonce, .estate_root = prng_u64(&v->prng)};
		for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++)
			if (prng_chance(&v->prng, 0.5))
				sketch.block.cells[i].ids = prng_u64(&v->prng);
		v->said +=
		    peer_say(v->peer, &d->source, WIRE_SKETCH, message, wire_sketch_encode(&sketch, message));
	}
}

static bool heard(void *context, struct peer *p, const struct address *from, const struct datagram *d)
{
	struct villain *v = context;
	(void)p;
	(void)from;
	if ((v->deeds & VILLAIN_DROPS) != 0)
		drop(v, d);
	if ((v->deeds & VILLAIN_DIGESTS) != 0)
		mislead(v, d);
	return false;
}

static void hear(void *context, const struct address *from, const uint8_t *bytes, size_t len)
{
	const struct villain *v = context;
	peer_hear(v->peer, from, bytes, len);
}

struct villain *villain_new(struct world *w, struct node *n, unsigned deeds, uint64_t seed)
{
	struct villain *v = sim_alloc(1, sizeof(*v));
	*v = (struct villain){.w = w, .n = n, .deeds = deeds, .seq = FIRST_SEQ};
	prng_seed(&v->prng, seed);
	while (v->deeds == 0)
		v->deeds = (unsigned)prng_u64(&v->prng) & VILLAIN_ALL;
	const struct peer_options o = {.identity = n->identity,
				       .certificate = n->certificate,
				       .certificate_len = n->certificate_len,
				       .keys = w->estate.keys,
				       .log = w->estate.log,
				       .address = n->address,
				       .today = clock_day(world_wall(w)),
				       .seed = seed,
				       .answers = PEER_CALM,
				       .send = send,
				       .heard = heard,
				       .context = v};
	v->peer = peer_new(&o);
	for (size_t i = 0; i < FRIENDS_NEAR + FRIENDS_FAR; i++) {
		uint32_t in_site = (w->node_count - n->site + w->site_count - 1) / w->site_count;
		v->friends[i] = i < FRIENDS_NEAR
				    ? n->site + (uint32_t)prng_below(&v->prng, in_site) * w->site_count
				    : (uint32_t)prng_below(&v->prng, w->node_count);
	}
	n->puppet = (struct puppet){.hear = hear, .context = v};
	return v;
}

void villain_free(struct villain *v)
{
	v->n->puppet = (struct puppet){.hear = NULL};
	peer_free(v->peer);
	free(v);
}

uint64_t villain_said(const struct villain *v)
{
	return v->said;
}

static const struct node *someone(struct villain *v)
{
	return &v->w->nodes[v->friends[prng_below(&v->prng, FRIENDS_NEAR + FRIENDS_FAR)]];
}

static size_t sign_record(struct villain *v, const struct record_key *key, const uint8_t *body, size_t len,
			  uint8_t ret[LIMIT_RECORD_BYTES])
{
	struct record r;
	CHECK(record_sign(key, ++v->seq, 0xbad, world_wall(v->w), body, len, &v->w->estate.keys.estate,
			  v->n->identity, ret, &len) == ERR_OK);
	CHECK(record_parse(ret, len, &r) == ERR_OK);
	registry_add(&v->w->registry, &r, v->w->now);
	return len;
}

static void flood(struct villain *v)
{
	const struct record_key key = {.kind = RECORD_HEALTH, .subject = v->n->id};
	const struct health h = {.boot = 1, .oopses = {READING_OK, v->seq}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t len;
	CHECK(health_encode(&h, body, &len) == ERR_OK);
	len = sign_record(v, &key, body, len, bytes);
	for (int i = 0; i < 2; i++)
		v->said += peer_push(v->peer, &someone(v)->id, bytes, len);
}

static void forge(struct villain *v)
{
	const struct sim_record *real =
	    v->w->registry.records[prng_below(&v->prng, v->w->registry.record_count)];
	uint8_t bytes[LIMIT_RECORD_BYTES];
	memcpy(bytes, real->bytes, real->len);
	bytes[50] ^= (uint8_t)(1 + prng_below(&v->prng, 127)); /* of the seq */
	v->said += peer_push(v->peer, &someone(v)->id, bytes, real->len);
}

static int id_order(const void *a, const void *b)
{
	return id_compare(a, b);
}

/* `share` of its site. */
static void accuse(struct villain *v, double share)
{
	struct world *w = v->w;
	const struct record_key key = {.kind = RECORD_ROLLCALL, .subject = w->site_ids[v->n->site]};
	struct id *roster = sim_alloc(w->node_count, sizeof(*roster));
	struct rollcall *r = sim_alloc(1, sizeof(*r));
	uint8_t body[LIMIT_RECORD_BODY_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t count = 0, len;
	for (uint32_t i = v->n->site; i < w->node_count; i += w->site_count)
		roster[count++] = w->nodes[i].id;
	qsort(roster, count, sizeof(*roster), id_order);
	*r = (struct rollcall){.parts = 1,
			       .roster_count = (uint32_t)count,
			       .roster_hash = hash_u64("mesh.roster", roster, count * ID_BYTES),
			       .state_count = count,
			       .interval_s = 60,
			       .live_witnesses = 3};
	for (size_t i = 0; i < count; i++)
		r->states[i] = prng_chance(&v->prng, share) ? ROLLCALL_NO_ANSWER : ROLLCALL_ANSWERS;
	CHECK(rollcall_encode(r, body, &len) == ERR_OK);
	len = sign_record(v, &key, body, len, bytes);
	for (size_t i = 0; i < 4; i++)
		v->said += peer_push(v->peer, &someone(v)->id, bytes, len);
	free(roster);
	free(r);
}

static void lie_about_digests(struct villain *v)
{
	uint64_t ids[WIRE_IDS];
	for (size_t i = 0; i < WIRE_IDS; i++)
		ids[i] = prng_u64(&v->prng);
	v->said += peer_announce(v->peer, &someone(v)->id, ids, WIRE_IDS);
	peer_claim_root(v->peer, prng_u64(&v->prng));
	v->said += peer_ping(v->peer, &someone(v)->id);
}

static void rumour(struct villain *v)
{
	struct wire_suspect hint = {.count = 0};
	uint8_t message[WIRE_MESSAGE_BYTES];
	while (hint.count < 5)
		hint.hosts[hint.count++] = someone(v)->id;
	v->said +=
	    peer_say(v->peer, &someone(v)->id, WIRE_SUSPECT, message, wire_suspect_encode(&hint, message));
	const struct wire_ping_req request = {.target = someone(v)->id};
	v->said += peer_say(v->peer, &someone(v)->id, WIRE_PING_REQ, message,
			    wire_ping_req_encode(&request, message));
}

void villain_act(struct villain *v)
{
	const struct node *other = &v->w->nodes[v->friends[v->hello_next++ % (FRIENDS_NEAR + FRIENDS_FAR)]];
	if (other != v->n && other->puppet.hear == NULL && !peer_in_session(v->peer, &other->id))
		peer_hello(v->peer, &other->id, &other->address);
	if ((v->deeds & VILLAIN_FLOODS) != 0)
		flood(v);
	if ((v->deeds & VILLAIN_FORGES) != 0)
		forge(v);
	if ((v->deeds & VILLAIN_ACCUSES) != 0 && prng_chance(&v->prng, 0.25))
		accuse(v, 0.1);
	if ((v->deeds & VILLAIN_DENOUNCES) != 0)
		accuse(v, 1);
	if ((v->deeds & VILLAIN_DIGESTS) != 0)
		lie_about_digests(v);
	if ((v->deeds & VILLAIN_RUMOURS) != 0)
		rumour(v);
	if ((v->deeds & VILLAIN_BOASTS) != 0) {
		peer_claim_head(v->peer, (struct authlog_head){LIMIT_LOG_ENTRIES - 1, prng_u64(&v->prng)});
		v->said += peer_ping(v->peer, &someone(v)->id);
	}
}
