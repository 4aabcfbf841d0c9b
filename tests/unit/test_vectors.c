/* The committed test vectors: what they hold decodes to the stated values, encoding yields the same bytes,
 * and each changed byte is refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hello.h"
#include "tests/unit/crypto_fixture.h"
#include "tests/unit/scratch.h"
#include "tests/vectors/vectors.h"

static struct vectors *keys, *records, *logs, *tokens, *datagrams;
static struct estate_keys estate;

static int load(void **state)
{
	(void)state;
	if (crypto_init() != ERR_OK)
		return 1;
	keys = vectors_load("keys.txt");
	records = vectors_load("records.txt");
	logs = vectors_load("log.txt");
	tokens = vectors_load("token.txt");
	datagrams = vectors_load("datagrams.txt");
	struct id id;
	memcpy(id.b, vectors_sized(keys, ID_BYTES, "estate.id"), ID_BYTES);
	estate_keys_derive(&estate, &id, vectors_sized(keys, KEY_BYTES, "estate.secret"));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	vectors_free(keys);
	vectors_free(records);
	vectors_free(logs);
	vectors_free(tokens);
	vectors_free(datagrams);
	return 0;
}

static struct identity *identity_of(const char *name)
{
	struct identity *identity;
	assert_int_equal(identity_from_seed(vectors_sized(keys, KEY_BYTES, "%s.seed", name), &identity),
			 ERR_OK);
	return identity;
}

static void assert_vector(const struct vectors *v, const void *got, size_t len, const char *name)
{
	size_t want_len;
	const uint8_t *want = vectors_get(v, name, &want_len);
	assert_int_equal(len, want_len);
	assert_memory_equal(got, want, len);
}

static void keys_and_ids(void **state)
{
	(void)state;
	static const char *const names[] = {"authority", "issuer",    "host_a", "host_b",
					    "operator",  "successor", "next"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct identity *identity = identity_of(names[i]);
		assert_memory_equal(identity_public_key(identity),
				    vectors_sized(keys, KEY_BYTES, "%s.public", names[i]), KEY_BYTES);
		assert_memory_equal(identity_id(identity), vectors_sized(keys, ID_BYTES, "%s.id", names[i]),
				    ID_BYTES);
		identity_free(identity);
	}
	assert_vector(keys, estate.mac_key, sizeof(estate.mac_key), "estate.mac_key");
	assert_vector(keys, estate.hello_key, KEY_BYTES, "estate.hello_key");
	assert_vector(keys, estate.set_key, KEY_BYTES, "estate.set_key");
	char name[LIMIT_SITE_NAME_BYTES + 1] = {0};
	size_t len;
	const uint8_t *text = vectors_get(keys, "site.name", &len);
	assert_true(len < sizeof(name));
	memcpy(name, text, len);
	struct id site = id_of_site(name);
	assert_vector(keys, site.b, ID_BYTES, "site.id");
}

struct key_file {
	enum key_purpose purpose;
	const char *name, *seed, *passphrase;
};

static bool key_file_refused(void *context, const uint8_t *bytes, size_t len)
{
	const struct key_file *k = context;
	uint8_t seed[KEY_BYTES];
	return key_file_decode(bytes, len, k->purpose, k->passphrase, seed) != ERR_OK;
}

static void key_files(void **state)
{
	(void)state;
	char passphrase[64] = {0};
	size_t len;
	const uint8_t *text = vectors_get(keys, "key_file.passphrase", &len);
	assert_true(len < sizeof(passphrase));
	memcpy(passphrase, text, len);
	struct key_file files[] = {{KEY_HOST, "key_file.host_a", "host_a.seed", NULL},
				   {KEY_ESTATE_SECRET, "key_file.estate", "estate.secret", NULL},
				   {KEY_AUTHORITY, "key_file.authority", "authority.seed", passphrase}};
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct key_file *k = &files[i];
		const uint8_t *file = vectors_sized(keys, KEY_FILE_BYTES, "%s", k->name);
		const uint8_t *seed = vectors_sized(keys, KEY_BYTES, "%s", k->seed);
		uint8_t back[KEY_BYTES], again[KEY_FILE_BYTES];
		assert_int_equal(key_file_decode(file, KEY_FILE_BYTES, k->purpose, k->passphrase, back),
				 ERR_OK);
		assert_memory_equal(back, seed, KEY_BYTES);
		struct scripted_rng script = {file + 20, 40}; /* salt and nonce */
		struct crypto_rng rng = scripted_rng(&script);
		assert_int_equal(key_file_encode(k->purpose, seed, k->passphrase, &rng, again), ERR_OK);
		assert_memory_equal(again, file, KEY_FILE_BYTES);
		assert_int_equal(fixture_flip(file, KEY_FILE_BYTES, true, key_file_refused, k), -1);
	}
}

static const char *const record_names[] = {"certificate", "profile",  "health",    "components",  "crashes",
					   "goodbye",     "rollcall", "reach",     "incident",    "claim",
					   "note",        "policy",   "inventory", "decommission"};
#define RECORD_NAMES (sizeof(record_names) / sizeof(*record_names))

static const char *signer_of(uint8_t kind)
{
	if (kind == RECORD_CERTIFICATE)
		return "issuer";
	return record_class_of(kind) == RECORD_CLASS_OPERATOR ? "operator" : "host_a";
}

static bool record_refused(void *context, const uint8_t *bytes, size_t len)
{
	struct record r;
	return record_parse(bytes, len, &r) != ERR_OK || record_verify(&r, &estate.estate, context) != ERR_OK;
}

static void check_record(const char *name)
{
	char vector[64];
	size_t len, again_len;
	struct record r;
	uint8_t again[LIMIT_RECORD_BYTES];
	snprintf(vector, sizeof(vector), "%s.record", name);
	const uint8_t *bytes = vectors_get(records, vector, &len);
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(r.key.kind, vectors_u64(records, "%s.kind", name));
	assert_memory_equal(r.key.writer.b, vectors_sized(records, ID_BYTES, "%s.writer", name), ID_BYTES);
	assert_memory_equal(r.key.subject.b, vectors_sized(records, ID_BYTES, "%s.subject", name), ID_BYTES);
	assert_true(r.key.slot == vectors_u64(records, "%s.slot", name));
	assert_true(r.seq == vectors_u64(records, "%s.seq", name));
	assert_true(r.instance == vectors_u64(records, "%s.instance", name));
	assert_true(r.time == vectors_u64(records, "%s.time", name));
	assert_memory_equal(r.body, vectors_sized(records, r.body_len, "%s.body", name), r.body_len);
	assert_true(record_id(estate.set_key, bytes, len) == vectors_u64(records, "%s.record_id", name));
	assert_true(record_key_hash(estate.set_key, &r.key) == vectors_u64(records, "%s.key_hash", name));
	struct identity *signer = identity_of(signer_of(r.key.kind));
	assert_int_equal(record_verify(&r, &estate.estate, identity_public_key(signer)), ERR_OK);
	assert_int_equal(record_sign(&r.key, r.seq, r.instance, r.time, r.body, r.body_len, &estate.estate,
				     signer, again, &again_len),
			 ERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
	uint8_t public_key[KEY_BYTES];
	memcpy(public_key, identity_public_key(signer), KEY_BYTES);
	assert_int_equal(fixture_flip(bytes, len, false, record_refused, public_key), -1);
	identity_free(signer);
}

static void records_of_each_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < RECORD_NAMES; i++)
		check_record(record_names[i]);
}

static void certificate_fields(void **state)
{
	(void)state;
	size_t len, again_len;
	struct record r;
	struct certificate c;
	uint8_t again[LIMIT_CERTIFICATE_BYTES];
	const uint8_t *bytes = vectors_get(records, "certificate.record", &len);
	assert_int_equal(record_parse(bytes, len, &r), ERR_OK);
	assert_int_equal(certificate_decode(&r, &c), ERR_OK);
	assert_vector(keys, c.host.b, ID_BYTES, "host_a.id");
	assert_vector(keys, c.issuer.b, ID_BYTES, "issuer.id");
	assert_vector(keys, c.public_key, KEY_BYTES, "host_a.public");
	assert_string_equal(c.site, "leeds");
	assert_int_equal(c.group_count, 2);
	assert_string_equal(c.groups[0], "tills");
	assert_string_equal(c.groups[1], "north");
	assert_int_equal(c.enrolled, FIXTURE_DAY);
	assert_true(c.has_hardware && c.time == FIXTURE_NOW);
	assert_memory_equal(c.hardware, c.host.b, HARDWARE_HASH_BYTES);
	struct identity *issuer = identity_of("issuer");
	assert_int_equal(certificate_issue(&c, issuer, &estate.estate, r.instance, r.time, again, &again_len),
			 ERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, bytes, len);
	identity_free(issuer);
}

static bool token_refused(void *context, const uint8_t *bytes, size_t len)
{
	struct token t;
	(void)context;
	return token_decode((const char *)bytes, len, &t, NULL) != ERR_OK;
}

static void token_fields(void **state)
{
	(void)state;
	size_t len, again_len;
	struct token t;
	char *again, name[32];
	const uint8_t *text = vectors_get(tokens, "token.text", &len);
	assert_int_equal(token_decode((const char *)text, len, &t, NULL), ERR_OK);
	assert_vector(tokens, t.estate_secret, KEY_BYTES, "token.estate_secret");
	assert_vector(tokens, t.issuer_seed, KEY_BYTES, "token.issuer_seed");
	assert_vector(tokens, t.site, strlen(t.site), "token.site");
	assert_int_equal(t.last_day, vectors_u64(tokens, "token.last_day"));
	assert_int_equal(t.subnet_count, 2);
	assert_int_equal(t.seed_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		const struct token_subnet *s = &t.subnets[i];
		snprintf(name, sizeof(name), "token.subnet%u.address", i);
		assert_vector(tokens, s->address, s->address_len, name);
		assert_int_equal(s->prefix_bits, vectors_u64(tokens, "token.subnet%u.prefix", i));
		snprintf(name, sizeof(name), "token.subnet%u.site", i);
		assert_vector(tokens, s->site, strlen(s->site), name);
		snprintf(name, sizeof(name), "token.seed%u", i);
		assert_vector(tokens, t.seeds[i], strlen(t.seeds[i]), name);
	}
	assert_int_equal(authlog_count(t.log), 2);
	assert_vector(keys, authlog_estate(t.log)->b, ID_BYTES, "estate.id");
	assert_int_equal(token_encode(&t, &again, &again_len), ERR_OK);
	assert_int_equal(again_len, len);
	assert_memory_equal(again, text, len);
	assert_int_equal(fixture_flip(text, len, true, token_refused, NULL), -1);
	crypto_guarded_free(again, again_len);
	token_release(&t);
}

/* Keyrings of host_a and host_b, drawing the vectors' secrets and then nonces. */
struct party {
	uint8_t script[KEY_BYTES + 2 * 24];
	struct scripted_rng state;
	struct crypto_rng rng;
	struct id id;
	struct keyring *keyring;
};

static void party_make(struct party *p, const char *name, const char *host, const char *first,
		       const char *second)
{
	memcpy(p->script, vectors_sized(datagrams, KEY_BYTES, "%s.secret", name), KEY_BYTES);
	memcpy(p->script + KEY_BYTES, vectors_sized(datagrams, 24, "%s.nonce", first), 24);
	memcpy(p->script + KEY_BYTES + 24, vectors_sized(datagrams, 24, "%s.nonce", second), 24);
	memcpy(p->id.b, vectors_sized(keys, ID_BYTES, "%s.id", host), ID_BYTES);
	p->state = (struct scripted_rng){p->script, sizeof(p->script)};
	p->rng = scripted_rng(&p->state);
	assert_int_equal(keyring_new(&p->id, &estate, &p->rng,
				     (wall_day)vectors_u64(datagrams, "%s.day", name), &p->keyring),
			 ERR_OK);
	assert_memory_equal(keyring_public(p->keyring),
			    vectors_sized(datagrams, KEY_BYTES, "%s.public", name), KEY_BYTES);
}

static void parties_make(struct party *a, struct party *b)
{
	party_make(a, "a", "host_a", "hello", "ping");
	party_make(b, "b", "host_b", "ack", "ack");
	assert_int_equal(
	    keyring_learn(a->keyring, &b->id, keyring_day(b->keyring), keyring_public(b->keyring), false),
	    ERR_OK);
	assert_int_equal(
	    keyring_learn(b->keyring, &a->id, keyring_day(a->keyring), keyring_public(a->keyring), false),
	    ERR_OK);
}

static bool datagram_refused(void *context, const uint8_t *bytes, size_t len)
{
	struct datagram d;
	return keyring_open(context, bytes, len, &d) != ERR_OK;
}

static void check_datagram(const char *name, struct party *from, struct party *to, bool paired)
{
	char vector[64];
	size_t len, message_len, sealed_len;
	uint8_t sealed[LIMIT_DATAGRAM_BYTES];
	uint64_t nonce;
	struct datagram d;
	uint8_t type = (uint8_t)vectors_u64(datagrams, "%s.type", name);
	snprintf(vector, sizeof(vector), "%s.datagram", name);
	const uint8_t *bytes = vectors_get(datagrams, vector, &len);
	snprintf(vector, sizeof(vector), "%s.message", name);
	const uint8_t *message = vectors_get(datagrams, vector, &message_len);
	enum err err = paired ? keyring_seal(from->keyring, &to->id, type, message, message_len, sealed,
					     &sealed_len, &nonce)
			      : keyring_seal_hello(from->keyring, type, message, message_len, sealed,
						   &sealed_len, &nonce);
	assert_int_equal(err, ERR_OK);
	assert_int_equal(sealed_len, len);
	assert_memory_equal(sealed, bytes, len);
	assert_int_equal(keyring_open(to->keyring, bytes, len, &d), ERR_OK);
	assert_true(d.paired == paired && d.type == type && d.nonce == nonce &&
		    id_equal(&d.source, &from->id));
	assert_int_equal(d.len, message_len);
	assert_memory_equal(d.message, message, message_len);
	assert_int_equal(fixture_flip(bytes, len, len < 200, datagram_refused, to->keyring), -1);
}

static void datagrams_both_ways(void **state)
{
	(void)state;
	struct party a, b;
	parties_make(&a, &b);
	check_datagram("hello", &a, &b, false);
	check_datagram("ping", &a, &b, true);
	check_datagram("ack", &b, &a, true);
	keyring_free(a.keyring);
	keyring_free(b.keyring);
}

static void hello_signatures(void **state)
{
	(void)state;
	struct identity *a = identity_of("host_a"), *b = identity_of("host_b");
	struct hello_transcript t = {.estate = estate.estate,
				     .initiator = *identity_id(a),
				     .responder = *identity_id(b),
				     .initiator_day = (wall_day)vectors_u64(datagrams, "a.day"),
				     .responder_day = (wall_day)vectors_u64(datagrams, "b.day")};
	const struct authlog_head head = {(uint32_t)vectors_u64(logs, "head.index"),
					  vectors_u64(logs, "head.hash")};
	t.initiator_head = t.responder_head = head;
	uint8_t signature[SIGNATURE_BYTES];
	memcpy(t.ni, vectors_sized(datagrams, HELLO_NONCE_BYTES, "hello.ni"), HELLO_NONCE_BYTES);
	memcpy(t.nr, vectors_sized(datagrams, HELLO_NONCE_BYTES, "hello.nr"), HELLO_NONCE_BYTES);
	memcpy(t.initiator_key, vectors_sized(datagrams, KEY_BYTES, "a.public"), KEY_BYTES);
	memcpy(t.responder_key, vectors_sized(datagrams, KEY_BYTES, "b.public"), KEY_BYTES);
	hello_sign(&t, HELLO_SIGN_REPLY, b, signature);
	assert_vector(datagrams, signature, sizeof(signature), "hello.reply_signature");
	assert_int_equal(hello_verify(&t, HELLO_SIGN_REPLY, identity_public_key(b), signature), ERR_OK);
	hello_sign(&t, HELLO_SIGN_FINISH, a, signature);
	assert_vector(datagrams, signature, sizeof(signature), "hello.finish_signature");
	assert_int_equal(hello_verify(&t, HELLO_SIGN_FINISH, identity_public_key(a), signature), ERR_OK);
	identity_free(a);
	identity_free(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(keys_and_ids),
	    cmocka_unit_test(key_files),
	    cmocka_unit_test(records_of_each_kind),
	    cmocka_unit_test(certificate_fields),
	    cmocka_unit_test(token_fields),
	    cmocka_unit_test(datagrams_both_ways),
	    cmocka_unit_test(hello_signatures),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
