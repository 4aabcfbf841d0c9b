/* The responder's half of the hello (hello.c tells the whole).
 *
 * Happy path: a HELLO is answered with a signed REPLY, a FINISH that repeats it makes the session.
 * Fails: certificates that do not verify get silence, and their holder is asked for the log when its issuer
 * is unknown. What signing and verifying costs is bounded per second; under load a cookie must come back
 * first, which proves the address. */
#include <string.h>

#include "gossip/clone.h"
#include "gossip/hello.h"
#include "gossip/logsync.h"
#include "gossip/standing.h"

#define SLOT_MS           8000 /* a FINISH is taken in its slot and the next */
#define FINISH_MS         (2 * SLOT_MS)
#define FRESH_A_SECOND    50   /* hellos answered without a cookie */
#define RETURNED_A_SECOND 50   /* … with one */
#define FINISHED_A_SECOND 100  /* finishes verified */
#define SOURCE_A_SECOND   10   /* of the last two, of one address: it is proven */
#define COOKIES_A_SECOND  4000 /* 100 bytes each */
#define LOGS_A_SECOND     500  /* LOG_PULLs under the hello key answered */

void hello_done(struct gossip *g, struct member *m)
{
	if (!m->session)
		g->counters.sessions++;
	m->session = true;
	m->hello_tries = 0;
	m->hello_next_at = 0;
	m->heard_at = g->now;
	if (m->site != g->self->site)
		edge_heard(g, m);
}

struct member *hello_member(struct gossip *g, const struct id *source, const uint8_t *certificate, size_t len,
			    const struct address *from, const struct authlog_head *head)
{
	uint64_t id = record_id(g->keys.set_key, certificate, len);
	struct record r;

	if (record_parse(certificate, len, &r) || r.key.kind != RECORD_CERTIFICATE ||
	    !id_equal(&r.key.subject, source)) {
		g->counters.dropped_schema++;
		return NULL;
	}
	bool refused = !set_has_id(g->set, id) &&
		       core_accept_record(g, certificate, len, NULL, CORE_HOPS_PULLED) == ERR_UNTRUSTED;
	struct member *m = member_find(g, source);
	bool out = m && !standing_talks(m);

	/* Its grant may be in, or extended by, entries that are missing here, and what revoked it may be the
	 * branch of a thief, which a rotation has ended. */
	if (((refused && !authlog_find_grant(g->log, &r.key.writer)) || out) && head)
		logsync_on_head(g, NULL, from, *head);
	if (m && (m->site->cut || !standing_talks(m)))
		return NULL;
	return m;
}

/* What a responder would otherwise have to remember: its nonce, and the cookie. */
static void hello_mark(struct gossip *g, uint64_t slot, char use, const struct address *from,
		       const struct id *initiator, const uint8_t *ni, wall_day day, const uint8_t *key,
		       uint8_t ret[HELLO_NONCE_BYTES])
{
	uint8_t data[128];
	struct writer w = writer_of(data, sizeof(data));

	writer_u8(&w, (uint8_t)use);
	writer_u64(&w, slot);
	writer_bytes(&w, from->ip, sizeof(from->ip));
	writer_u16(&w, from->port);
	writer_bytes(&w, initiator->b, ID_BYTES);
	writer_bytes(&w, ni, HELLO_NONCE_BYTES);
	writer_u32(&w, day);
	if (key)
		writer_bytes(&w, key, KEY_BYTES);
	hash_keyed(ret, HELLO_NONCE_BYTES, g->cookie_secret, "mesh.nonce", data, w.len);
}

/* Bounds what strangers can make this node sign, verify and send. Each has its own count, so that none of
 * them is in the others' way. */
static bool second_allows(struct gossip *g, unsigned *count, unsigned most)
{
	struct hello *h = g->hello;

	if (g->now - h->second_at >= CLOCK_SECOND_MS) {
		h->second_at = g->now;
		h->fresh = h->returned = h->finished = h->cookies = h->logs = 0;
	}
	if (*count >= most && defence_on(g, DEFENCE_HELLO_SHARE)) {
		return false;
	}
	++*count;
	return true;
}

/* For one who has shown that `from` is his: others have their share, too. */
static bool source_allows(struct gossip *g, const struct address *from, unsigned *count, unsigned most)
{
	bool allowed = !defence_on(g, DEFENCE_HELLO_SHARE) ||
		       (filter_source_allows(g, from, SOURCE_A_SECOND) && second_allows(g, count, most));

	g->counters.dropped_rate += !allowed;
	return allowed;
}

bool hello_log_allows(struct gossip *g)
{
	bool allowed = second_allows(g, &g->hello->logs, LOGS_A_SECOND);

	g->counters.dropped_rate += !allowed;
	return allowed;
}

static bool cookie_holds(struct gossip *g, const struct wire_hello *hello, const struct datagram *d,
			 const struct address *from, uint8_t ret_fresh[WIRE_COOKIE_SIZE])
{
	uint8_t old[WIRE_COOKIE_SIZE];
	uint64_t slot = g->now / SLOT_MS;

	hello_mark(g, slot, 'c', from, &d->source, hello->ni, 0, NULL, ret_fresh);
	hello_mark(g, slot - 1, 'c', from, &d->source, hello->ni, 0, NULL, old);
	return hash_same(hello->cookie, ret_fresh, sizeof(old)) ||
	       hash_same(hello->cookie, old, sizeof(old)) || !defence_on(g, DEFENCE_COOKIE);
}

static void cookie_send(struct gossip *g, const struct address *from, const struct wire_hello *hello,
			struct wire_cookie *cookie)
{
	uint8_t message[WIRE_MESSAGE_BYTES];

	if (!second_allows(g, &g->hello->cookies, COOKIES_A_SECOND)) {
		g->counters.dropped_rate++;
		return;
	}
	memcpy(cookie->ni, hello->ni, sizeof(cookie->ni));
	core_send_hello(g, from, WIRE_COOKIE, message, wire_cookie_encode(cookie, message), NULL);
}

static void reply_send(struct gossip *g, const struct address *from, const struct datagram *d,
		       const struct wire_hello *hello)
{
	struct wire_hello_reply reply = {.day = keyring_day(g->keyring),
					 .head = authlog_head(g->log),
					 .observed = *from,
					 .certificate = g->certificate,
					 .certificate_len = g->certificate_len};
	struct hello_transcript t = {.estate = g->keys.estate,
				     .initiator = d->source,
				     .responder = g->self->id,
				     .initiator_day = hello->day,
				     .responder_day = reply.day,
				     .flags = hello->flags,
				     .initiator_head = hello->head,
				     .responder_head = reply.head};
	uint8_t message[WIRE_MESSAGE_BYTES];

	memcpy(t.ni, hello->ni, sizeof(t.ni));
	hello_mark(g, g->now / SLOT_MS, 'n', from, &d->source, hello->ni, hello->day, hello->key, t.nr);
	memcpy(t.initiator_key, hello->key, KEY_BYTES);
	memcpy(t.responder_key, keyring_public(g->keyring), KEY_BYTES);
	memcpy(reply.ni, t.ni, sizeof(reply.ni));
	memcpy(reply.nr, t.nr, sizeof(reply.nr));
	memcpy(reply.key, t.responder_key, KEY_BYTES);
	hello_sign(&t, HELLO_SIGN_REPLY, g->identity, reply.signature);
	g->counters.signatures++;
	core_send_hello(g, from, WIRE_HELLO_REPLY, message, wire_hello_reply_encode(&reply, message), NULL);
}

void hello_on_hello(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct wire_hello hello;

	if (wire_hello_decode(d->message, d->len, &hello)) {
		g->counters.dropped_schema++;
		return;
	}
	g->counters.hellos_in++;
	if (!id_is_zero(&hello.responder) && !id_equal(&hello.responder, &g->self->id))
		return;
	if (!second_allows(g, &g->hello->fresh, FRESH_A_SECOND)) {
		struct wire_cookie cookie;

		if (!cookie_holds(g, &hello, d, from, cookie.cookie)) {
			cookie_send(g, from, &hello, &cookie);
			return;
		}
		if (!source_allows(g, from, &g->hello->returned, RETURNED_A_SECOND))
			return;
	}
	if (hello_member(g, &d->source, hello.certificate, hello.certificate_len, from, &hello.head))
		reply_send(g, from, d, &hello);
}

void hello_on_finish(struct gossip *g, const struct address *from, const struct datagram *d)
{
	struct wire_hello_finish finish;
	uint64_t slot = g->now / SLOT_MS;
	uint8_t fresh[HELLO_NONCE_BYTES], old[HELLO_NONCE_BYTES];

	if (wire_hello_finish_decode(d->message, d->len, &finish)) {
		g->counters.dropped_schema++;
		return;
	}
	hello_mark(g, slot, 'n', from, &d->source, finish.ni, finish.day, finish.key, fresh);
	hello_mark(g, slot - 1, 'n', from, &d->source, finish.ni, finish.day, finish.key, old);
	bool ours = hash_same(finish.nr, fresh, sizeof(fresh)) || hash_same(finish.nr, old, sizeof(old));

	if (!ours || !source_allows(g, from, &g->hello->finished, FINISHED_A_SECOND)) {
		g->counters.dropped_seal += !ours;
		return;
	}
	struct member *m =
	    hello_member(g, &d->source, finish.certificate, finish.certificate_len, from, NULL);

	if (!m || m == g->self)
		return;
	struct hello_transcript t = {.estate = g->keys.estate,
				     .initiator = m->id,
				     .responder = g->self->id,
				     .initiator_day = finish.day,
				     .responder_day = keyring_day(g->keyring)};

	memcpy(t.ni, finish.ni, sizeof(t.ni));
	memcpy(t.nr, finish.nr, sizeof(t.nr));
	memcpy(t.initiator_key, finish.key, KEY_BYTES);
	memcpy(t.responder_key, keyring_public(g->keyring), KEY_BYTES);
	g->counters.verifications++;
	bool proven = !hello_verify(&t, HELLO_SIGN_FINISH, m->public_key, finish.signature);

	if ((!proven && defence_on(g, DEFENCE_HELLO_PROOF)) ||
	    keyring_learn(g->keyring, &m->id, finish.day, finish.key, false)) {
		g->counters.dropped_seal++;
		return;
	}
	if (proven)
		clone_on_key(g, m, finish.key, g->now > FINISH_MS ? g->now - FINISH_MS : 0, false, from);
	hello_done(g, m);
	member_proved(g, m, from, from); /* our nonce went there */
	/* A FINISH may be a replay of seconds ago: whether it lives, the ACK will tell. */
	probe_ping_at(g, m, from);
}
