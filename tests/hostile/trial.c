#include "tests/hostile/trial.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "seats.h"

#define SETTLE_MS 30000

void trial_free(struct trial *t)
{
	for (size_t i = 0; i < t->actor_count; i++) {
		peer_free(t->actors[i].peer);
		identity_free(t->actors[i].own);
	}
	world_free(t->w);
	t->w = NULL;
}

static void __attribute__((format(printf, 2, 0))) say(struct trial *t, const char *format, va_list args)
{
	int used = 0;
	if (t->w != NULL)
		used = snprintf(t->how, sizeof(t->how), "at %.3f s: ", (double)t->w->now / 1000);
	vsnprintf(t->how + used, sizeof(t->how) - (size_t)used, format, args);
}

bool trial_over(const struct trial *t)
{
	return t->broken || t->vain || (t->w != NULL && t->w->failed);
}

void trial_promise(struct trial *t, bool kept, const char *format, ...)
{
	va_list args;
	if (kept || trial_over(t))
		return;
	va_start(args, format);
	say(t, format, args);
	va_end(args);
	t->broken = true;
}

void trial_need(struct trial *t, bool done, const char *format, ...)
{
	va_list args;
	if (done || trial_over(t))
		return;
	va_start(args, format);
	say(t, format, args);
	va_end(args);
	t->vain = true;
}

void trial_run(struct trial *t, mono_ms ms)
{
	if (!trial_over(t))
		world_run_for(t->w, ms);
}

/* --- the estate --- */

static void on_sent(void *context, const struct address *from, const struct address *to, const uint8_t *bytes,
		    size_t len)
{
	struct trial *t = context;
	for (size_t i = 0; i < t->ear_count; i++) {
		struct ear *e = &t->ears[i];
		if (!address_equal(&e->at, to))
			continue;
		e->datagrams++;
		e->bytes += len + SIM_UDP_IP_BYTES;
		if (e->actor != NULL)
			peer_hear(e->actor->peer, from, bytes, len);
	}
	if (t->tap != NULL)
		t->tap(t, from, to, bytes, len);
}

void trial_world(struct trial *t, uint32_t hosts, uint32_t sites)
{
	struct sim_faults faults = sim_faults_default();
	faults.loss = 0;
	t->w = world_new("hostile", t->seed, hosts, sites, &faults);
	t->w->weakened = t->weakened;
	t->w->tap = on_sent;
	t->w->tap_context = t;
}

void trial_begin(struct trial *t, uint64_t taken)
{
	struct world *w = t->w;
	host_preload(w);
	for (uint32_t i = 0; i < w->node_count; i++)
		if ((taken >> i & 1) != 0)
			actor_take(t, i, PEER_CALM);
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		if ((taken >> i & 1) == 0)
			node_start(w, &w->nodes[i], false);
	trial_run(t, SETTLE_MS);
	for (uint32_t i = 0; i < w->node_count; i++)
		for (uint32_t j = 0; j < w->node_count && trial_honest(t, i); j++)
			trial_need(t, trial_status(t, i, j) == HOST_UP, "host %u does not call %u up", i, j);
}

bool trial_honest(const struct trial *t, uint32_t node)
{
	return t->w->nodes[node].g != NULL;
}

uint64_t trial_score(const struct trial *t, const struct id *host)
{
	return seats_score(t->w, host);
}

uint32_t trial_rank(const struct trial *t, uint32_t node)
{
	return seats_rank(t->w, node);
}

/* --- actors --- */

static uint32_t index_at(const struct world *w, const struct address *a)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		if (address_equal(&w->nodes[i].address, a))
			return i;
	return UINT32_MAX;
}

static void send(void *context, const struct address *from, const struct address *to, const uint8_t *bytes,
		 size_t len)
{
	const struct actor *a = context;
	struct world *w = a->t->w;
	uint32_t index = index_at(w, to);
	if (a->n != NULL && address_equal(from, &a->n->address))
		net_send(w, from, to, bytes, len);
	else if (index != UINT32_MAX)
		net_inject(w, from, index, bytes, len, 2);
}

static bool heard(void *context, struct peer *p, const struct address *from, const struct datagram *d)
{
	struct actor *a = context;
	(void)p;
	return a->heard != NULL && a->heard(a, from, d);
}

static void hear(void *context, const struct address *from, const uint8_t *bytes, size_t len)
{
	const struct actor *a = context;
	peer_hear(a->peer, from, bytes, len);
}

static struct actor *actor_new(struct trial *t, struct node *n, struct identity *own)
{
	CHECK(t->actor_count < TRIAL_ACTORS);
	struct actor *a = &t->actors[t->actor_count++];
	*a = (struct actor){.t = t,
			    .n = n,
			    .own = own,
			    .site = n != NULL ? n->site : 0,
			    .identity = own != NULL ? own : n->identity,
			    .seq = 1000,
			    .instance = 0xbad + t->actor_count};
	if (n != NULL) {
		memcpy(a->certificate, n->certificate, n->certificate_len);
		a->certificate_len = n->certificate_len;
	}
	return a;
}

static void actor_begin(struct actor *a, const struct address *at, unsigned answers)
{
	const struct peer_options o = {.identity = a->identity,
				       .claimed = a->claimed,
				       .certificate = a->certificate_len != 0 ? a->certificate : NULL,
				       .certificate_len = a->certificate_len,
				       .keys = a->t->w->estate.keys,
				       .log = a->t->w->estate.log,
				       .address = *at,
				       .today = clock_day(world_wall(a->t->w)),
				       .seed = a->t->seed * 7919 + a->t->actor_count,
				       .answers = answers,
				       .send = send,
				       .heard = heard,
				       .context = a};
	a->peer = peer_new(&o);
}

struct ear *trial_ear(struct trial *t, const struct address *at)
{
	CHECK(t->ear_count < TRIAL_EARS);
	struct ear *e = &t->ears[t->ear_count++];
	*e = (struct ear){.at = *at};
	return e;
}

struct address actor_address(uint32_t number)
{
	return (struct address){
	    .ip = {198, 51, (uint8_t)(number >> 8), (uint8_t)number}, .ip_len = 4, .port = 4444};
}

struct actor *actor_take(struct trial *t, uint32_t node, unsigned answers)
{
	struct node *n = &t->w->nodes[node];
	CHECK(n->g == NULL && n->puppet.hear == NULL);
	struct actor *a = actor_new(t, n, NULL);
	actor_begin(a, &n->address, answers);
	n->puppet = (struct puppet){.hear = hear, .context = a};
	return a;
}

static void listen_at(struct actor *a, const struct address *at)
{
	if (index_at(a->t->w, at) == UINT32_MAX)
		trial_ear(a->t, at)->actor = a;
}

struct actor *actor_copy(struct trial *t, uint32_t node, const struct address *at, unsigned answers)
{
	struct actor *a = actor_new(t, &t->w->nodes[node], NULL);
	actor_begin(a, at, answers);
	listen_at(a, at);
	return a;
}

struct actor *actor_nobody(struct trial *t, const struct address *at)
{
	struct actor *a = actor_new(t, NULL, estate_identity(t->seed, (1u << 26) + t->actor_count));
	actor_begin(a, at, PEER_QUIET);
	listen_at(a, at);
	return a;
}

struct actor *actor_pretend(struct trial *t, uint32_t node, const struct address *at)
{
	const struct node *n = &t->w->nodes[node];
	struct actor *a = actor_new(t, NULL, estate_identity(t->seed, (1u << 26) + t->actor_count));
	memcpy(a->certificate, n->certificate, n->certificate_len);
	a->certificate_len = n->certificate_len;
	a->claimed = &n->id;
	actor_begin(a, at, PEER_QUIET);
	listen_at(a, at);
	return a;
}

void actor_rightful(struct actor *a)
{
	struct record r;
	CHECK(record_parse(a->certificate, a->certificate_len, &r) == ERR_OK);
	registry_add(&a->t->w->registry, &r, a->t->w->now);
	if (a->n == NULL)
		world_stranger(a->t->w, identity_id(a->identity));
}

struct actor *actor_enrol(struct trial *t, const struct identity *issuer, uint32_t site, wall_day enrolled,
			  struct identity *own, const struct address *at)
{
	if (own == NULL)
		own = estate_identity(t->seed, (1u << 26) + t->actor_count);
	struct actor *a = actor_new(t, NULL, own);
	struct certificate c = {.enrolled = enrolled, .seq = 1};
	a->site = site;
	text_copy(c.site, sizeof(c.site), t->w->site_names[site]);
	certificate_consent(&c, a->identity, identity_id(issuer), &t->w->estate.keys.estate);
	CHECK(certificate_issue(&c, issuer, &t->w->estate.keys.estate, 1, world_wall(t->w), a->certificate,
				&a->certificate_len) == ERR_OK);
	actor_begin(a, at, PEER_CALM);
	listen_at(a, at);
	return a;
}

struct actor *actor_of(struct trial *t, uint32_t node)
{
	size_t i = 0;
	while (i < t->actor_count && t->actors[i].n != &t->w->nodes[node])
		i++;
	CHECK(i < t->actor_count);
	return &t->actors[i];
}

bool actor_knows(const struct actor *a, uint32_t node)
{
	return peer_in_session(a->peer, &a->t->w->nodes[node].id);
}

void actor_meet(struct actor *a, uint32_t node)
{
	const struct node *n = &a->t->w->nodes[node];
	if (actor_knows(a, node))
		return;
	peer_hello(a->peer, &n->id, &n->address);
	trial_run(a->t, 300);
	trial_need(a->t, actor_knows(a, node), "no session with host %u", node);
}

void actor_meet_all(struct actor *a)
{
	for (uint32_t i = 0; i < a->t->w->node_count; i++)
		if (a->t->w->nodes[i].g != NULL && &a->t->w->nodes[i] != a->n)
			actor_meet(a, i);
}

bool actor_push(struct actor *a, uint32_t node, const void *record, size_t len)
{
	return peer_push(a->peer, &a->t->w->nodes[node].id, record, len);
}

void actor_push_all(struct actor *a, const void *record, size_t len)
{
	for (uint32_t i = 0; i < a->t->w->node_count; i++)
		if (actor_knows(a, i))
			actor_push(a, i, record, len);
}

size_t actor_sign(struct actor *a, const struct record_key *key, uint64_t seq, wall_ms time,
		  const uint8_t *body, size_t len, bool rightful, uint8_t ret[LIMIT_RECORD_BYTES])
{
	struct world *w = a->t->w;
	struct record r;
	if (seq == 0)
		seq = ++a->seq;
	CHECK(record_sign(key, seq, a->instance, time, body, len, &w->estate.keys.estate, a->identity, ret,
			  &len) == ERR_OK);
	CHECK(record_parse(ret, len, &r) == ERR_OK);
	if (rightful)
		registry_add(&w->registry, &r, w->now);
	return len;
}

size_t actor_health(struct actor *a, uint64_t oopses, uint8_t ret[LIMIT_RECORD_BYTES])
{
	const struct record_key key = {.kind = RECORD_HEALTH, .subject = *identity_id(a->identity)};
	struct health h = {.boot = 1, .oopses = {READING_OK, oopses}};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	CHECK(health_encode(&h, body, &len) == ERR_OK);
	return actor_sign(a, &key, 0, world_wall(a->t->w), body, len, true, ret);
}

static int id_order(const void *a, const void *b)
{
	return id_compare(a, b);
}

size_t actor_rollcall(struct actor *a, const struct node *accused, enum rollcall_state state,
		      uint8_t ret[LIMIT_RECORD_BYTES])
{
	struct world *w = a->t->w;
	struct rollcall *r = sim_alloc(1, sizeof(*r));
	struct id *roster = sim_alloc(w->node_count + TRIAL_ACTORS, sizeof(*roster));
	const struct record_key key = {.kind = RECORD_ROLLCALL, .subject = w->site_ids[a->site]};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t count = 0, len;
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].site == a->site)
			roster[count++] = w->nodes[i].id;
	for (size_t i = 0; i < a->t->actor_count; i++) {
		const struct actor *other = &a->t->actors[i];
		if (other->site == a->site && world_is_stranger(w, identity_id(other->identity)))
			roster[count++] = *identity_id(other->identity);
	}
	qsort(roster, count, sizeof(*roster), id_order);
	r->parts = 1;
	r->roster_count = (uint32_t)count;
	r->roster_hash = hash_u64("mesh.roster", roster, count * ID_BYTES);
	r->state_count = count;
	r->interval_s = 5;
	r->live_witnesses = 3;
	for (size_t i = 0; i < count; i++)
		r->states[i] =
		    (uint8_t)(accused != NULL && id_equal(&roster[i], &accused->id) ? state
										    : ROLLCALL_ANSWERS);
	CHECK(rollcall_encode(r, body, &len) == ERR_OK);
	free(roster);
	free(r);
	return actor_sign(a, &key, 0, world_wall(w), body, len, true, ret);
}

/* --- what nodes hold --- */

struct gossip_counters trial_counters(const struct trial *t, uint32_t node)
{
	struct gossip_status s = {.records = 0};
	if (t->w->nodes[node].g != NULL)
		gossip_status(t->w->nodes[node].g, &s);
	return s.counters;
}

uint64_t trial_holds(const struct trial *t, uint32_t node, const struct record_key *key, uint64_t *ret_id)
{
	struct gossip_entry e;
	for (size_t i = 0; t->w->nodes[node].g != NULL && gossip_entry_at(t->w->nodes[node].g, i, &e); i++) {
		if (!record_key_equal(&e.key, key))
			continue;
		if (ret_id != NULL)
			*ret_id = e.id;
		return e.seq;
	}
	return 0;
}

enum host_status trial_status(const struct trial *t, uint32_t by, uint32_t host)
{
	return t->w->nodes[by].g == NULL ? HOST_UNKNOWN
					 : judge_host(t->w, &t->w->nodes[by], &t->w->nodes[host]);
}

mono_ms trial_news(struct trial *t, uint32_t node, enum gossip_urgency urgency, mono_ms bound)
{
	struct world *w = t->w;
	uint32_t running = 0;
	if (trial_over(t))
		return bound;
	const struct sim_record *s = host_publish_health(w, &w->nodes[node], urgency);
	mono_ms since = w->now;
	if (s == NULL)
		return bound;
	for (uint32_t i = 0; i < w->node_count; i++)
		running += w->nodes[i].g != NULL;
	while (w->now < since + bound && !w->failed) {
		uint32_t have = 0;
		for (uint32_t i = 0; i < w->node_count; i++)
			have +=
			    w->nodes[i].g != NULL && replica_get(&w->nodes[i].replica, s->key_number) == s;
		if (have == running)
			return w->now - since;
		world_run_for(w, 20);
	}
	return bound;
}
