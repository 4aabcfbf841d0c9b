/* SWIM: each member probes one other of its site at a time.
 *
 * Happy path: PING, ACK within half a second, next member on the ring a period later. The period is
 * 1 s after a change in the site and stretches to 2 s while nothing changes.
 * Fails: no ACK: three others are asked to try (PING_REQ, PING_ACK). Still none: the member is suspected, a
 * hint that goes to the site's witnesses, who probe for themselves (witness.c). Any answer to a question of
 * this node refutes it. ACK and PING_ACK count only with the nonce of a question that was asked. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/logsync.h"
#include "gossip/sync.h"

#define INDIRECT         3
#define RELAYS           16
#define RELAY_MS         3000
#define HEARSAY_MS       300   /* of time that a name given by another uses up of its share … */
#define HEARSAY_BURST_MS 10000 /* … and so much of it at once: 33 names */
#define RELAY_GAP_MS     200   /* between PINGs of one target for others */
#define CALM_MS          10000 /* fast pace after a change */
#define STRETCH_SHARE    10    /* of the calm time, added to the period */
#define DARK_SHARE       0.25  /* how often a dark member's turn is taken */
#define RENEW_SHARE      0.02  /* of the ACKs of a day with new keys start a hello */
#define ANSWER_MS        10000 /* an ACK later than this proves nothing about now */
#define PING_BYTES       144   /* as a datagram, over IPv6 */
#define HELLO_BYTES      1248

struct relay {
	struct member *asker, *target;
	uint64_t echo;
	mono_ms at;
};

/* A PING to an address that is not the member's: the ACK moves it there, wherever the ACK itself comes from,
 * as anyone on the way can put another sender on it. */
struct move {
	uint64_t nonce;
	struct address to;
};
#define MOVES 16

struct probe {
	mono_ms next_at;
	mono_ms changed_at;
	struct member *target; /* being probed, or NULL */
	mono_ms started_at;
	bool indirect;
	uint64_t asked[INDIRECT]; /* nonces of the PING_REQs */
	struct relay relays[RELAYS];
	size_t relay_next;
	struct move moves[MOVES]; /* the oldest gives way */
	size_t move_next;
};

enum err probe_init(struct gossip *g)
{
	g->probe = calloc(1, sizeof(*g->probe));
	if (!g->probe)
		return ERR_NOMEM;
	g->probe->changed_at = g->now;
	g->probe->next_at = g->now + core_jitter(g, g->timing.ack_ms, 0.5);
	return ERR_OK;
}

void probe_free(struct gossip *g)
{
	if (!g->probe)
		return;
	free(g->probe);
	g->probe = NULL;
}

void probe_hurry(struct gossip *g)
{
	struct probe *p = g->probe;
	mono_ms soon = g->now + core_jitter(g, g->timing.probe_ms, 0.25);

	if (!p)
		return;
	p->changed_at = g->now;
	if (p->next_at > soon)
		p->next_at = soon;
}

void probe_restart(struct gossip *g)
{
	g->probe->target = NULL;
	g->probe->changed_at = g->now;
	g->probe->next_at = g->now;
	for (size_t i = 0; i < g->members.count; i++)
		g->members.hosts[i]->suspected = false;
}

static mono_ms probe_period(const struct gossip *g)
{
	mono_ms calm = g->now - g->probe->changed_at;
	mono_ms period = g->timing.probe_ms;

	if (calm > CALM_MS)
		period += (calm - CALM_MS) / STRETCH_SHARE;
	if (period > g->timing.probe_idle_ms)
		period = g->timing.probe_idle_ms;
	/* Few different lengths, so that neighbours have the same slots. */
	return period > g->timing.probe_ms ? period - period % g->timing.probe_ms : period;
}

/* --- questions --- */

static struct wire_ping ping_make(struct gossip *g)
{
	return (struct wire_ping){
	    .head = authlog_head(g->log), .root = set_estate_root(g->set), .instance = g->instance};
}

bool probe_ping_at(struct gossip *g, struct member *m, const struct address *to)
{
	struct wire_ping ping = ping_make(g);
	uint8_t message[WIRE_MESSAGE_BYTES];
	uint64_t nonce;

	if (!core_send_to(g, m, to, WIRE_PING, message, wire_ping_encode(&ping, message), &nonce))
		return false;
	g->counters.probes_out++;
	if (!address_equal(to, &m->address))
		g->probe->moves[g->probe->move_next++ % MOVES] = (struct move){.nonce = nonce, .to = *to};
	m->ping_nonces[1] = m->ping_nonces[0];
	m->ping_nonces[0] = nonce;
	m->ping_at = g->now;
	return true;
}

bool probe_ping(struct gossip *g, struct member *m)
{
	enum gossip_class c = m->session ? GOSSIP_CLASS_PROBE : GOSSIP_CLASS_HELLO;
	bool allowed = budget_allows(g, c, m->session ? PING_BYTES : HELLO_BYTES);

	if (!allowed)
		g->counters.held_back[c]++;
	else if (m->session)
		probe_ping_at(g, m, &m->address);
	else
		hello_start(g, m, true);
	return allowed;
}

/* Time is cut into slots of one period, by the wall clock and a phase of the own id. In each slot the members
 * ask round a ring, the roster by id, all with the same stride: everyone is asked once by one other. Clocks
 * that differ by more than a slot make it less even, nothing else. */
static uint64_t probe_slot(const struct gossip *g, mono_ms *ret_left)
{
	mono_ms period = probe_period(g);
	wall_ms at = g->wall + g->self->short_id % period;

	*ret_left = period - at % period;
	return at / period;
}

/* Whose turn it is in this slot, or who comes next on the ring. */
static struct member *probe_next(struct gossip *g, uint64_t slot)
{
	const struct site *s = g->self->site;
	size_t own = site_index_of(s, g->self);

	for (size_t looked = 0; s->count > 1 && looked + 1 < s->count; looked++) {
		size_t stride = 1 + (size_t)((slot + looked) % (s->count - 1));
		struct member *m = s->members[(own + stride) % s->count];

		if (!member_reachable(g, m))
			continue;
		if (m->state.status == HOST_DARK && !prng_chance(&g->prng, DARK_SHARE))
			continue;
		return m;
	}
	return NULL;
}

static void probe_indirect(struct gossip *g)
{
	struct probe *p = g->probe;
	struct member *helpers[INDIRECT];
	struct wire_ping_req request = {.target = p->target->id};
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t len = wire_ping_req_encode(&request, message);
	size_t count = member_pick(g, p->target, INDIRECT, helpers);

	p->indirect = true;
	memset(p->asked, 0, sizeof(p->asked));
	for (size_t i = 0; i < count; i++) {
		if (core_send(g, helpers[i], WIRE_PING_REQ, message, len, &p->asked[i]))
			g->counters.indirect_out++;
	}
}

static void probe_suspect(struct gossip *g, struct member *m)
{
	struct member *witnesses[LIMIT_WITNESSES];
	struct wire_suspect hint = {.count = 1, .hosts = {m->id}};
	uint8_t message[WIRE_MESSAGE_BYTES];
	size_t count = witness_live(g, witnesses);

	/* Known to be dark: nothing new for anyone. */
	if (m->state.status == HOST_DARK)
		return;
	g->counters.suspicions += !m->suspected;
	m->suspected = true;
	probe_hurry(g);
	hello_start(g, m, false); /* it may have lost our key, and not know where we are now */
	size_t len = wire_suspect_encode(&hint, message);

	for (size_t i = 0; i < count; i++) {
		if (witnesses[i] != m && witnesses[i] != g->self)
			core_send(g, witnesses[i], WIRE_SUSPECT, message, len, NULL);
	}
	witness_suspect(g, m);
}

void probe_tick(struct gossip *g)
{
	struct probe *p = g->probe;

	if (p->target) {
		if (!p->indirect && g->now >= p->started_at + g->timing.ack_ms)
			probe_indirect(g);
		if (g->now >= p->started_at + g->timing.probe_ms) {
			struct member *m = p->target;

			p->target = NULL;
			probe_suspect(g, m);
		}
	}
	if (!p->target && g->now >= p->next_at) {
		mono_ms left;

		p->target = probe_next(g, probe_slot(g, &left));
		p->next_at = g->now + left;
		p->started_at = g->now;
		p->indirect = false;
		/* Whom nobody asked is not suspected. */
		if (p->target && !probe_ping(g, p->target))
			p->target = NULL;
	}
	if (p->target)
		core_deadline(g, p->started_at + (p->indirect ? g->timing.probe_ms : g->timing.ack_ms));
	else
		core_deadline(g, p->next_at);
}

/* --- answers --- */

void probe_answered(struct gossip *g, struct member *m)
{
	struct probe *p = g->probe;

	m->answered_at = g->now;
	m->suspected = false;
	if (p->target == m)
		p->target = NULL;
	for (size_t i = 0; i < RELAYS; i++) {
		struct relay *r = &p->relays[i];

		if (r->target != m)
			continue;
		if (g->now - r->at < RELAY_MS) {
			struct wire_ping_ack ack = {.echo = r->echo, .target = m->id};
			uint8_t message[WIRE_MESSAGE_BYTES];

			core_send(g, r->asker, WIRE_PING_ACK, message, wire_ping_ack_encode(&ack, message),
				  NULL);
		}
		r->target = NULL;
	}
	if (m->site == g->self->site)
		witness_heard(g, m);
	state_spoke(g, m);
}

/* Whoever asks without end uses up what answers may cost, but for the witnesses, whose word decides, and
 * edges. */
static void ack_send(struct gossip *g, struct member *m, const struct address *from, const uint8_t *message,
		     size_t len)
{
	struct member *witnesses[LIMIT_WITNESSES];
	enum gossip_class c = GOSSIP_CLASS_ANSWER;

	if (!budget_allows(g, c, PING_BYTES) || !filter_answers(g, m)) {
		size_t count = m->site == g->self->site ? witness_live(g, witnesses) : 0;
		bool decides = edge_carries(g, m);

		while (count > 0)
			decides |= witnesses[--count] == m;
		if (!decides) {
			g->counters.held_back[c]++;
			return;
		}
		c = GOSSIP_CLASS_PROBE;
	}
	core_send_to_as(g, m, from, c, WIRE_ACK, message, len, NULL);
}

static void on_ping(struct gossip *g, struct member *m, const struct address *from, const struct datagram *d)
{
	struct wire_ping ping = {0};

	if (wire_ping_decode(d->message, d->len, &ping) && defence_on(g, DEFENCE_SCHEMA)) {
		g->counters.dropped_schema++;
		return;
	}
	struct wire_ack ack = {
	    .echo = d->nonce, .head = authlog_head(g->log), .root = set_estate_root(g->set)};
	uint8_t message[WIRE_MESSAGE_BYTES];

	ack_send(g, m, from, message, wire_ack_encode(&ack, message));
	m->root = ping.root;
	member_instance(g, m, ping.instance, from);
	logsync_on_head(g, m, from, ping.head);
	sync_on_root(g, m, ping.root);
}

/* Where the PING of this nonce went. */
static struct address pinged_at(const struct gossip *g, const struct member *m, uint64_t nonce)
{
	for (size_t i = 0; i < MOVES; i++) {
		if (g->probe->moves[i].nonce == nonce)
			return g->probe->moves[i].to;
	}
	return m->address;
}

static void on_ack(struct gossip *g, struct member *m, const struct address *from, const struct datagram *d)
{
	struct wire_ack ack;

	if (wire_ack_decode(d->message, d->len, &ack)) {
		g->counters.dropped_schema++;
		return;
	}
	if (!defence_on(g, DEFENCE_ECHO))
		ack.echo = m->ping_nonces[0];
	bool latest = ack.echo == m->ping_nonces[0];

	if (ack.echo == 0 || (!latest && ack.echo != m->ping_nonces[1]) || g->now - m->ping_at > ANSWER_MS)
		return;
	g->counters.acks_in++;
	g->acked_at = g->now;
	m->unheeded = 0;
	if (latest) {
		m->rtt_ms = (uint32_t)(g->now - m->ping_at);
		m->rtt_ms += m->rtt_ms == 0; /* 0 means not measured */
	}
	m->ping_nonces[latest ? 0 : 1] = 0;
	m->root = ack.root;

	struct address at = pinged_at(g, m, ack.echo);

	member_proved(g, m, &at, from);
	probe_answered(g, m);
	/* Spread over minutes of the new day, not all at midnight. */
	if (keyring_renewal_due(g->keyring, &m->id) && prng_chance(&g->prng, RENEW_SHARE))
		hello_start(g, m, false);
	logsync_on_head(g, m, &at, ack.head);
	sync_on_root(g, m, ack.root);
}

/* Each name costs probes of this node: more than an honest prober comes to is not listened to. */
static bool hearsay_allows(const struct gossip *g, struct member *from)
{
	mono_ms until = from->hearsay_until > g->now ? from->hearsay_until : g->now;

	if (until - g->now > HEARSAY_BURST_MS && defence_on(g, DEFENCE_HEARSAY))
		return false;
	from->hearsay_until = until + HEARSAY_MS;
	return true;
}

static void on_ping_req(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_ping_req request;
	struct probe *p = g->probe;

	if (wire_ping_req_decode(d->message, d->len, &request)) {
		g->counters.dropped_schema++;
		return;
	}
	struct member *target = member_find(g, &request.target);

	if (!target || target == m || target->site != g->self->site || !member_reachable(g, target) ||
	    !hearsay_allows(g, m))
		return;
	p->relays[p->relay_next++ % RELAYS] =
	    (struct relay){.asker = m, .target = target, .echo = d->nonce, .at = g->now};
	/* Whoever asks without end must not make this node forget the nonces it waits for. */
	if (target->ping_at == 0 || g->now - target->ping_at >= RELAY_GAP_MS)
		probe_ping(g, target);
}

static void on_ping_ack(struct gossip *g, const struct datagram *d)
{
	struct wire_ping_ack ack;
	struct probe *p = g->probe;

	if (wire_ping_ack_decode(d->message, d->len, &ack)) {
		g->counters.dropped_schema++;
		return;
	}
	if (!p->target || !p->indirect || !id_equal(&p->target->id, &ack.target) || ack.echo == 0)
		return;
	for (size_t i = 0; i < INDIRECT; i++) {
		/* It lives, though not for this node: no suspicion, and no proof of its address either. */
		if (p->asked[i] == ack.echo) {
			p->target = NULL;
			return;
		}
	}
}

static void on_suspect(struct gossip *g, struct member *m, const struct datagram *d)
{
	struct wire_suspect hint;

	if (wire_suspect_decode(d->message, d->len, &hint)) {
		g->counters.dropped_schema++;
		return;
	}
	for (size_t i = 0; i < hint.count && m->site == g->self->site; i++) {
		struct member *suspect = member_find(g, &hint.hosts[i]);

		if (suspect && hearsay_allows(g, m))
			witness_suspect(g, suspect);
	}
}

void probe_on_message(struct gossip *g, struct member *m, const struct address *from,
		      const struct datagram *d)
{
	switch (d->type) {
	case WIRE_PING:
		on_ping(g, m, from, d);
		break;
	case WIRE_ACK:
		on_ack(g, m, from, d);
		break;
	case WIRE_PING_REQ:
		on_ping_req(g, m, d);
		break;
	case WIRE_PING_ACK:
		on_ping_ack(g, d);
		break;
	default:
		on_suspect(g, m, d);
	}
}
