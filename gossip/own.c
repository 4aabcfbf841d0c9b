/* What this host says about itself: its counter, its records, its goodbye, its defence.
 *
 * Happy path: a local body gets the next seq of the reserved block, is signed, enters set and replica, and
 * spreads. An accusation heard in a roll-call is answered by a health record that names it. After a restart
 * the last health is published again under a higher seq, so that goodbye and "dark" lose their force even
 * when no collector has news.
 * Fails: the seq reaches the durable bound: the same update reserves more before anything of it is sent. An
 * own record from the future (a restored snapshot, or a clone) moves the counter past it; the second time the
 * node is flagged as cloned. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mp.h"
#include "gossip/core.h"
#include "gossip/issue.h"

#define SEQ_LOW       64
#define SEQ_BLOCK     1024
#define CATCH_UP_MS   60000
#define SPEAK_UP_MS   2000
#define SPEAK_HOST_MS 40 /* for each host of the site: after a power cut all speak up, 25 of them a second   \
			  */
#define REFUTE_MS       5000
#define REFUTE_BURST_MS 25000 /* six at once: two for each signer that counts */
#define ALONE_MS        30000 /* between answers to one that accuses alone; doubles … */
#define ALONE_DOUBLED   6     /* … so many times, to about half an hour … */
#define ALONE_FORGIVEN  3600000
#define SEQ_END         ((1ull << 63) - 2 * SEQ_BLOCK)
#define GOODBYE_PEERS   8

/* The reservation rides in this very update and is durable before anything else of it. */
static uint64_t own_seq(struct gossip *g)
{
	if (g->seq_next + SEQ_LOW > g->seq_reserved) {
		g->seq_reserved = g->seq_next + SEQ_BLOCK;
		g->seq_reserve_to = g->seq_reserved;
	}
	return g->seq_next++;
}

enum err own_check(uint8_t kind, const uint8_t *body, size_t len)
{
	if (record_class_of(kind) != RECORD_CLASS_HOST || kind == RECORD_CERTIFICATE ||
	    kind == RECORD_GOODBYE)
		return ERR_ARG;
	if (len > LIMIT_RECORD_BODY_BYTES)
		return ERR_LIMIT;
	struct health health;

	if (kind == RECORD_HEALTH)
		return health_decode(body, len, &health);
	return len > 0 && ((body[0] & 0xf0) == 0x80 || body[0] == 0xde) ? mp_check(body, len) : ERR_FORMAT;
}

enum err core_publish(struct gossip *g, uint8_t kind, const struct id *subject, uint64_t slot,
		      const uint8_t *body, size_t len, enum gossip_urgency urgency)
{
	struct record_key key = {.kind = kind, .writer = g->self->id, .subject = *subject, .slot = slot};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t bytes_len;
	struct record r;

	/* A counter that is used up ends here, or each try would reserve more of it. */
	if (g->seq_next >= SEQ_END)
		return ERR_STALE;
	if (!core_room_for_records(g, 1))
		return ERR_LIMIT;
	enum err err = record_sign(&key, own_seq(g), g->instance, g->wall, body, len, &g->keys.estate,
				   g->identity, bytes, &bytes_len);

	g->counters.signatures++;
	if (!err)
		err = record_parse(bytes, bytes_len, &r);
	if (!err)
		err = accept_own(g, &r, urgency);
	if (!err && record_class_of(kind) == RECORD_CLASS_HOST)
		g->spoken = true;
	return err;
}

void own_keep(struct gossip *g, const struct record *r)
{
	if (r->key.kind >= sizeof(g->own) / sizeof(g->own[0]) || r->key.kind == RECORD_CERTIFICATE)
		return;
	struct core_own *own = &g->own[r->key.kind];

	if (own->body == r->body)
		return;
	uint8_t *body = realloc(own->body, r->body_len);

	if (!body)
		return;
	memcpy(body, r->body, r->body_len);
	own->body = body;
	own->len = r->body_len;
}

void own_free(struct gossip *g)
{
	for (size_t i = 0; i < sizeof(g->own) / sizeof(g->own[0]); i++)
		free(g->own[i].body);
}

/* Health as the collector has it, with the accusations this node still answers. */
static enum err own_health(struct gossip *g, const uint8_t *body, size_t len, enum gossip_urgency urgency)
{
	struct health health = {0};
	uint8_t encoded[LIMIT_RECORD_BODY_BYTES];
	size_t encoded_len;
	enum err err = body ? health_decode(body, len, &health) : ERR_OK;

	if (err)
		return err;
	memcpy(health.refutations, g->refutations, sizeof(health.refutations));
	health.refutation_count = g->refutation_count;
	err = health_encode(&health, encoded, &encoded_len);
	if (!err)
		err = core_publish(g, RECORD_HEALTH, &g->self->id, 0, encoded, encoded_len, urgency);
	return err;
}

enum err own_local(struct gossip *g, uint8_t kind, const uint8_t *body, size_t len,
		   enum gossip_urgency urgency)
{
	enum err err = kind == RECORD_HEALTH ? own_health(g, body, len, urgency)
					     : core_publish(g, kind, &g->self->id, 0, body, len, urgency);

	/* Whoever cloned this host has spoken last; that is an issue, and not the collector's. */
	return err == ERR_STALE ? ERR_OK : err;
}

/* One record answers all accusations so far. Accusers without end get an answer each REFUTE_MS: it goes
 * through the whole estate. */
static void own_refute_due(struct gossip *g)
{
	mono_ms until = g->refuted_until > g->now ? g->refuted_until : g->now;

	if (!g->refute)
		return;
	if (until - g->now > REFUTE_BURST_MS) {
		core_deadline(g, until - REFUTE_BURST_MS);
		return;
	}
	g->refute = false;
	g->refuted_until = until + REFUTE_MS;
	g->counters.refutations++;
	own_health(g, g->own[RECORD_HEALTH].body, g->own[RECORD_HEALTH].len, GOSSIP_URGENT);
}

/* Whether an answer is due now. One witness alone makes nobody dark, but its word must not wait for another's
 * to come; whoever goes on accusing alone is answered in ever longer intervals. */
static bool own_answers(const struct gossip *g, struct core_answered *a, bool alone)
{
	if (g->now > a->until + ALONE_FORGIVEN)
		a->times = 0;
	if (alone && g->now < a->until && defence_on(g, DEFENCE_LONE_ACCUSER))
		return false;
	a->until = g->now + ((mono_ms)ALONE_MS << a->times);
	a->times = (uint8_t)(a->times + (a->times < ALONE_DOUBLED));
	return true;
}

void own_refute(struct gossip *g, uint64_t signer, uint64_t seq, bool alone)
{
	size_t i = 0;

	while (i < g->refutation_count && g->refutations[i].signer != signer)
		i++;
	if ((i < g->refutation_count && g->refutations[i].seq >= seq) || !defence_on(g, DEFENCE_REFUTATION))
		return;
	if (i == LIMIT_REFUTATIONS) {
		/* The oldest answer has been heard, or its accuser is no witness any more. */
		memmove(&g->refutations[0], &g->refutations[1],
			sizeof(g->refutations[0]) * (LIMIT_REFUTATIONS - 1));
		memmove(&g->answered[0], &g->answered[1], sizeof(g->answered[0]) * (LIMIT_REFUTATIONS - 1));
		g->answered[--i] = (struct core_answered){0};
	} else if (i == g->refutation_count) {
		g->refutation_count++;
	}
	g->refutations[i] = (struct refutation){.signer = signer, .seq = seq};
	if (!own_answers(g, &g->answered[i], alone))
		return; /* the next answer names it */
	g->refute = true;
	own_refute_due(g);
}

static void own_issue(struct gossip *g, enum issue_kind kind, const struct record *r)
{
	struct issue issue = {.kind = kind, .subject = g->self->id};

	snprintf(issue.detail, sizeof(issue.detail),
		 "record of instance %016" PRIx64 ", counter %" PRIu64 "; here instance %016" PRIx64
		 ", counter %" PRIu64,
		 r->instance, r->seq, g->instance, g->seq_next);
	issue_raise(g, &issue);
}

static void own_cloned(struct gossip *g, const struct record *r)
{
	if (!defence_on(g, DEFENCE_CLONE))
		return;
	g->cloned = true;
	own_issue(g, ISSUE_CLONED, r);
}

static void own_restored(struct gossip *g, const struct record *r)
{
	g->jumped_at = g->now;
	own_issue(g, ISSUE_RESTORED, r);
}

void own_met(struct gossip *g, const struct record *r)
{
	if (r->key.kind == RECORD_CERTIFICATE || r->seq < g->seq_next)
		return;
	/* No snapshot loses so many: somebody else has this key, and wants its counter used up. */
	if (r->seq - g->seq_next > OWN_JUMP_MAX) {
		own_cloned(g, r);
		return;
	}
	g->seq_next = r->seq + 1;
	/* One restored snapshot meets many records it has lost, for as long as it catches up. Meeting more
	 * of them later means that another node goes on with this key. */
	if (g->jumped_at && g->now - g->jumped_at > CATCH_UP_MS)
		own_cloned(g, r);
	else if (g->jumped_at == 0)
		own_restored(g, r);
	g->spoken = false;
	g->speak_at = g->now + core_jitter(g, SPEAK_UP_MS, 0.25);
}

void own_tick(struct gossip *g)
{
	own_refute_due(g);
	if (g->spoken)
		return;
	if (g->speak_at == 0)
		g->speak_at = g->now + (member_goodbye(g->self) ? 0 : core_jitter(g, SPEAK_UP_MS, 0.25)) +
			      prng_below(&g->prng, g->self->site->count * SPEAK_HOST_MS);
	if (g->now < g->speak_at) {
		core_deadline(g, g->speak_at);
		return;
	}
	/* What the jump left behind is newer than what others hold of these kinds. */
	for (uint8_t kind = RECORD_PROFILE; kind < RECORD_GOODBYE; kind++) {
		if (g->own[kind].body && kind != RECORD_HEALTH && g->jumped_at)
			core_publish(g, kind, &g->self->id, 0, g->own[kind].body, g->own[kind].len,
				     GOSSIP_ROUTINE);
	}
	/* Only what a collector once said: an invented "all is well" would be a lie. */
	if (g->own[RECORD_HEALTH].body)
		own_health(g, g->own[RECORD_HEALTH].body, g->own[RECORD_HEALTH].len, GOSSIP_URGENT);
	else if (g->own[RECORD_PROFILE].body)
		core_publish(g, RECORD_PROFILE, &g->self->id, 0, g->own[RECORD_PROFILE].body,
			     g->own[RECORD_PROFILE].len, GOSSIP_URGENT);
	g->spoken = true;
}

/* The last words go straight to whoever is likely to hear them: there is no later step to retry in. */
static void own_farewell(struct gossip *g, const struct record_key *key)
{
	struct member *peers[GOODBYE_PEERS + EDGE_PEERS_MAX];
	size_t count = member_pick(g, NULL, GOODBYE_PEERS, peers);

	count += edge_peers(g, peers + count, EDGE_PEERS_MAX);
	struct wire_pack pack;
	const struct gossip_persist *p = update_persisted(g, key);

	if (!p)
		return;
	wire_pack_push(&pack, 0);
	wire_pack_add(&pack, p->bytes, p->len);
	for (size_t i = 0; i < count; i++)
		core_send(g, peers[i], WIRE_PUSH, pack.bytes, pack.len, NULL);
}

enum err own_leave(struct gossip *g, enum goodbye_reason reason)
{
	struct goodbye goodbye = {.reason = reason};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct record_key key = {.kind = RECORD_GOODBYE, .writer = g->self->id, .subject = g->self->id};
	enum err err = goodbye_encode(&goodbye, body, &len);

	if (!err)
		err = core_publish(g, RECORD_GOODBYE, &g->self->id, 0, body, len, GOSSIP_URGENT);
	if (err && err != ERR_STALE)
		return err;
	own_farewell(g, &key);
	state_leave(g, reason);
	g->leaving = true;
	return ERR_OK;
}
