#include "tests/hostile/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/hello.h"

#define PENDING 64
#define HELD    256

struct contact {
	struct id id;
	struct address at;
};

struct pending {
	struct id to;
	struct address at;
	uint8_t ni[HELLO_NONCE_BYTES];
};

struct held {
	uint64_t id;
	size_t len;
	uint8_t bytes[LIMIT_RECORD_BYTES];
};

struct peer {
	struct peer_options o;
	struct id id;
	struct crypto_rng_seeded seeded;
	struct crypto_rng rng;
	struct keyring *keyring;
	bool claims_head, claims_root;
	struct authlog_head head;
	uint64_t root;
	struct contact *contacts;
	size_t contact_count, contact_cap;
	struct pending pending[PENDING]; /* the oldest gives way */
	size_t pending_next;
	struct held *held;
	size_t held_count;
	uint64_t heard[256];
};

struct peer *peer_new(const struct peer_options *o)
{
	struct peer *p = calloc(1, sizeof(*p));
	CHECK(p != NULL);
	p->o = *o;
	p->id = o->claimed != NULL ? *o->claimed : *identity_id(o->identity);
	p->rng = crypto_rng_from_seed(&p->seeded, o->seed);
	CHECK(keyring_new(&p->id, &o->keys, &p->rng, o->today, &p->keyring) == ERR_OK);
	return p;
}

void peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	keyring_free(p->keyring);
	free(p->contacts);
	free(p->held);
	free(p);
}

void peer_set_answers(struct peer *p, unsigned answers)
{
	p->o.answers = answers;
}

void peer_claim_head(struct peer *p, struct authlog_head head)
{
	p->claims_head = true;
	p->head = head;
}

void peer_claim_root(struct peer *p, uint64_t root)
{
	p->claims_root = true;
	p->root = root;
}

const struct id *peer_id(const struct peer *p)
{
	return &p->id;
}

const struct address *peer_address(const struct peer *p)
{
	return &p->o.address;
}

uint64_t peer_heard(const struct peer *p, uint8_t type)
{
	return p->heard[type];
}

/* --- whom it knows --- */

static struct contact *contact_find(const struct peer *p, const struct id *id)
{
	for (size_t i = 0; i < p->contact_count; i++)
		if (id_equal(&p->contacts[i].id, id))
			return &p->contacts[i];
	return NULL;
}

static void contact_put(struct peer *p, const struct id *id, const struct address *at)
{
	struct contact *c = contact_find(p, id);
	if (c == NULL) {
		if (p->contact_count == p->contact_cap) {
			p->contact_cap = p->contact_cap == 0 ? 16 : p->contact_cap * 2;
			p->contacts = realloc(p->contacts, p->contact_cap * sizeof(*p->contacts));
			CHECK(p->contacts != NULL);
		}
		c = &p->contacts[p->contact_count++];
		c->id = *id;
	}
	c->at = *at;
}

bool peer_in_session(const struct peer *p, const struct id *with)
{
	return keyring_knows(p->keyring, with) && contact_find(p, with) != NULL;
}

/* --- saying --- */

bool peer_seal(struct peer *p, const struct id *to, uint8_t type, const void *message, size_t len,
	       uint8_t *ret, size_t *ret_len)
{
	return keyring_seal(p->keyring, to, type, message, len, ret, ret_len, NULL) == ERR_OK;
}

bool peer_say_from(struct peer *p, const struct address *from, const struct id *to, uint8_t type,
		   const void *message, size_t len)
{
	uint8_t sealed[LIMIT_DATAGRAM_BYTES];
	size_t sealed_len;
	const struct contact *c = contact_find(p, to);
	if (c == NULL || !peer_seal(p, to, type, message, len, sealed, &sealed_len))
		return false;
	p->o.send(p->o.context, from, &c->at, sealed, sealed_len);
	return true;
}

bool peer_say(struct peer *p, const struct id *to, uint8_t type, const void *message, size_t len)
{
	return peer_say_from(p, &p->o.address, to, type, message, len);
}

void peer_say_hello(struct peer *p, const struct address *from, const struct address *to, uint8_t type,
		    const void *message, size_t len)
{
	uint8_t sealed[LIMIT_DATAGRAM_BYTES];
	size_t sealed_len;
	CHECK(keyring_seal_hello(p->keyring, type, message, len, sealed, &sealed_len, NULL) == ERR_OK);
	p->o.send(p->o.context, from, to, sealed, sealed_len);
}

bool peer_push(struct peer *p, const struct id *to, const void *record, size_t len)
{
	struct wire_pack pack;
	wire_pack_push(&pack, 0);
	CHECK(wire_pack_add(&pack, record, len));
	return peer_say(p, to, WIRE_PUSH, pack.bytes, pack.len);
}

static struct authlog_head shown_head(const struct peer *p)
{
	return p->claims_head || p->o.log == NULL ? p->head : authlog_head(p->o.log);
}

bool peer_ping(struct peer *p, const struct id *to)
{
	struct wire_ping ping = {.head = shown_head(p), .root = p->root};
	uint8_t message[WIRE_MESSAGE_BYTES];
	return peer_say(p, to, WIRE_PING, message, wire_ping_encode(&ping, message));
}

bool peer_announce(struct peer *p, const struct id *to, const uint64_t *ids, size_t count)
{
	struct wire_ids body = {.count = count};
	uint8_t message[WIRE_MESSAGE_BYTES];
	memcpy(body.ids, ids, count * sizeof(*ids));
	return peer_say(p, to, WIRE_ANNOUNCE, message, wire_ids_encode(&body, message));
}

void peer_hold(struct peer *p, const void *record, size_t len)
{
	if (p->held == NULL)
		p->held = calloc(HELD, sizeof(*p->held));
	CHECK(p->held != NULL && len <= LIMIT_RECORD_BYTES);
	struct held *h = &p->held[p->held_count++ % HELD];
	h->id = record_id(p->o.keys.set_key, record, len);
	h->len = len;
	memcpy(h->bytes, record, len);
}

/* --- hellos --- */

void peer_hello(struct peer *p, const struct id *to, const struct address *at)
{
	struct pending *pending = &p->pending[p->pending_next++ % PENDING];
	struct wire_hello hello = {.responder = *to,
				   .day = keyring_day(p->keyring),
				   .head = shown_head(p),
				   .certificate = p->o.certificate,
				   .certificate_len = p->o.certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];
	CHECK(p->o.certificate != NULL);
	pending->to = *to;
	pending->at = *at;
	p->rng.fill(p->rng.context, pending->ni, sizeof(pending->ni));
	memcpy(hello.ni, pending->ni, sizeof(hello.ni));
	memcpy(hello.key, keyring_public(p->keyring), KEY_BYTES);
	peer_say_hello(p, &p->o.address, at, WIRE_HELLO, message, wire_hello_encode(&hello, message));
}

static void on_cookie(struct peer *p, const struct datagram *d)
{
	struct wire_cookie cookie;
	struct wire_hello hello = {.day = keyring_day(p->keyring),
				   .head = shown_head(p),
				   .certificate = p->o.certificate,
				   .certificate_len = p->o.certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (wire_cookie_decode(d->message, d->len, &cookie) != ERR_OK)
		return;
	for (size_t i = 0; i < PENDING; i++) {
		if (memcmp(p->pending[i].ni, cookie.ni, sizeof(cookie.ni)) != 0)
			continue;
		hello.responder = p->pending[i].to;
		memcpy(hello.ni, cookie.ni, sizeof(hello.ni));
		memcpy(hello.cookie, cookie.cookie, sizeof(hello.cookie));
		memcpy(hello.key, keyring_public(p->keyring), KEY_BYTES);
		peer_say_hello(p, &p->o.address, &p->pending[i].at, WIRE_HELLO, message,
			       wire_hello_encode(&hello, message));
		return;
	}
}

static void learn(struct peer *p, const struct id *id, wall_day day, const uint8_t *key,
		  const struct address *at)
{
	if (keyring_learn(p->keyring, id, day, key, true) == ERR_OK)
		contact_put(p, id, at);
}

static void on_reply(struct peer *p, const struct datagram *d)
{
	struct wire_hello_reply reply;
	const struct pending *pending = NULL;
	if (wire_hello_reply_decode(d->message, d->len, &reply) != ERR_OK)
		return;
	for (size_t i = 0; i < PENDING && pending == NULL; i++)
		if (memcmp(p->pending[i].ni, reply.ni, sizeof(reply.ni)) == 0)
			pending = &p->pending[i];
	if (pending == NULL)
		return;
	struct hello_transcript t = {.estate = p->o.keys.estate,
				     .initiator = p->id,
				     .responder = d->source,
				     .initiator_day = keyring_day(p->keyring),
				     .responder_day = reply.day};
	struct wire_hello_finish finish = {
	    .day = t.initiator_day, .certificate = p->o.certificate, .certificate_len = p->o.certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];
	memcpy(t.ni, reply.ni, sizeof(t.ni));
	memcpy(t.nr, reply.nr, sizeof(t.nr));
	memcpy(t.initiator_key, keyring_public(p->keyring), KEY_BYTES);
	memcpy(t.responder_key, reply.key, KEY_BYTES);
	memcpy(finish.ni, t.ni, sizeof(t.ni));
	memcpy(finish.nr, t.nr, sizeof(t.nr));
	memcpy(finish.key, t.initiator_key, KEY_BYTES);
	hello_sign(&t, HELLO_SIGN_FINISH, p->o.identity, finish.signature);
	struct address at = pending->at;
	peer_say_hello(p, &p->o.address, &at, WIRE_HELLO_FINISH, message,
		       wire_hello_finish_encode(&finish, message));
	learn(p, &d->source, reply.day, reply.key, &at);
}

static void on_hello(struct peer *p, const struct address *from, const struct datagram *d)
{
	struct wire_hello hello;
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (wire_hello_decode(d->message, d->len, &hello) != ERR_OK ||
	    (!id_is_zero(&hello.responder) && !id_equal(&hello.responder, &p->id)))
		return;
	struct hello_transcript t = {.estate = p->o.keys.estate,
				     .initiator = d->source,
				     .responder = p->id,
				     .initiator_day = hello.day,
				     .responder_day = keyring_day(p->keyring),
				     .flags = hello.flags,
				     .initiator_head = hello.head,
				     .responder_head = shown_head(p)};
	struct wire_hello_reply reply = {.day = t.responder_day,
					 .head = shown_head(p),
					 .observed = *from,
					 .certificate = p->o.certificate,
					 .certificate_len = p->o.certificate_len};
	memcpy(t.ni, hello.ni, sizeof(t.ni));
	p->rng.fill(p->rng.context, t.nr, sizeof(t.nr));
	memcpy(t.initiator_key, hello.key, KEY_BYTES);
	memcpy(t.responder_key, keyring_public(p->keyring), KEY_BYTES);
	memcpy(reply.ni, t.ni, sizeof(t.ni));
	memcpy(reply.nr, t.nr, sizeof(t.nr));
	memcpy(reply.key, t.responder_key, KEY_BYTES);
	hello_sign(&t, HELLO_SIGN_REPLY, p->o.identity, reply.signature);
	peer_say_hello(p, &p->o.address, from, WIRE_HELLO_REPLY, message,
		       wire_hello_reply_encode(&reply, message));
	/* It does not care who that was: the FINISH is not waited for. */
	learn(p, &d->source, hello.day, hello.key, from);
}

/* --- what comes in sessions --- */

static void on_ping(struct peer *p, const struct datagram *d)
{
	struct wire_ping ping;
	uint8_t message[WIRE_MESSAGE_BYTES];
	if (wire_ping_decode(d->message, d->len, &ping) != ERR_OK)
		return;
	struct wire_ack ack = {
	    .echo = d->nonce, .head = shown_head(p), .root = p->claims_root ? p->root : ping.root};
	peer_say(p, &d->source, WIRE_ACK, message, wire_ack_encode(&ack, message));
}

static void on_pull(struct peer *p, const struct datagram *d)
{
	struct wire_ids ids;
	if (wire_ids_decode(d->message, d->len, &ids) != ERR_OK)
		return;
	for (size_t i = 0; i < ids.count; i++) {
		for (size_t h = 0; h < p->held_count && h < HELD; h++) {
			struct wire_pack pack;
			if (p->held[h].id != ids.ids[i])
				continue;
			wire_pack_records(&pack, d->nonce);
			CHECK(wire_pack_add(&pack, p->held[h].bytes, p->held[h].len));
			peer_say(p, &d->source, WIRE_RECORDS, pack.bytes, pack.len);
		}
	}
}

static void on_log_pull(struct peer *p, const struct address *from, const struct datagram *d)
{
	uint32_t first;
	struct wire_pack pack;
	size_t len;
	if (p->o.log == NULL || wire_log_pull_decode(d->message, d->len, !d->paired, &first) != ERR_OK)
		return;
	wire_pack_log(&pack, d->nonce, first);
	for (size_t i = first; i < authlog_count(p->o.log); i++) {
		const uint8_t *entry = authlog_entry(p->o.log, i, &len);
		if (!wire_pack_add(&pack, entry, len))
			break;
	}
	if (d->paired)
		peer_say(p, &d->source, WIRE_LOG_ENTRIES, pack.bytes, pack.len);
	else
		peer_say_hello(p, &p->o.address, from, WIRE_LOG_ENTRIES, pack.bytes, pack.len);
}

void peer_hear(struct peer *p, const struct address *from, const uint8_t *bytes, size_t len)
{
	struct datagram d;
	if (keyring_open(p->keyring, bytes, len, &d) != ERR_OK)
		return;
	p->heard[d.type]++;
	if (p->o.heard != NULL && p->o.heard(p->o.context, p, from, &d))
		return;
	if (p->o.certificate == NULL)
		return;
	if (d.type == WIRE_HELLO_REPLY)
		on_reply(p, &d);
	else if (d.type == WIRE_COOKIE)
		on_cookie(p, &d);
	else if (d.type == WIRE_HELLO && (p->o.answers & PEER_HELLOS) != 0)
		on_hello(p, from, &d);
	else if (d.type == WIRE_PING && (p->o.answers & PEER_PINGS) != 0)
		on_ping(p, &d);
	else if (d.type == WIRE_PULL && (p->o.answers & PEER_PULLS) != 0)
		on_pull(p, &d);
	else if (d.type == WIRE_LOG_PULL && (p->o.answers & PEER_LOG) != 0)
		on_log_pull(p, from, &d);
}
