/* Writes the .txt files of tests/vectors: `make_vectors FOLDER`. Built with the tests and run by hand, when
 * the protocol changes: keys come from a seed and times are fixed, so an unchanged protocol gives unchanged
 * files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "tests/vectors/bodies.h"
#include "tests/vectors/vectors.h"
#include "tests/vectors/world.h"

#define SEED       20240719u
#define PASSPHRASE "correct horse battery staple"
#define INSTANCE   0x0123456789abcdefu
#define DAY_A      19923u
#define DAY_B      19924u

static void put_identity(struct world *w, const char *name, const struct identity *identity)
{
	out_bytes(w, identity_seed(identity), KEY_BYTES, "%s.seed", name);
	out_bytes(w, identity_public_key(identity), KEY_BYTES, "%s.public", name);
	out_bytes(w, identity_id(identity)->b, ID_BYTES, "%s.id", name);
}

static void put_key_file(struct world *w, const char *name, enum key_purpose purpose, const uint8_t *seed,
			 const char *passphrase)
{
	uint8_t file[KEY_FILE_BYTES];
	CHECK(key_file_encode(purpose, seed, passphrase, &w->f.rng, file) == ERR_OK);
	out_bytes(w, file, sizeof(file), "%s", name);
}

static void write_keys(struct world *w)
{
	struct id leeds = id_of_site(SAMPLE_SITE);
	const struct fixture *f = &w->f;
	out_begin(w, "keys.txt", "Seeds, ids, derived keys and key files (sections 1 and 5).");
	out_comment(w, "Ed25519 key pairs: seed, public key, key id.");
	put_identity(w, "authority", f->authority);
	put_identity(w, "issuer", f->issuer);
	put_identity(w, "host_a", f->host);
	put_identity(w, "host_b", f->other);
	put_identity(w, "operator", w->operator_);
	put_identity(w, "successor", f->successor);
	put_identity(w, "next", w->next);
	out_comment(w, "The estate: secret, id (of entry 0 in log.txt), derived keys.");
	out_bytes(w, f->secret, KEY_BYTES, "estate.secret");
	out_bytes(w, f->keys.estate.b, ID_BYTES, "estate.id");
	out_bytes(w, f->keys.mac_key, sizeof(f->keys.mac_key), "estate.mac_key");
	out_bytes(w, f->keys.hello_key, KEY_BYTES, "estate.hello_key");
	out_bytes(w, f->keys.set_key, KEY_BYTES, "estate.set_key");
	out_comment(w, "A site: name, id.");
	out_bytes(w, SAMPLE_SITE, strlen(SAMPLE_SITE), "site.name");
	out_bytes(w, leeds.b, ID_BYTES, "site.id");
	out_comment(
	    w, "Key files: of host_a and of the estate secret, plain; of the authority, under a passphrase.");
	put_key_file(w, "key_file.host_a", KEY_HOST, f->host_seed, NULL);
	put_key_file(w, "key_file.estate", KEY_ESTATE_SECRET, f->secret, NULL);
	out_bytes(w, PASSPHRASE, strlen(PASSPHRASE), "key_file.passphrase");
	put_key_file(w, "key_file.authority", KEY_AUTHORITY, f->authority_seed, PASSPHRASE);
	out_end(w);
}

static void put_record(struct world *w, const char *name, const uint8_t *bytes, size_t len)
{
	struct record r;
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	fprintf(w->out, "\n");
	out_bytes(w, bytes, len, "%s.record", name);
	out_number(w, r.key.kind, 1, "%s.kind", name);
	out_bytes(w, r.key.writer.b, ID_BYTES, "%s.writer", name);
	out_bytes(w, r.key.subject.b, ID_BYTES, "%s.subject", name);
	out_number(w, r.key.slot, 8, "%s.slot", name);
	out_number(w, r.seq, 8, "%s.seq", name);
	out_number(w, r.instance, 8, "%s.instance", name);
	out_number(w, r.time, 8, "%s.time", name);
	out_bytes(w, r.body, r.body_len, "%s.body", name);
	out_bytes(w, bytes + len - SIGNATURE_BYTES, SIGNATURE_BYTES, "%s.signature", name);
	out_number(w, record_id(w->f.keys.set_key, bytes, len), 8, "%s.record_id", name);
	out_number(w, record_key_hash(w->f.keys.set_key, &r.key), 8, "%s.key_hash", name);
}

static struct id subject_of(const struct world *w, uint8_t kind)
{
	switch (record_class_of(kind)) {
	case RECORD_CLASS_HOST:
		return *identity_id(w->f.host);
	case RECORD_CLASS_SITE:
		return id_of_site(SAMPLE_SITE);
	default:
		break;
	}
	if (kind == RECORD_CLAIM || kind == RECORD_NOTE)
		return id_of_site(SAMPLE_SITE);
	return kind == RECORD_DECOMMISSION ? *identity_id(w->f.other) : w->f.keys.estate;
}

static void write_records(struct world *w)
{
	uint8_t bytes[LIMIT_RECORD_BYTES], certificate[LIMIT_CERTIFICATE_BYTES];
	size_t len = fixture_certificate(&w->f, w->f.host, certificate);
	out_begin(w, "records.txt", "One record of each kind (sections 2 and 3), in the estate of keys.txt.");
	out_comment(w, "The certificate of host_a, by the issuer.");
	put_record(w, "certificate", certificate, len);
	out_comment(
	    w, "Host and site kinds are signed by host_a, operator kinds by the operator. What the bodies "
	       "say stands in check_vectors.py.");
	for (size_t i = 0; i < sample_count; i++) {
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		struct mp_writer writer;
		bool operator_ = record_class_of(samples[i].kind) == RECORD_CLASS_OPERATOR;
		struct record_key key = {.kind = samples[i].kind,
					 .subject = subject_of(w, samples[i].kind),
					 .slot = operator_ ? SAMPLE_SLOT : 0};
		mp_writer_init(&writer, body, sizeof(body));
		samples[i].put(&writer, &w->f);
		CHECK(!writer.failed);
		CHECK(record_sign(&key, 2 + i, INSTANCE, FIXTURE_NOW + 1000 * i, body, writer.len,
				  &w->f.keys.estate, operator_ ? w->operator_ : w->f.host, bytes,
				  &len) == ERR_OK);
		put_record(w, samples[i].name, bytes, len);
	}
	out_end(w);
}

struct made {
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
};

static void add(struct world *w, const struct made *m)
{
	CHECK(authlog_append(w->f.log, m->bytes, m->len) == ERR_OK);
}

/* The fixture's log has a genesis and a grant; here comes one of each other type. */
static void grow_log(struct world *w)
{
	struct made m;
	struct id stolen = {{0xde, 0xad}};
	struct authlog *log = w->f.log;
	const struct identity *authority = w->f.authority;
	struct authlog_grant grant = {.quota = 70000, .last_day = FIXTURE_DAY + 90, .name = "two sites"};
	grant.site_count = 2;
	memcpy(grant.sites[0], "leeds", 6);
	memcpy(grant.sites[1], "york", 5);
	memcpy(grant.public_key, identity_public_key(w->f.other), KEY_BYTES);
	CHECK(authlog_make_grant(log, authority, &grant, FIXTURE_NOW + 1000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_extend(log, authority, identity_id(w->f.issuer), &(wall_day){FIXTURE_DAY + 400},
				  NULL, FIXTURE_NOW + 2000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_operator(log, authority, identity_public_key(w->operator_), "Ada", 0x0f,
				    FIXTURE_DAY + 400, FIXTURE_NOW + 3000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_revoke(log, authority, LOG_REVOKE_HOST, &stolen, NULL, "laptop lost",
				  FIXTURE_NOW + 4000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_rotate(log, w->f.successor, identity_public_key(w->next), NULL, FIXTURE_NOW + 5000,
				  m.bytes, &m.len) == ERR_OK);
	add(w, &m);
}

static void put_log_entry(struct world *w, const char *name, size_t index, const uint8_t *entry, size_t len)
{
	uint8_t hash[32];
	hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
	out_bytes(w, entry, len, "%s%zu.bytes", name, index);
	out_number(w, entry[2], 1, "%s%zu.type", name, index);
	out_bytes(w, entry + 43, 8, "%s%zu.time", name, index);
	out_bytes(w, entry + 51, len - 117, "%s%zu.body", name, index);
	out_bytes(w, hash, sizeof(hash), "%s%zu.hash", name, index);
}

/* A second rotation by the successor, behind the fork's entries, which count again with it. */
static void write_rival(struct world *w, const struct authlog *branch)
{
	struct made m;
	struct authlog *both;
	struct authlog_run run = {0};
	CHECK(authlog_make_rotate(branch, w->f.successor, identity_public_key(w->operator_), NULL,
				  FIXTURE_NOW + 8000, m.bytes, &m.len) == ERR_OK);
	out_comment(
	    w,
	    "With entry 6 the log is entries 0 to 6 alone. A second rotation by the same successor, behind "
	    "fork1, brings those two back.");
	put_log_entry(w, "rival", 0, m.bytes, m.len);
	CHECK(authlog_copy(w->f.log, &both) == ERR_OK);
	for (size_t i = 2; i < authlog_count(branch); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(branch, i, &len);
		CHECK(authlog_offer(both, &run, entry, len) == ERR_UNTRUSTED);
	}
	CHECK(authlog_offer(both, &run, m.bytes, m.len) == ERR_OK && run.count == 0);
	struct authlog_head head = authlog_head(both);
	out_comment(w, "The head of all ten.");
	out_number(w, head.index, 4, "rival_head.index");
	out_number(w, head.hash, 8, "rival_head.hash");
	authlog_run_clear(&run);
	authlog_free(both);
}

/* Two entries that the authority's key signs behind the first two of the log, before it is retired. */
static void write_fork(struct world *w)
{
	struct made m;
	struct authlog *branch, *forked;
	struct id list = {{0xa1}};
	struct authlog_grant grant = fixture_grant(w->operator_);
	CHECK(authlog_new(&branch) == ERR_OK && authlog_new(&forked) == ERR_OK);
	for (size_t i = 0; i + 1 < authlog_count(w->f.log); i++) {
		const uint8_t *entry = authlog_entry(w->f.log, i, &m.len);
		CHECK(i >= 2 || authlog_append(branch, entry, m.len) == ERR_OK);
		CHECK(authlog_append(forked, entry, m.len) == ERR_OK);
	}
	out_comment(
	    w, "A fork behind entry 1: an issuer revoked, all but a list; a grant that counts for nothing.");
	for (size_t i = 0; i < 2; i++) {
		enum err err = i == 0 ? authlog_make_revoke(branch, w->f.authority, LOG_REVOKE_ISSUER,
							    identity_id(w->f.issuer), &list, "stolen",
							    FIXTURE_NOW + 6000, m.bytes, &m.len)
				      : authlog_make_grant(branch, w->f.authority, &grant, FIXTURE_NOW + 7000,
							   m.bytes, &m.len);
		CHECK(err == ERR_OK && authlog_append(branch, m.bytes, m.len) == ERR_OK);
		CHECK(authlog_append(forked, m.bytes, m.len) == ERR_OK);
		put_log_entry(w, "fork", i, m.bytes, m.len);
	}
	struct authlog_head head = authlog_head(forked);
	out_comment(w, "The head of these and entries 0 to 5: highest index, and a hash over the last "
		       "entries of both branches.");
	out_number(w, head.index, 4, "fork_head.index");
	out_number(w, head.hash, 8, "fork_head.hash");
	write_rival(w, branch);
	authlog_free(branch);
	authlog_free(forked);
}

static void write_log(struct world *w)
{
	static const char *const names[] = {"genesis",  "grant",  "grant_sites", "extend",
					    "operator", "revoke", "rotate"};
	struct authlog_head head;
	out_begin(w, "log.txt", "An authority log (section 5): one entry of each type, and one grant more.");
	for (size_t i = 0; i < authlog_count(w->f.log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(w->f.log, i, &len);
		out_comment(w, names[i]);
		put_log_entry(w, "entry", i, entry, len);
	}
	out_comment(w, "The head: index and first 8 bytes of the last entry's hash.");
	head = authlog_head(w->f.log);
	out_number(w, head.index, 4, "head.index");
	out_number(w, head.hash, 8, "head.hash");
	write_fork(w);
	out_end(w);
}

static void write_token(struct world *w)
{
	struct token t = fixture_token(&w->f);
	char *text;
	size_t len;
	CHECK(token_encode(&t, &text, &len) == ERR_OK);
	out_begin(w, "token.txt", "A token (section 5): the text of its file, and what it says.");
	out_comment(w, "Its log is the first two entries of log.txt.");
	out_bytes(w, text, len, "token.text");
	out_bytes(w, t.estate_secret, KEY_BYTES, "token.estate_secret");
	out_bytes(w, t.issuer_seed, KEY_BYTES, "token.issuer_seed");
	out_bytes(w, t.site, strlen(t.site), "token.site");
	for (size_t i = 0; i < t.subnet_count; i++) {
		out_bytes(w, t.subnets[i].address, t.subnets[i].address_len, "token.subnet%zu.address", i);
		out_number(w, t.subnets[i].prefix_bits, 1, "token.subnet%zu.prefix", i);
		out_bytes(w, t.subnets[i].site, strlen(t.subnets[i].site), "token.subnet%zu.site", i);
	}
	for (size_t i = 0; i < t.seed_count; i++)
		out_bytes(w, t.seeds[i], strlen(t.seeds[i]), "token.seed%zu", i);
	out_number(w, t.last_day, 4, "token.last_day");
	crypto_guarded_free(text, len);
	out_end(w);
}

/* A keyring whose secret and later nonces are known: drawn from the world's rng, then handed out again. */
struct party {
	uint8_t script[KEY_BYTES + 2 * 24]; /* exchange secret, nonces */
	struct scripted_rng state;
	struct crypto_rng rng;
	struct keyring *keyring;
	const struct identity *identity;
};

static void party_make(struct world *w, struct party *p, const struct identity *identity, wall_day day)
{
	w->f.rng.fill(w->f.rng.context, p->script, sizeof(p->script));
	p->state = (struct scripted_rng){p->script, sizeof(p->script)};
	p->rng = scripted_rng(&p->state);
	p->identity = identity;
	CHECK(keyring_new(identity_id(identity), &w->f.keys, &p->rng, day, &p->keyring) == ERR_OK);
}

static void put_datagram(struct world *w, const char *name, struct party *from, const struct party *to,
			 uint8_t type, const uint8_t *message, size_t len)
{
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
	size_t sealed;
	enum err err = to == NULL
			   ? keyring_seal_hello(from->keyring, type, message, len, bytes, &sealed, NULL)
			   : keyring_seal(from->keyring, identity_id(to->identity), type, message, len, bytes,
					  &sealed, NULL);
	CHECK(err == ERR_OK);
	fprintf(w->out, "\n");
	out_number(w, type, 1, "%s.type", name);
	out_bytes(w, bytes + 20, 24, "%s.nonce", name);
	out_bytes(w, message, len, "%s.message", name);
	out_bytes(w, bytes, sealed, "%s.datagram", name);
}

static void put_transcript(struct world *w, const struct hello_transcript *t)
{
	hello_sign(t, HELLO_SIGN_REPLY, w->f.other, w->reply_signature);
	hello_sign(t, HELLO_SIGN_FINISH, w->f.host, w->finish_signature);
	w->hello = *t;
	out_comment(
	    w, "Signatures of HELLO_REPLY (by host_b) and HELLO_FINISH (by host_a) over these nonces and the "
	       "days and keys above.");
	out_bytes(w, t->ni, HELLO_NONCE_BYTES, "hello.ni");
	out_bytes(w, t->nr, HELLO_NONCE_BYTES, "hello.nr");
	out_bytes(w, w->reply_signature, SIGNATURE_BYTES, "hello.reply_signature");
	out_bytes(w, w->finish_signature, SIGNATURE_BYTES, "hello.finish_signature");
}

/* HELLO of section 7, from host_a to whom it may concern. */
static void put_hello(struct world *w, struct party *a, const struct hello_transcript *t)
{
	uint8_t message[DATAGRAM_MESSAGE_BYTES], certificate[LIMIT_CERTIFICATE_BYTES];
	size_t len = fixture_certificate(&w->f, w->f.host, certificate);
	struct authlog_head head = authlog_head(w->f.log);
	struct writer m = writer_of(message, sizeof(message));
	writer_bytes(&m, t->ni, sizeof(t->ni));
	writer_zeros(&m, ID_BYTES);
	writer_u32(&m, DAY_A);
	writer_bytes(&m, keyring_public(a->keyring), KEY_BYTES);
	writer_u32(&m, head.index);
	writer_u64(&m, head.hash);
	writer_zeros(&m, 16);
	writer_u8(&m, 0);
	writer_u16(&m, (uint16_t)len);
	writer_bytes(&m, certificate, len);
	writer_zeros(&m, writer_left(&m));
	CHECK(!m.failed);
	put_datagram(w, "hello", a, NULL, 1, message, m.len);
}

static void write_datagrams(struct world *w)
{
	struct party a, b;
	struct hello_transcript t = {.initiator_day = DAY_A, .responder_day = DAY_B};
	struct authlog_head head = authlog_head(w->f.log);
	uint8_t ping[28], ack[28];
	struct writer m = writer_of(ping, sizeof(ping));
	party_make(w, &a, w->f.host, DAY_A);
	party_make(w, &b, w->f.other, DAY_B);
	t.estate = w->f.keys.estate;
	t.initiator = *identity_id(w->f.host);
	t.responder = *identity_id(w->f.other);
	t.initiator_head = t.responder_head = head;
	memcpy(t.initiator_key, keyring_public(a.keyring), KEY_BYTES);
	memcpy(t.responder_key, keyring_public(b.keyring), KEY_BYTES);
	w->f.rng.fill(w->f.rng.context, t.ni, sizeof(t.ni));
	w->f.rng.fill(w->f.rng.context, t.nr, sizeof(t.nr));
	out_begin(w, "datagrams.txt", "Datagrams between host_a and host_b of keys.txt (sections 6 and 7).");
	out_comment(w, "X25519 exchange keys and their days. host_b's day has turned, host_a's has not.");
	out_bytes(w, a.script, KEY_BYTES, "a.secret");
	out_bytes(w, keyring_public(a.keyring), KEY_BYTES, "a.public");
	out_number(w, DAY_A, 4, "a.day");
	out_bytes(w, b.script, KEY_BYTES, "b.secret");
	out_bytes(w, keyring_public(b.keyring), KEY_BYTES, "b.public");
	out_number(w, DAY_B, 4, "b.day");
	put_transcript(w, &t);
	out_comment(w, "HELLO, under the hello key; PING from a to b and its ACK, under their pair keys.");
	put_hello(w, &a, &t);
	CHECK(keyring_learn(a.keyring, &t.responder, DAY_B, t.responder_key, true) == ERR_OK);
	CHECK(keyring_learn(b.keyring, &t.initiator, DAY_A, t.initiator_key, true) == ERR_OK);
	writer_u32(&m, head.index);
	writer_u64(&m, head.hash);
	writer_u64(&m, 0x1122334455667788u);
	writer_u64(&m, 0x0123456789abcdefu);
	put_datagram(w, "ping", &a, &b, 16, ping, m.len);
	memcpy(ack, a.script + KEY_BYTES + 24, 8); /* the ping's nonce */
	memcpy(ack + 8, ping, sizeof(ack) - 8);
	put_datagram(w, "ack", &b, &a, 17, ack, sizeof(ack));
	keyring_free(a.keyring);
	keyring_free(b.keyring);
	out_end(w);
}

static void put_entry(struct mp_writer *w, uint64_t kind, const char *name, const char *version, int64_t size)
{
	mp_put_map(w, 5);
	put_key_u64(w, 1, kind);
	put_key_str(w, 2, name);
	put_key_str(w, 3, version);
	mp_put_u64(w, 6);
	mp_put_i64(w, size);
	put_key_u64(w, 7, 0x12);
}

static void put_policy_row(struct mp_writer *w)
{
	mp_put_map(w, 5);
	put_key_u64(w, 1, 1);
	put_key_str(w, 2, "csagent");
	put_key_u64(w, 4, 3);
	put_key_str(w, 5, "7.11");
	put_key_u64(w, 8, 1);
}

/* Every key. */
static void put_long_policy_row(struct mp_writer *w)
{
	mp_put_map(w, 9);
	put_key_u64(w, 1, 7);
	put_key_str(w, 2, "/opt/cs/C-00000291");
	put_key_u64(w, 3, 7);
	put_key_u64(w, 4, 6);
	put_key_str(w, 5, "33");
	put_key_str(w, 6, "00ff");
	put_key_str(w, 7, "CrowdStrike, Inc.");
	put_key_u64(w, 8, 2);
	put_key_str(w, 9, "until the review");
}

static void put_inventory_row(struct mp_writer *w)
{
	mp_put_map(w, 5);
	put_key_str(w, 1, "till-0217");
	mp_put_u64(w, 2);
	mp_put_array(w, 1);
	mp_put_str(w, "RP5-00217");
	put_key_str(w, 3, SAMPLE_SITE);
	put_key_str(w, 4, "till");
	put_key_u64(w, 5, 3);
}

/* About the site: every key but those of a machine. */
static void put_site_row(struct mp_writer *w)
{
	mp_put_map(w, 9);
	put_key_str(w, 3, SAMPLE_SITE);
	put_key_str(w, 4, "till");
	put_key_u64(w, 5, 4);
	put_key_str(w, 6, "Briggate 12, Leeds LS1 6HD");
	put_key_str(w, 7, "Mo-Sa 08:00-20:00");
	put_key_str(w, 8, "store manager, +44 113 496 0000");
	put_key_str(w, 9, "safe 2, envelope 0217");
	put_key_u64(w, 10, 2);
	put_key_str(w, 11, "park behind the store");
}

static void put_catalogue(struct mp_writer *w, const uint8_t list[ID_BYTES])
{
	mp_put_map(w, 4);
	put_key_str(w, 1, "6.1.0-22-amd64");
	put_key_str(w, 2, "x86_64");
	put_key_u64(w, 3, 2);
	put_key_bin(w, 4, list, ID_BYTES);
}

static void put_blob(struct world *w, const char *name, uint8_t *blob, size_t len)
{
	uint8_t id[ID_BYTES];
	hash_bytes(id, sizeof(id), "mesh.blob", blob, len);
	out_bytes(w, blob, len, "%s.bytes", name);
	out_bytes(w, id, sizeof(id), "%s.id", name);
}

/* Two rows, sorted, and the list over them. */
static void put_rows(struct world *w, uint8_t type, const char *name, void (*first)(struct mp_writer *w),
		     void (*second)(struct mp_writer *w))
{
	uint8_t chunk[LIMIT_BLOB_BYTES] = {1, type}, list[2 + ID_BYTES] = {1, 1};
	char of_list[32];
	struct mp_writer m;
	mp_writer_init(&m, chunk + 2, sizeof(chunk) - 2);
	mp_put_array(&m, 2);
	first(&m);
	second(&m);
	CHECK(!m.failed);
	put_blob(w, name, chunk, m.len + 2);
	hash_bytes(list + 2, ID_BYTES, "mesh.blob", chunk, m.len + 2);
	snprintf(of_list, sizeof(of_list), "%s_list", name);
	put_blob(w, of_list, list, sizeof(list));
}

/* What is no manifest. `list`: blob id of a list. */
static void put_other_blobs(struct world *w, const uint8_t list[ID_BYTES])
{
	uint8_t blob[LIMIT_BLOB_BYTES] = {1};
	const struct id *a = identity_id(w->f.host), *b = identity_id(w->f.other);
	bool sorted = id_compare(a, b) < 0;
	struct mp_writer m;
	out_comment(w,
		    "A policy and an inventory of two rows each and their lists, a catalogue over the list "
		    "above, an allow-list of host_a and host_b.");
	put_rows(w, 3, "policy", put_policy_row, put_long_policy_row);
	put_rows(w, 4, "inventory", put_inventory_row, put_site_row);
	blob[1] = 5;
	mp_writer_init(&m, blob + 2, sizeof(blob) - 2);
	put_catalogue(&m, list);
	put_blob(w, "catalogue", blob, m.len + 2);
	blob[1] = 6;
	memcpy(blob + 2, sorted ? a->b : b->b, ID_BYTES);
	memcpy(blob + 2 + ID_BYTES, sorted ? b->b : a->b, ID_BYTES);
	put_blob(w, "allow_list", blob, 2 + 2 * ID_BYTES);
}

static void write_blobs(struct world *w)
{
	uint8_t entries[2][300], chunk[LIMIT_BLOB_BYTES] = {1, 2}, list[2 + ID_BYTES] = {1, 1}, id[ID_BYTES];
	struct mp_writer e, c;
	out_begin(w, "blobs.txt",
		  "Blobs (section 4). A manifest of two components: entries, their chunk, the list over it.");
	mp_writer_init(&c, chunk + 2, sizeof(chunk) - 2);
	mp_put_array(&c, 2);
	for (size_t i = 0; i < 2; i++) {
		mp_writer_init(&e, entries[i], sizeof(entries[i]));
		if (i == 0)
			put_entry(&e, 1, "csagent", "7.11.18110", 3000000);
		else
			put_entry(&e, 7, "/opt/cs/C-00000291.sys", "33", -3);
		mp_put_raw(&c, e.data, e.len);
		out_bytes(w, e.data, e.len, "entry%zu.bytes", i);
		out_number(w, hash_u64("mesh.entry", e.data, e.len), 8, "entry%zu.id", i);
	}
	CHECK(!c.failed && !e.failed);
	hash_bytes(id, sizeof(id), "mesh.blob", chunk, c.len + 2);
	out_bytes(w, chunk, c.len + 2, "chunk.bytes");
	out_bytes(w, id, sizeof(id), "chunk.id");
	memcpy(list + 2, id, sizeof(id));
	hash_bytes(id, sizeof(id), "mesh.blob", list, sizeof(list));
	out_bytes(w, list, sizeof(list), "list.bytes");
	out_bytes(w, id, sizeof(id), "list.id");
	put_other_blobs(w, id);
	out_end(w);
}

int main(int argc, char **argv)
{
	static struct world w;
	if (argc != 2) {
		fprintf(stderr, "usage: make_vectors FOLDER\n");
		return 2;
	}
	w.folder = argv[1];
	fixture_make(&w.f, SEED);
	CHECK(identity_generate(&w.f.rng, &w.operator_) == ERR_OK);
	CHECK(identity_generate(&w.f.rng, &w.next) == ERR_OK);
	write_keys(&w);
	write_records(&w);
	write_token(&w);
	grow_log(&w);
	write_log(&w);
	write_datagrams(&w);
	write_messages(&w);
	write_sketch(&w);
	write_blobs(&w);
	identity_free(w.operator_);
	identity_free(w.next);
	fixture_release(&w.f);
	return 0;
}
