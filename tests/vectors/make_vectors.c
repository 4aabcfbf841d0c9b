/* Writes the .txt files of tests/vectors: `make_vectors FOLDER`. Built with the tests and run by hand, when
 * the protocol changes: keys come from a seed and times are fixed, so an unchanged protocol gives unchanged
 * files. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/text.h"
#include "crypto/hello.h"
#include "os/file.h"
#include "tests/vectors/bodies.h"
#include "tests/vectors/vectors.h"

#define SEED       20240719u
#define PASSPHRASE "correct horse battery staple"
#define INSTANCE   0x0123456789abcdefu
#define DAY_A      19923u
#define DAY_B      19924u

struct world {
	struct fixture f;
	struct identity *operator_, *successor;
	const char *folder;
	FILE *out;
};

static void begin(struct world *w, const char *file, const char *title)
{
	char path[LIMIT_PATH_BYTES];
	CHECK(os_path_join(path, sizeof(path), w->folder, file) == ERR_OK);
	w->out = fopen(path, "w");
	CHECK(w->out != NULL);
	fprintf(w->out, "# %s\n# Written by make_vectors.c; see docs/protocol.md section 12.\n", title);
}

static void end(struct world *w)
{
	CHECK(fclose(w->out) == 0);
}

static void comment(struct world *w, const char *text)
{
	fprintf(w->out, "\n# %s\n", text);
}

__attribute__((format(printf, 4, 5))) static void put(struct world *w, const void *data, size_t len,
						      const char *name, ...)
{
	char *hex = malloc(2 * len + 1);
	va_list args;
	CHECK(hex != NULL);
	text_hex(hex, data, len);
	va_start(args, name);
	vfprintf(w->out, name, args);
	va_end(args);
	fprintf(w->out, " = %s\n", hex);
	free(hex);
}

__attribute__((format(printf, 4, 5))) static void put_number(struct world *w, uint64_t v, size_t bytes,
							     const char *name, ...)
{
	char text[64];
	uint8_t data[8];
	va_list args;
	struct writer writer = writer_of(data, sizeof(data));
	writer_u64(&writer, v);
	va_start(args, name);
	CHECK((size_t)vsnprintf(text, sizeof(text), name, args) < sizeof(text));
	va_end(args);
	put(w, data + sizeof(data) - bytes, bytes, "%s", text);
}

static void put_identity(struct world *w, const char *name, const struct identity *identity)
{
	uint8_t seed[KEY_BYTES];
	identity_seed(identity, seed);
	put(w, seed, KEY_BYTES, "%s.seed", name);
	put(w, identity_public_key(identity), KEY_BYTES, "%s.public", name);
	put(w, identity_id(identity)->b, ID_BYTES, "%s.id", name);
}

static void put_key_file(struct world *w, const char *name, enum key_purpose purpose, const uint8_t *seed,
			 const char *passphrase)
{
	uint8_t file[KEY_FILE_BYTES];
	CHECK(key_file_encode(purpose, seed, passphrase, &w->f.rng, file) == ERR_OK);
	put(w, file, sizeof(file), "%s", name);
}

static void write_keys(struct world *w)
{
	struct id leeds = id_of_site(SAMPLE_SITE);
	const struct fixture *f = &w->f;
	begin(w, "keys.txt", "Seeds, ids, derived keys and key files (sections 1 and 5).");
	comment(w, "Ed25519 key pairs: seed, public key, key id.");
	put_identity(w, "authority", f->authority);
	put_identity(w, "issuer", f->issuer);
	put_identity(w, "host_a", f->host);
	put_identity(w, "host_b", f->other);
	put_identity(w, "operator", w->operator_);
	put_identity(w, "successor", w->successor);
	comment(w, "The estate: secret, id (of entry 0 in log.txt), derived keys.");
	put(w, f->secret, KEY_BYTES, "estate.secret");
	put(w, f->keys.estate.b, ID_BYTES, "estate.id");
	put(w, f->keys.mac_key, sizeof(f->keys.mac_key), "estate.mac_key");
	put(w, f->keys.hello_key, KEY_BYTES, "estate.hello_key");
	put(w, f->keys.set_key, KEY_BYTES, "estate.set_key");
	comment(w, "A site: name, id.");
	put(w, SAMPLE_SITE, strlen(SAMPLE_SITE), "site.name");
	put(w, leeds.b, ID_BYTES, "site.id");
	comment(
	    w, "Key files: of host_a and of the estate secret, plain; of the authority, under a passphrase.");
	put_key_file(w, "key_file.host_a", KEY_HOST, f->host_seed, NULL);
	put_key_file(w, "key_file.estate", KEY_ESTATE_SECRET, f->secret, NULL);
	put(w, PASSPHRASE, strlen(PASSPHRASE), "key_file.passphrase");
	put_key_file(w, "key_file.authority", KEY_AUTHORITY, f->authority_seed, PASSPHRASE);
	end(w);
}

static void put_record(struct world *w, const char *name, const uint8_t *bytes, size_t len)
{
	struct record r;
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	fprintf(w->out, "\n");
	put(w, bytes, len, "%s.record", name);
	put_number(w, r.key.kind, 1, "%s.kind", name);
	put(w, r.key.writer.b, ID_BYTES, "%s.writer", name);
	put(w, r.key.subject.b, ID_BYTES, "%s.subject", name);
	put_number(w, r.key.slot, 8, "%s.slot", name);
	put_number(w, r.seq, 8, "%s.seq", name);
	put_number(w, r.instance, 8, "%s.instance", name);
	put_number(w, r.time, 8, "%s.time", name);
	put(w, r.body, r.body_len, "%s.body", name);
	put(w, bytes + len - SIGNATURE_BYTES, SIGNATURE_BYTES, "%s.signature", name);
	put_number(w, record_id(w->f.keys.set_key, bytes, len), 8, "%s.record_id", name);
	put_number(w, record_key_hash(w->f.keys.set_key, &r.key), 8, "%s.key_hash", name);
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
	begin(w, "records.txt", "One record of each kind (sections 2 and 3), in the estate of keys.txt.");
	comment(w, "The certificate of host_a, by the issuer.");
	put_record(w, "certificate", certificate, len);
	comment(w,
		"Host and site kinds are signed by host_a, operator kinds by the operator. What the bodies "
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
	end(w);
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
	CHECK(authlog_make_extend(log, authority, identity_id(w->f.issuer), FIXTURE_DAY + 400,
				  FIXTURE_NOW + 2000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_operator(log, authority, identity_public_key(w->operator_), "Ada", 0x0f,
				    FIXTURE_DAY + 400, FIXTURE_NOW + 3000, m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_revoke(log, authority, LOG_REVOKE_HOST, &stolen, "laptop lost", FIXTURE_NOW + 4000,
				  m.bytes, &m.len) == ERR_OK);
	add(w, &m);
	CHECK(authlog_make_rotate(log, authority, w->successor, FIXTURE_NOW + 5000, m.bytes, &m.len) ==
	      ERR_OK);
	add(w, &m);
}

static void write_log(struct world *w)
{
	static const char *const names[] = {"genesis",  "grant",  "grant_sites", "extend",
					    "operator", "revoke", "rotate"};
	struct authlog_head head;
	begin(w, "log.txt", "An authority log (section 5): one entry of each type, and one grant more.");
	for (size_t i = 0; i < authlog_count(w->f.log); i++) {
		size_t len;
		uint8_t hash[32];
		const uint8_t *entry = authlog_entry(w->f.log, i, &len);
		comment(w, names[i]);
		hash_bytes(hash, sizeof(hash), "mesh.log", entry, len);
		put(w, entry, len, "entry%zu.bytes", i);
		put_number(w, entry[2], 1, "entry%zu.type", i);
		put(w, entry + 43, 8, "entry%zu.time", i);
		put(w, entry + 51, len - 117, "entry%zu.body", i);
		put(w, hash, sizeof(hash), "entry%zu.hash", i);
	}
	comment(w, "The head: index and first 8 bytes of the last entry's hash.");
	head = authlog_head(w->f.log);
	put_number(w, head.index, 4, "head.index");
	put_number(w, head.hash, 8, "head.hash");
	end(w);
}

static void write_token(struct world *w)
{
	struct token t = fixture_token(&w->f);
	char *text;
	size_t len;
	CHECK(token_encode(&t, &text, &len) == ERR_OK);
	begin(w, "token.txt", "A token (section 5): the text of its file, and what it says.");
	comment(w, "Its log is the first two entries of log.txt.");
	put(w, text, len, "token.text");
	put(w, t.estate_secret, KEY_BYTES, "token.estate_secret");
	put(w, t.issuer_seed, KEY_BYTES, "token.issuer_seed");
	put(w, t.site, strlen(t.site), "token.site");
	for (size_t i = 0; i < t.subnet_count; i++) {
		put(w, t.subnets[i].address, t.subnets[i].address_len, "token.subnet%zu.address", i);
		put_number(w, t.subnets[i].prefix_bits, 1, "token.subnet%zu.prefix", i);
		put(w, t.subnets[i].site, strlen(t.subnets[i].site), "token.subnet%zu.site", i);
	}
	for (size_t i = 0; i < t.seed_count; i++)
		put(w, t.seeds[i], strlen(t.seeds[i]), "token.seed%zu", i);
	put_number(w, t.last_day, 4, "token.last_day");
	free(text);
	end(w);
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
	put_number(w, type, 1, "%s.type", name);
	put(w, bytes + 20, 24, "%s.nonce", name);
	put(w, message, len, "%s.message", name);
	put(w, bytes, sealed, "%s.datagram", name);
}

static void put_transcript(struct world *w, const struct hello_transcript *t)
{
	uint8_t reply[SIGNATURE_BYTES], finish[SIGNATURE_BYTES];
	hello_sign(t, HELLO_SIGN_REPLY, w->f.other, reply);
	hello_sign(t, HELLO_SIGN_FINISH, w->f.host, finish);
	comment(
	    w, "Signatures of HELLO_REPLY (by host_b) and HELLO_FINISH (by host_a) over these nonces and the "
	       "days and keys above.");
	put(w, t->ni, HELLO_NONCE_BYTES, "hello.ni");
	put(w, t->nr, HELLO_NONCE_BYTES, "hello.nr");
	put(w, reply, sizeof(reply), "hello.reply_signature");
	put(w, finish, sizeof(finish), "hello.finish_signature");
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
	uint8_t ping[20], ack[28];
	struct writer m = writer_of(ping, sizeof(ping));
	party_make(w, &a, w->f.host, DAY_A);
	party_make(w, &b, w->f.other, DAY_B);
	t.estate = w->f.keys.estate;
	t.initiator = *identity_id(w->f.host);
	t.responder = *identity_id(w->f.other);
	memcpy(t.initiator_key, keyring_public(a.keyring), KEY_BYTES);
	memcpy(t.responder_key, keyring_public(b.keyring), KEY_BYTES);
	w->f.rng.fill(w->f.rng.context, t.ni, sizeof(t.ni));
	w->f.rng.fill(w->f.rng.context, t.nr, sizeof(t.nr));
	begin(w, "datagrams.txt", "Datagrams between host_a and host_b of keys.txt (sections 6 and 7).");
	comment(w, "X25519 exchange keys and their days. host_b's day has turned, host_a's has not.");
	put(w, a.script, KEY_BYTES, "a.secret");
	put(w, keyring_public(a.keyring), KEY_BYTES, "a.public");
	put_number(w, DAY_A, 4, "a.day");
	put(w, b.script, KEY_BYTES, "b.secret");
	put(w, keyring_public(b.keyring), KEY_BYTES, "b.public");
	put_number(w, DAY_B, 4, "b.day");
	put_transcript(w, &t);
	comment(w, "HELLO, under the hello key; PING from a to b and its ACK, under their pair keys.");
	put_hello(w, &a, &t);
	CHECK(keyring_learn(a.keyring, &t.responder, DAY_B, t.responder_key) == ERR_OK);
	CHECK(keyring_learn(b.keyring, &t.initiator, DAY_A, t.initiator_key) == ERR_OK);
	writer_u32(&m, head.index);
	writer_u64(&m, head.hash);
	writer_u64(&m, 0x1122334455667788u);
	put_datagram(w, "ping", &a, &b, 16, ping, m.len);
	memcpy(ack, a.script + KEY_BYTES + 24, 8); /* the ping's nonce */
	memcpy(ack + 8, ping, sizeof(ping));
	put_datagram(w, "ack", &b, &a, 17, ack, sizeof(ack));
	keyring_free(a.keyring);
	keyring_free(b.keyring);
	end(w);
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

static void write_blobs(struct world *w)
{
	uint8_t entries[2][300], chunk[LIMIT_BLOB_BYTES] = {1, 2}, list[2 + ID_BYTES] = {1, 1}, id[ID_BYTES];
	struct mp_writer e, c;
	begin(w, "blobs.txt",
	      "A manifest of two components (section 4): entries, their chunk, the list over it.");
	mp_writer_init(&c, chunk + 2, sizeof(chunk) - 2);
	mp_put_array(&c, 2);
	for (size_t i = 0; i < 2; i++) {
		mp_writer_init(&e, entries[i], sizeof(entries[i]));
		if (i == 0)
			put_entry(&e, 1, "csagent", "7.11.18110", 3000000);
		else
			put_entry(&e, 7, "/opt/cs/C-00000291.sys", "33", -3);
		mp_put_raw(&c, e.data, e.len);
		put(w, e.data, e.len, "entry%zu.bytes", i);
		put_number(w, hash_u64("mesh.entry", e.data, e.len), 8, "entry%zu.id", i);
	}
	CHECK(!c.failed && !e.failed);
	hash_bytes(id, sizeof(id), "mesh.blob", chunk, c.len + 2);
	put(w, chunk, c.len + 2, "chunk.bytes");
	put(w, id, sizeof(id), "chunk.id");
	memcpy(list + 2, id, sizeof(id));
	hash_bytes(id, sizeof(id), "mesh.blob", list, sizeof(list));
	put(w, list, sizeof(list), "list.bytes");
	put(w, id, sizeof(id), "list.id");
	end(w);
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
	CHECK(identity_generate(&w.f.rng, &w.successor) == ERR_OK);
	write_keys(&w);
	write_records(&w);
	write_token(&w);
	grow_log(&w);
	write_log(&w);
	write_datagrams(&w);
	write_blobs(&w);
	identity_free(w.operator_);
	identity_free(w.successor);
	fixture_release(&w.f);
	return 0;
}
