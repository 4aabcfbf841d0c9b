#include "attacker.h"

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "crypto/hello.h"
#include "crypto/keyring.h"

#define SEEN 128

/* docs/protocol.md section 7. */
enum { HELLO = 1, HELLO_REPLY = 2, HELLO_FINISH = 3, PUSH = 32, RECORDS = 35, LOG_ENTRIES = 65 };
#define HELLO_BYTES DATAGRAM_MESSAGE_BYTES

struct seen {
	struct address from, to;
	size_t len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

struct attacker {
	struct prng prng;
	mono_ms every, next;
	struct seen seen[SEEN];
	uint64_t seen_count;
	struct address address;
	struct node *insider;
	struct crypto_rng_seeded rng;
	struct keyring *keys;   /* of the insider */
	struct keyring *nobody; /* with the estate secret only */
	struct identity *nobody_identity;
	uint8_t ni[HELLO_NONCE_BYTES];
	uint32_t victim;
	bool in_session;
	struct attacker_counts counts;
};

static struct address attacker_address(void)
{
	return (struct address){.ip = {192, 0, 2, 66}, .ip_len = 4, .port = 666};
}

void attacker_start(struct world *w, mono_ms every, struct node *insider)
{
	struct attacker *a = sim_alloc(1, sizeof(*a));
	prng_seed(&a->prng, w->seed ^ 0x61747461636b6572);
	a->every = every;
	a->next = w->now + every;
	a->insider = insider;
	a->address = insider != NULL ? insider->address : attacker_address();
	a->nobody_identity = estate_identity(w->seed, 1u << 25);
	struct crypto_rng rng = crypto_rng_from_seed(&a->rng, w->seed ^ 0xbad);
	wall_day today = clock_day(world_wall(w));
	CHECK(keyring_new(identity_id(a->nobody_identity), &w->estate.keys, &rng, today, &a->nobody) ==
	      ERR_OK);
	if (insider != NULL)
		CHECK(keyring_new(&insider->id, &w->estate.keys, &rng, today, &a->keys) == ERR_OK);
	w->attacker = a;
}

void attacker_stop(struct world *w)
{
	if (w->attacker != NULL)
		w->attacker->every = 0;
}

void attacker_free(struct attacker *a)
{
	if (a == NULL)
		return;
	keyring_free(a->keys);
	keyring_free(a->nobody);
	identity_free(a->nobody_identity);
	free(a);
}

bool attacker_is(const struct world *w, const struct node *n)
{
	return w->attacker != NULL && w->attacker->insider == n;
}

struct attacker_counts attacker_counts(const struct world *w)
{
	return w->attacker->counts;
}

static uint32_t any_node(struct world *w, struct attacker *a)
{
	return (uint32_t)prng_below(&a->prng, w->node_count);
}

static void noise(struct world *w, struct attacker *a)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len = 1 + prng_below(&a->prng, sizeof(bytes));
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)prng_u64(&a->prng);
	bytes[0] = 1;
	net_inject(w, &a->address, any_node(w, a), bytes, len, 1);
	a->counts.noise++;
}

static const struct seen *pick(struct attacker *a)
{
	uint64_t held = a->seen_count < SEEN ? a->seen_count : SEEN;
	return held > 0 ? &a->seen[prng_below(&a->prng, held)] : NULL;
}

static uint32_t index_of(const struct address *to)
{
	return (uint32_t)to->ip[1] << 16 | (uint32_t)to->ip[2] << 8 | to->ip[3];
}

/* As it was, late, perhaps to somebody else, or from another address. */
static void replay(struct world *w, struct attacker *a)
{
	const struct seen *s = pick(a);
	if (s == NULL)
		return;
	uint32_t to = prng_chance(&a->prng, 0.5) ? index_of(&s->to) : any_node(w, a);
	const struct address *from = prng_chance(&a->prng, 0.5) ? &s->from : &a->address;
	if (to < w->node_count)
		net_inject(w, from, to, s->bytes, s->len, 1 + prng_below(&a->prng, 5000));
	a->counts.replayed++;
}

static void bend(struct world *w, struct attacker *a)
{
	const struct seen *s = pick(a);
	if (s == NULL || index_of(&s->to) >= w->node_count)
		return;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t len = s->len;
	memcpy(bytes, s->bytes, len);
	switch (prng_below(&a->prng, 4)) {
	case 0:
		len = prng_below(&a->prng, len) + 1;
		break;
	case 1:
		bytes[prng_below(&a->prng, len)] ^= (uint8_t)(1u << prng_below(&a->prng, 8));
		break;
	case 2: /* another type */
		bytes[1] = (uint8_t)prng_below(&a->prng, 128);
		break;
	default: /* another source */
		memcpy(bytes + 4, w->nodes[any_node(w, a)].id.b, ID_BYTES);
		break;
	}
	net_inject(w, &s->from, index_of(&s->to), bytes, len, 1);
	a->counts.bent++;
}

static void put_head(struct writer *out, const struct world *w)
{
	struct authlog_head head = authlog_head(w->estate.log);
	writer_u32(out, head.index);
	writer_u64(out, head.hash);
}

static void say_hello(struct world *w, struct attacker *a, struct keyring *k, const uint8_t *certificate,
		      size_t certificate_len, uint32_t to)
{
	uint8_t message[HELLO_BYTES], sealed[LIMIT_DATAGRAM_BYTES];
	size_t len;
	struct writer out = writer_of(message, sizeof(message));
	for (size_t i = 0; i < sizeof(a->ni); i++)
		a->ni[i] = (uint8_t)prng_u64(&a->prng);
	writer_bytes(&out, a->ni, sizeof(a->ni));
	writer_bytes(&out, w->nodes[to].id.b, ID_BYTES);
	writer_u32(&out, keyring_day(k));
	writer_bytes(&out, keyring_public(k), KEY_BYTES);
	put_head(&out, w);
	writer_zeros(&out, 16);
	writer_u8(&out, 0);
	writer_u16(&out, (uint16_t)certificate_len);
	writer_bytes(&out, certificate, certificate_len);
	writer_zeros(&out, writer_left(&out));
	CHECK(!out.failed);
	CHECK(keyring_seal_hello(k, HELLO, message, sizeof(message), sealed, &len, NULL) == ERR_OK);
	net_inject(w, &a->address, to, sealed, len, 1);
	a->counts.hellos++;
}

/* With a certificate he signed himself, under a real issuer's name or his own. */
static void hello_of_nobody(struct world *w, struct attacker *a)
{
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	struct certificate c = {.enrolled = 20000, .seq = 1};
	memcpy(c.site, w->site_names[0], sizeof(c.site));
	certificate_consent(&c, a->nobody_identity, identity_id(a->nobody_identity), &w->estate.keys.estate);
	CHECK(certificate_issue(&c, a->nobody_identity, &w->estate.keys.estate, 1, world_wall(w), certificate,
				&len) == ERR_OK);
	if (prng_chance(&a->prng, 0.5)) /* the writer's place, docs/protocol.md section 2 */
		memcpy(certificate + 5, identity_id(w->estate.first_issuer)->b, ID_BYTES);
	say_hello(w, a, a->nobody, certificate, len, any_node(w, a));
}

static void finish(struct world *w, struct attacker *a, const struct datagram *d)
{
	struct hello_transcript t = {
	    .estate = w->estate.keys.estate, .initiator = a->insider->id, .responder = d->source};
	struct reader in = reader_of(d->message, d->len);
	reader_copy(&in, t.ni, sizeof(t.ni));
	reader_copy(&in, t.nr, sizeof(t.nr));
	t.responder_day = reader_u32(&in);
	reader_copy(&in, t.responder_key, KEY_BYTES);
	if (in.failed || memcmp(t.ni, a->ni, sizeof(t.ni)) != 0)
		return;
	t.initiator_day = keyring_day(a->keys);
	memcpy(t.initiator_key, keyring_public(a->keys), KEY_BYTES);
	if (keyring_learn(a->keys, &d->source, t.responder_day, t.responder_key, true) != ERR_OK)
		return;
	uint8_t message[DATAGRAM_MESSAGE_BYTES], sealed[LIMIT_DATAGRAM_BYTES], signature[SIGNATURE_BYTES];
	size_t len;
	struct writer out = writer_of(message, sizeof(message));
	hello_sign(&t, HELLO_SIGN_FINISH, a->insider->identity, signature);
	writer_bytes(&out, t.ni, sizeof(t.ni));
	writer_bytes(&out, t.nr, sizeof(t.nr));
	writer_u32(&out, t.initiator_day);
	writer_bytes(&out, t.initiator_key, KEY_BYTES);
	writer_u16(&out, (uint16_t)a->insider->certificate_len);
	writer_bytes(&out, a->insider->certificate, a->insider->certificate_len);
	writer_bytes(&out, signature, sizeof(signature));
	CHECK(!out.failed);
	CHECK(keyring_seal_hello(a->keys, HELLO_FINISH, message, out.len, sealed, &len, NULL) == ERR_OK);
	net_inject(w, &a->address, a->victim, sealed, len, 1);
	a->in_session = true;
	a->counts.sessions++;
}

/* A record that this key may not sign, or that nobody signed. */
static size_t forge(struct world *w, struct attacker *a, uint8_t ret[LIMIT_RECORD_BYTES])
{
	const struct node *other = &w->nodes[(a->insider->index + 1) % w->node_count];
	const struct sim_record *real = w->registry.records[prng_below(&a->prng, w->registry.record_count)];
	struct record_key key = {.kind = RECORD_HEALTH, .subject = other->id};
	uint64_t seq = 1000000 + prng_below(&a->prng, 1000000);
	size_t len;
	switch (prng_below(&a->prng, 6)) {
	case 0: /* a real one, from the future */
		memcpy(ret, real->bytes, len = real->len);
		ret[48 + 1] ^= 0x10;
		return len;
	case 1: /* a real one with another body or signature */
		memcpy(ret, real->bytes, len = real->len);
		ret[RECORD_BODY_OFFSET + prng_below(&a->prng, len - RECORD_BODY_OFFSET)] ^= 1;
		return len;
	case 2: /* unsigned */
		memcpy(ret, real->bytes, len = real->len);
		ret[48 + 8] ^= 1;
		memset(ret + len - SIGNATURE_BYTES, 0, SIGNATURE_BYTES);
		return len;
	case 3: /* about another host */
		break;
	case 4: /* another host's site, in its own name */
		key = (struct record_key){.kind = RECORD_ROLLCALL,
					  .subject = w->site_ids[(a->insider->site + 1) % w->site_count]};
		break;
	default: /* an operator's, an authority's or nobody's kind */
		key.kind = (uint8_t)(32 + prng_below(&a->prng, 96));
		break;
	}
	CHECK(record_sign(&key, seq, 1, world_wall(w), (const uint8_t *)"\x80", 1, &w->estate.keys.estate,
			  a->insider->identity, ret, &len) == ERR_OK);
	if (prng_chance(&a->prng, 0.3)) /* under the other's name */
		memcpy(ret + 5, other->id.b, ID_BYTES);
	return len;
}

static void push_forged(struct world *w, struct attacker *a)
{
	uint8_t message[DATAGRAM_MESSAGE_BYTES], sealed[LIMIT_DATAGRAM_BYTES], bytes[LIMIT_RECORD_BYTES];
	size_t sealed_len, len = forge(w, a, bytes);
	struct writer out = writer_of(message, sizeof(message));
	bool push = prng_chance(&a->prng, 0.7) != 0;
	if (push)
		writer_u8(&out, 0);
	else
		writer_zeros(&out, 8);
	writer_u8(&out, 1);
	writer_u16(&out, (uint16_t)len);
	writer_bytes(&out, bytes, len);
	if (out.failed || keyring_seal(a->keys, &w->nodes[a->victim].id, push ? PUSH : RECORDS, message,
				       out.len, sealed, &sealed_len, NULL) != ERR_OK)
		return;
	net_inject(w, &a->address, a->victim, sealed, sealed_len, 1);
	a->counts.records++;
}

static void insider_acts(struct world *w, struct attacker *a)
{
	/* A new victim now and then; before the session stands, a hello. */
	if (!a->in_session || prng_chance(&a->prng, 0.02)) {
		do
			a->victim = any_node(w, a);
		while (a->victim == a->insider->index || w->nodes[a->victim].g == NULL);
		a->in_session = false;
		say_hello(w, a, a->keys, a->insider->certificate, a->insider->certificate_len, a->victim);
		return;
	}
	push_forged(w, a);
}

static void act(struct world *w, struct attacker *a)
{
	switch (prng_below(&a->prng, a->insider != NULL ? 8 : 4)) {
	case 0:
		noise(w, a);
		break;
	case 1:
		replay(w, a);
		break;
	case 2:
		bend(w, a);
		break;
	case 3:
		hello_of_nobody(w, a);
		break;
	default:
		insider_acts(w, a);
		break;
	}
}

void attacker_run(struct world *w)
{
	struct attacker *a = w->attacker;
	if (a == NULL || a->every == 0)
		return;
	for (; a->next <= w->now; a->next += a->every)
		act(w, a);
}

void attacker_sees(struct world *w, const struct address *from, const struct address *to,
		   const uint8_t *bytes, size_t len)
{
	struct attacker *a = w->attacker;
	if (a == NULL)
		return;
	struct seen *s = &a->seen[a->seen_count++ % SEEN];
	s->from = *from;
	s->to = *to;
	s->len = len;
	memcpy(s->bytes, bytes, len);
	struct datagram d;
	if (a->insider != NULL && address_equal(to, &a->address) &&
	    keyring_open(a->keys, bytes, len, &d) == ERR_OK && d.type == HELLO_REPLY)
		finish(w, a, &d);
}
