/* Sessions: two hosts prove who they are and learn each other's exchange keys.
 *
 * Happy path: HELLO (padded, so that no answer is larger), HELLO_REPLY with the responder's signature, then
 * HELLO_FINISH with the initiator's. The responder keeps nothing in between: its nonce is a keyed hash of
 * what FINISH repeats and of a time slot, so an old FINISH proves nothing. Fails: no answer: the same peer is
 * tried again after 1 s, doubling to 30 s, at its next address. An unknown issuer: the peer is asked for its
 * authority log and the hello is tried again. Too many hellos a second meet a cookie, and beyond that
 * silence. At most LIMIT_PENDING_HELLOS are awaited; the oldest gives way. */
#include <stdlib.h>
#include <string.h>

#include "gossip/clone.h"
#include "gossip/hello.h"
#include "gossip/logsync.h"
#include "gossip/sync.h"

#define RETRY_MAX_MS    30000
#define PENDING_MS      5000
#define RESENDS         2
#define REPLIES         4 /* to one hello, that are looked at */
#define HINT_MS         1000
#define URGENT_HELLO_MS 400
#define LONELY_MS       10000
#define UNHEEDED        3      /* hello replies without an ACK of anyone in between */
#define RENEW_MS        60000  /* between two such renewals */
#define SILENCE_MS      30000  /* between two questions why nobody answers */
#define BARRED_MS       600000 /* ... of one who is revoked */

enum err hello_init(struct gossip *g)
{
	g->hello = calloc(1, sizeof(*g->hello));
	if (!g->hello)
		return ERR_NOMEM;
	g->rng.fill(g->rng.context, g->cookie_secret, KEY_BYTES);
	if (g->seed_count) {
		g->hello->seeds = calloc(g->seed_count, sizeof(*g->hello->seeds));
		if (!g->hello->seeds)
			return ERR_NOMEM;
	}
	return ERR_OK;
}

void hello_free(struct gossip *g)
{
	if (!g->hello)
		return;
	free(g->hello->pending);
	free(g->hello->seeds);
	free(g->hello);
	g->hello = NULL;
}

/* --- initiator --- */

static void pending_remove(struct hello *h, struct pending *p)
{
	size_t place = (size_t)(p - h->pending);

	h->count--;
	memmove(p, p + 1, (h->count - place) * sizeof(*p));
}

static struct pending *pending_add(struct hello *h)
{
	if (h->count == LIMIT_PENDING_HELLOS)
		pending_remove(h, &h->pending[0]);
	if (h->count == h->capacity) {
		size_t capacity = h->capacity ? h->capacity * 2 : 4;
		struct pending *grown = realloc(h->pending, capacity * sizeof(*grown));

		if (!grown)
			return NULL;
		h->pending = grown;
		h->capacity = capacity;
	}
	return &h->pending[h->count++];
}

static void hello_send(struct gossip *g, struct pending *p)
{
	struct wire_hello hello = {.responder = p->responder,
				   .day = keyring_day(g->keyring),
				   .head = p->head,
				   .certificate = g->certificate,
				   .certificate_len = g->certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];

	memcpy(hello.ni, p->ni, sizeof(hello.ni));
	memcpy(hello.key, keyring_public(g->keyring), KEY_BYTES);
	memcpy(hello.cookie, p->cookie, sizeof(hello.cookie));
	p->sent_at = g->now;
	g->counters.hellos_out++;
	core_send_hello(g, &p->to, WIRE_HELLO, message, wire_hello_encode(&hello, message), NULL);
	core_deadline(g, g->now + g->timing.hello_retry_ms);
}

static void ask_why(struct gossip *g, const struct address *to, mono_ms between)
{
	struct hello *h = g->hello;

	if (h->silence_at && g->now - h->silence_at < between)
		return;
	h->silence_at = g->now;
	logsync_on_silence(g, to);
}

static void hello_to(struct gossip *g, struct member *m, const struct id *responder, const struct address *to)
{
	/* Known by now to whoever would answer, unless a rotation has ended the branch that says so. */
	if (g->self->state.standing == STANDING_REVOKED) {
		ask_why(g, to, BARRED_MS);
		return;
	}
	struct pending *p = pending_add(g->hello);

	if (!p)
		return;
	*p = (struct pending){.m = m, .to = *to, .started_at = g->now, .head = authlog_head(g->log)};
	if (responder)
		p->responder = *responder;
	g->rng.fill(g->rng.context, p->ni, sizeof(p->ni));
	hello_send(g, p);
}

static struct pending *pending_of(struct hello *h, const struct member *m)
{
	for (size_t i = 0; i < h->count; i++) {
		if (h->pending[i].m == m)
			return &h->pending[i];
	}
	return NULL;
}

/* The best known address first; then by turns, as a profile may name networks we are not on. */
static const struct address *hello_target(struct member *m)
{
	if (m->published_count && (m->address.ip_len == 0 || m->hello_tries % 2 == 1))
		return &m->published[m->address_next++ % m->published_count];
	return &m->address;
}

/* When to try once more after so many tries. */
static mono_ms hello_backoff(struct gossip *g, unsigned tries)
{
	mono_ms wait = (mono_ms)g->timing.hello_retry_ms << (tries < 5 ? tries : 5);

	return g->now + core_jitter(g, wait < RETRY_MAX_MS ? wait : RETRY_MAX_MS, 0.25);
}

void hello_start(struct gossip *g, struct member *m, bool now)
{
	if (m == g->self || m->site->cut || m->state.standing == STANDING_REVOKED)
		return;
	if (now ? g->now - m->hello_at < URGENT_HELLO_MS && m->hello_at : g->now < m->hello_next_at)
		return;
	if (m->address.ip_len == 0 && m->published_count == 0)
		return;
	const struct address *to = hello_target(m);
	struct pending *old = pending_of(g->hello, m);

	if (old)
		pending_remove(g->hello, old);
	mono_ms next_at = hello_backoff(g, m->hello_tries);

	if (m->hello_tries < UINT8_MAX)
		m->hello_tries++;
	m->hello_at = g->now;
	m->hello_next_at = next_at;
	hello_to(g, m, &m->id, to);
}

/* A HELLO is larger than most of what calls for it: it goes only where its receiver has proved to be. Who
 * moved, or was restarted, says hello itself once it gets no answers. */
void hello_on_unknown(struct gossip *g, const struct id *source, const struct address *from)
{
	struct member *m = member_find(g, source);

	if (!m || m == g->self || !member_proven_at(m, from) || m->site->cut ||
	    m->state.standing == STANDING_REVOKED ||
	    (m->hello_hint_at && g->now - m->hello_hint_at < HINT_MS))
		return;
	g->asker_left = SIZE_MAX;
	m->hello_hint_at = g->now;
	if (!pending_of(g->hello, m))
		hello_to(g, m, &m->id, from);
}

static void finish_send(struct gossip *g, const struct address *to, const struct hello_transcript *t)
{
	struct wire_hello_finish finish = {
	    .day = t->initiator_day, .certificate = g->certificate, .certificate_len = g->certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];

	memcpy(finish.ni, t->ni, sizeof(finish.ni));
	memcpy(finish.nr, t->nr, sizeof(finish.nr));
	memcpy(finish.key, t->initiator_key, KEY_BYTES);
	hello_sign(t, HELLO_SIGN_FINISH, g->identity, finish.signature);
	g->counters.signatures++;
	core_send_hello(g, to, WIRE_HELLO_FINISH, message, wire_hello_finish_encode(&finish, message), NULL);
}

/* Hellos are answered and nothing else is: this process was put back to an earlier moment (a snapshot of a
 * running machine), and peers take what it seals for replays. Other keys end that. */
static bool renew(struct gossip *g, struct member *m)
{
	if (m->unheeded <= UNHEEDED)
		m->unheeded++;
	if (m->unheeded <= UNHEEDED || (g->acked_at && g->now - g->acked_at < LONELY_MS) ||
	    (g->hello->renewed_at && g->now - g->hello->renewed_at < RENEW_MS))
		return false;
	m->unheeded = 0;
	g->hello->renewed_at = g->now;
	keyring_renew(g->keyring);
	for (size_t i = 0; i < g->members.count; i++)
		g->members.hosts[i]->session = false;
	hello_start(g, m, true);
	return true;
}

static struct pending *pending_by_ni(struct hello *h, const uint8_t *ni)
{
	for (size_t i = 0; i < h->count; i++) {
		if (memcmp(h->pending[i].ni, ni, sizeof(h->pending[i].ni)) == 0)
			return &h->pending[i];
	}
	return NULL;
}

static enum err reply_verify(struct gossip *g, const struct pending *asked, const struct member *m,
			     const struct wire_hello_reply *reply, struct hello_transcript *ret)
{
	*ret = (struct hello_transcript){.estate = g->keys.estate,
					 .initiator = g->self->id,
					 .responder = m->id,
					 .initiator_day = keyring_day(g->keyring),
					 .responder_day = reply->day,
					 .initiator_head = asked->head,
					 .responder_head = reply->head};
	memcpy(ret->ni, reply->ni, sizeof(ret->ni));
	memcpy(ret->nr, reply->nr, sizeof(ret->nr));
	memcpy(ret->initiator_key, keyring_public(g->keyring), KEY_BYTES);
	memcpy(ret->responder_key, reply->key, KEY_BYTES);
	g->counters.verifications++;
	enum err err = hello_verify(ret, HELLO_SIGN_REPLY, m->public_key, reply->signature);

	return defence_on(g, DEFENCE_HELLO_PROOF) ? err : ERR_OK;
}

/* Both ends stand. What is sent from here on goes where the responder was asked: where its reply came from is
 * nobody's word. */
static void replied(struct gossip *g, struct member *m, const struct pending *asked,
		    const struct address *from, const struct hello_transcript *t)
{
	struct pending *p = pending_by_ni(g->hello, asked->ni);

	if (p)
		pending_remove(g->hello, p);
	if (renew(g, m))
		return;
	finish_send(g, &asked->to, t);
	hello_done(g, m);
	member_proved(g, m, &asked->to, from);
	probe_answered(g, m);
	for (size_t i = 0; i < g->seed_count; i++) {
		if (address_equal(&g->seeds[i], &asked->to))
			g->hello->seeds[i] = (struct seed){.met = true};
	}
	if (!m->address_proven)
		member_check(g, m, &asked->to);
	logsync_on_head(g, m, &asked->to, t->responder_head);
	sync_on_session(g, m);
}

static void on_reply(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct wire_hello_reply reply;
	struct hello_transcript t;
	struct pending *p;

	if (wire_hello_reply_decode(d->message, d->len, &reply)) {
		g->counters.dropped_schema++;
		return;
	}
	p = pending_by_ni(g->hello, reply.ni);
	if (!p || (!id_is_zero(&p->responder) && !id_equal(&p->responder, &d->source)))
		return;
	/* Whoever reads the wire can answer in the responder's name; only the signature tells, and it costs.
	 */
	if (p->replies++ >= REPLIES && defence_on(g, DEFENCE_HELLO_SHARE)) {
		g->counters.dropped_rate++;
		return;
	}
	struct pending asked = *p; /* others may be added below */

	if (address_equal(&asked.to, from))
		g->asker_left = SIZE_MAX;
	struct member *m =
	    hello_member(g, &d->source, reply.certificate, reply.certificate_len, &asked.to, &reply.head);

	if (!m || m == g->self)
		return;
	enum err err = reply_verify(g, &asked, m, &reply, &t);

	if (!err) {
		clone_on_key(g, m, reply.key, asked.started_at, true, &asked.to);
		err = keyring_learn(g->keyring, &m->id, reply.day, reply.key, true);
	}
	if (err) {
		m->session = keyring_knows(g->keyring, &m->id);
		g->counters.dropped_seal++;
		return;
	}
	replied(g, m, &asked, from, &t);
}

static void on_cookie(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct wire_cookie cookie;

	if (wire_cookie_decode(d->message, d->len, &cookie)) {
		g->counters.dropped_schema++;
		return;
	}
	struct pending *p = pending_by_ni(g->hello, cookie.ni);

	if (!p || p->resends > RESENDS || !address_equal(&p->to, from))
		return;
	g->asker_left = SIZE_MAX;
	memcpy(p->cookie, cookie.cookie, sizeof(p->cookie));
	p->resends++;
	hello_send(g, p);
}

void hello_on_message(struct gossip *g, const struct address *from, const struct datagram *d)
{
	switch (d->type) {
	case WIRE_HELLO:
		hello_on_hello(g, from, d);
		break;
	case WIRE_HELLO_REPLY:
		on_reply(g, from, d);
		break;
	case WIRE_HELLO_FINISH:
		hello_on_finish(g, from, d);
		break;
	default:
		on_cookie(g, from, d);
	}
}

/* --- time --- */

/* Nobody of the estate was heard for a while: the seeds are the way back in. */
static bool hello_lonely(const struct gossip *g)
{
	for (size_t i = 0; i < g->members.count; i++) {
		const struct member *m = g->members.hosts[i];

		if (m->answered_at && g->now - m->answered_at < LONELY_MS)
			return false;
	}
	return true;
}

/* By what this host publishes: a datagram that seems to come from it can be anyone's replay. */
static bool seed_is_self(const struct gossip *g, const struct address *seed)
{
	bool self = false;

	for (size_t i = 0; i < g->self->published_count && !self; i++)
		self = address_equal(&g->self->published[i], seed);
	return self;
}

static void seeds_tick(struct gossip *g)
{
	struct hello *h = g->hello;
	mono_ms next = g->now + LONELY_MS;

	if (g->seed_count == 0 || g->now < h->seeds_at) {
		core_deadline(g, g->seed_count ? h->seeds_at : g->now + LONELY_MS);
		return;
	}
	bool lonely = hello_lonely(g);

	for (size_t i = 0; i < g->seed_count; i++) {
		struct seed *s = &h->seeds[i];

		if ((s->met && !lonely) || seed_is_self(g, &g->seeds[i]))
			continue;
		if (g->now >= s->next_at) {
			s->next_at = hello_backoff(g, s->tries++);
			hello_to(g, NULL, NULL, &g->seeds[i]);
		}
		if (s->next_at < next)
			next = s->next_at;
	}
	h->seeds_at = next;
	core_deadline(g, next);
}

/* Who is revoked, or enrolled by somebody who is, is not answered. The log, which is told to anyone, says so.
 */
static void unanswered(struct gossip *g, const struct address *to)
{
	if (hello_lonely(g))
		ask_why(g, to, SILENCE_MS);
}

void hello_tick(struct gossip *g)
{
	struct hello *h = g->hello;

	for (size_t i = 0; i < h->count;) {
		struct pending *p = &h->pending[i];

		if (g->now - p->started_at >= PENDING_MS || (p->m && p->m->site->cut)) {
			struct address to = p->to;
			bool cut = p->m && p->m->site->cut;

			pending_remove(h, p);
			if (!cut)
				unanswered(g, &to);
			continue;
		}
		if (g->now - p->sent_at >= g->timing.hello_retry_ms && p->resends < RESENDS) {
			p->resends++;
			hello_send(g, p);
		}
		core_deadline(g, p->resends < RESENDS ? p->sent_at + g->timing.hello_retry_ms
						      : p->started_at + PENDING_MS);
		i++;
	}
	seeds_tick(g);
}
