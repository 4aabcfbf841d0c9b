/* Messages of the vectors, written field by field from the tables of docs/protocol.md section 7 and not with
 * gossip/'s encoders, which are checked against them. */
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "tests/vectors/world.h"

#define ECHO      0xe0e1e2e3e4e5e6e7u
#define INSTANCE  0x0123456789abcdefu
#define ROOT      0x1122334455667788u /* of the estate, as in datagrams.txt */
#define CLEAN     1721347200u         /* 2024-07-19 00:00 UTC, in s */
#define PORT      7946
#define PARTITION 0xf8f9dcd6c21a973du /* of site.name in keys.txt */

struct message {
	struct world *w;
	const char *name;
	uint8_t bytes[DATAGRAM_MESSAGE_BYTES];
	struct writer writer;
};

static struct message *start(struct world *w, struct message *m, const char *name, uint8_t type)
{
	m->w = w;
	m->name = name;
	m->writer = writer_of(m->bytes, sizeof(m->bytes));
	fprintf(w->out, "\n");
	out_number(w, type, 1, "%s.type", name);
	return m;
}

static void finish(struct message *m)
{
	CHECK(!m->writer.failed);
	out_bytes(m->w, m->bytes, m->writer.len, "%s.message", m->name);
}

static void bytes(struct message *m, const char *field, const void *value, size_t len)
{
	writer_bytes(&m->writer, value, len);
	out_bytes(m->w, value, len, "%s.%s", m->name, field);
}

static void number(struct message *m, const char *field, uint64_t value, size_t len)
{
	for (size_t i = len; i > 0; i--)
		writer_u8(&m->writer, (uint8_t)(value >> 8 * (i - 1)));
	out_number(m->w, value, len, "%s.%s", m->name, field);
}

static void head(struct message *m)
{
	struct authlog_head h = authlog_head(m->w->f.log);
	number(m, "head_index", h.index, 4);
	number(m, "head_hash", h.hash, 8);
}

static void certificate(struct message *m, const struct identity *host)
{
	uint8_t value[LIMIT_CERTIFICATE_BYTES];
	size_t len = fixture_certificate(&m->w->f, host, value);
	writer_u16(&m->writer, (uint16_t)len);
	bytes(m, "certificate", value, len);
}

static void item(struct message *m, unsigned i, const void *value, size_t len)
{
	writer_u16(&m->writer, (uint16_t)len);
	writer_bytes(&m->writer, value, len);
	out_bytes(m->w, value, len, "%s.item%u", m->name, i);
}

static void list(struct message *m, size_t size, const uint64_t *values, unsigned count)
{
	char field[16];
	writer_u8(&m->writer, (uint8_t)count);
	for (unsigned i = 0; i < count; i++) {
		snprintf(field, sizeof(field), "id%u", i);
		number(m, field, values[i], size);
	}
}

static void put_hello(struct world *w, struct message *m)
{
	uint8_t cookie[16];
	for (size_t i = 0; i < sizeof(cookie); i++)
		cookie[i] = (uint8_t)(0xc0 + i);
	start(w, m, "hello", 1);
	bytes(m, "ni", w->hello.ni, HELLO_NONCE_BYTES);
	bytes(m, "responder", w->hello.responder.b, ID_BYTES);
	number(m, "day", w->hello.initiator_day, 4);
	bytes(m, "key", w->hello.initiator_key, KEY_BYTES);
	head(m);
	bytes(m, "cookie", cookie, sizeof(cookie));
	number(m, "flags", 1, 1);
	certificate(m, w->f.host);
	writer_zeros(&m->writer, writer_left(&m->writer));
	finish(m);

	start(w, m, "cookie", 4);
	bytes(m, "ni", w->hello.ni, HELLO_NONCE_BYTES);
	bytes(m, "cookie", cookie, sizeof(cookie));
	finish(m);
}

static void put_reply(struct world *w, struct message *m, const char *name, const void *ip, size_t ip_len)
{
	start(w, m, name, 2);
	bytes(m, "ni", w->hello.ni, HELLO_NONCE_BYTES);
	bytes(m, "nr", w->hello.nr, HELLO_NONCE_BYTES);
	number(m, "day", w->hello.responder_day, 4);
	bytes(m, "key", w->hello.responder_key, KEY_BYTES);
	head(m);
	writer_u8(&m->writer, (uint8_t)(ip_len + 2));
	bytes(m, "observed_ip", ip, ip_len);
	number(m, "observed_port", PORT, 2);
	writer_zeros(&m->writer, 16 - ip_len);
	certificate(m, w->f.other);
	bytes(m, "signature", w->reply_signature, SIGNATURE_BYTES);
	finish(m);
}

static void put_finish(struct world *w, struct message *m)
{
	start(w, m, "hello_finish", 3);
	bytes(m, "ni", w->hello.ni, HELLO_NONCE_BYTES);
	bytes(m, "nr", w->hello.nr, HELLO_NONCE_BYTES);
	number(m, "day", w->hello.initiator_day, 4);
	bytes(m, "key", w->hello.initiator_key, KEY_BYTES);
	certificate(m, w->f.host);
	bytes(m, "signature", w->finish_signature, SIGNATURE_BYTES);
	finish(m);
}

static void put_beacon(struct world *w, struct message *m)
{
	uint8_t manifest[ID_BYTES], covered[13 + 2 * ID_BYTES + 36], signature[SIGNATURE_BYTES];
	struct writer c = writer_of(covered, sizeof(covered));
	hash_bytes(manifest, sizeof(manifest), "mesh.blob", "manifest of the vectors", 23);
	start(w, m, "beacon", 5);
	number(m, "instance", INSTANCE, 8);
	number(m, "clean_stop", CLEAN, 4);
	bytes(m, "manifest", manifest, sizeof(manifest));
	number(m, "time", FIXTURE_NOW, 8);
	writer_bytes(&c, "mesh beacon 1", 13);
	writer_bytes(&c, w->f.keys.estate.b, ID_BYTES);
	writer_bytes(&c, identity_id(w->f.host)->b, ID_BYTES);
	writer_bytes(&c, m->bytes, m->writer.len);
	CHECK(!c.failed && c.len == sizeof(covered));
	identity_sign(w->f.host, covered, sizeof(covered), signature);
	bytes(m, "signature", signature, sizeof(signature));
	finish(m);
}

static void put_probes(struct world *w, struct message *m)
{
	const uint8_t *a = identity_id(w->f.host)->b, *b = identity_id(w->f.other)->b;
	start(w, m, "ping", 16);
	head(m);
	number(m, "root", ROOT, 8);
	number(m, "instance", INSTANCE, 8);
	finish(m);

	start(w, m, "ack", 17);
	number(m, "echo", ECHO, 8);
	head(m);
	number(m, "root", ROOT, 8);
	finish(m);

	start(w, m, "ping_req", 18);
	bytes(m, "target", b, ID_BYTES);
	finish(m);

	start(w, m, "ping_ack", 19);
	number(m, "echo", ECHO, 8);
	bytes(m, "target", b, ID_BYTES);
	finish(m);

	start(w, m, "suspect", 20);
	writer_u8(&m->writer, 2);
	bytes(m, "host0", b, ID_BYTES);
	bytes(m, "host1", a, ID_BYTES);
	finish(m);

	struct id site = id_of_site("london");
	start(w, m, "rollcall_pull", 21);
	bytes(m, "site", site.b, ID_BYTES);
	writer_u8(&m->writer, 2);
	bytes(m, "signer0", b, 8);
	number(m, "part0", 0, 1);
	number(m, "seq0", 4711, 8);
	bytes(m, "signer1", a, 8);
	number(m, "part1", 9, 1);
	number(m, "seq1", 0x0123456789abcdefu, 8);
	finish(m);
}

static void put_spread(struct world *w, struct message *m)
{
	static const uint64_t ids[] = {0xf0f1f2f3f4f5f6f7u, 3, 0x8000000000000000u};
	uint8_t a[LIMIT_CERTIFICATE_BYTES], b[LIMIT_CERTIFICATE_BYTES];
	size_t a_len = fixture_certificate(&w->f, w->f.host, a);
	size_t b_len = fixture_certificate(&w->f, w->f.other, b);
	start(w, m, "push", 32);
	number(m, "hops", 2, 1);
	writer_u8(&m->writer, 2);
	item(m, 0, a, a_len);
	item(m, 1, b, b_len);
	finish(m);

	list(start(w, m, "announce", 33), 8, ids, 2);
	finish(m);
	list(start(w, m, "pull", 34), 8, ids, 3);
	finish(m);

	start(w, m, "records", 35);
	number(m, "echo", ECHO, 8);
	writer_u8(&m->writer, 1);
	item(m, 0, b, b_len);
	finish(m);
}

static void put_node(struct world *w, struct message *m, const char *name, uint8_t level, uint8_t child)
{
	uint8_t hashes[16 * 8];
	for (size_t i = 0; i < sizeof(hashes); i++)
		hashes[i] = i / 8 == 2 ? 0 : (uint8_t)(i + level); /* one is empty */
	start(w, m, name, 49);
	number(m, "echo", ECHO, 8);
	number(m, "partition", PARTITION, 8);
	number(m, "level", level, 1);
	number(m, "child", child, 1);
	bytes(m, "hashes", hashes, sizeof(hashes));
	finish(m);
}

static void put_sync(struct world *w, struct message *m)
{
	static const uint64_t ids[] = {0x10, 0x1000000000000000u, 0x1fffffffffffffffu};
	start(w, m, "sync_roots", 48);
	number(m, "echo", ECHO, 8);
	number(m, "estate_root", ROOT, 8);
	number(m, "first", 0, 8);
	number(m, "last", UINT64_MAX, 8);
	writer_u8(&m->writer, 2);
	number(m, "partition0", 2, 8);
	number(m, "root0", 0xa0a1a2a3a4a5a6a7u, 8);
	number(m, "partition1", PARTITION, 8);
	number(m, "root1", 0xb0b1b2b3b4b5b6b7u, 8);
	finish(m);

	put_node(w, m, "sync_node_root", 0, 0);
	put_node(w, m, "sync_node_child", 1, 11);

	start(w, m, "sync_leaf", 50);
	number(m, "echo", ECHO, 8);
	number(m, "partition", PARTITION, 8);
	number(m, "leaf", 0xb4, 1);
	number(m, "flags", 3, 1);
	number(m, "first", 0, 8);
	number(m, "last", 0x1fffffffffffffffu, 8);
	list(m, 8, ids, 3);
	finish(m);
}

static void put_sketch(struct world *w, struct message *m)
{
	static const uint64_t offered[] = {3, 0x8000000000000000u, 0xf0f1f2f3f4f5f6f7u};
	uint8_t ids[53 * 8], keys[53 * 8], weights[53 * 4], samples[48];
	start(w, m, "sketch_pull", 51);
	number(m, "echo", ECHO, 8);
	number(m, "estate_root", ROOT, 8);
	number(m, "held", 0xa0a1a2a3a4a5a6a7u, 8);
	number(m, "first", 1, 1);
	number(m, "count", 39, 1);
	finish(m);

	/* Any bytes will do: what real ones are, sketch.txt says. */
	for (size_t i = 0; i < sizeof(ids); i++)
		ids[i] = (uint8_t)(i * 7);
	for (size_t i = 0; i < sizeof(keys); i++)
		keys[i] = (uint8_t)(i * 9);
	for (size_t i = 0; i < sizeof(weights); i++)
		weights[i] = (uint8_t)(i * 5);
	for (size_t i = 0; i < sizeof(samples); i++)
		samples[i] = (uint8_t)(i * 3);
	start(w, m, "sketch", 52);
	number(m, "echo", ECHO, 8);
	number(m, "estate_root", ROOT, 8);
	number(m, "block", 39, 1);
	bytes(m, "ids", ids, sizeof(ids));
	bytes(m, "keys", keys, sizeof(keys));
	bytes(m, "weights", weights, sizeof(weights));
	bytes(m, "samples", samples, sizeof(samples));
	finish(m);

	start(w, m, "sketch_offer", 53);
	number(m, "echo", ECHO, 8);
	list(m, 8, offered, 3);
	finish(m);
}

static void put_log(struct world *w, struct message *m)
{
	start(w, m, "log_pull", 64);
	number(m, "first", 2, 4);
	finish(m);

	start(w, m, "log_pull_hello", 64);
	number(m, "first", 2, 4);
	writer_zeros(&m->writer, writer_left(&m->writer));
	finish(m);

	start(w, m, "log_entries", 65);
	number(m, "echo", ECHO, 8);
	number(m, "first", 2, 4);
	writer_u8(&m->writer, 2);
	for (unsigned i = 0; i < 2; i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(w->f.log, 2 + i, &len);
		item(m, i, entry, len);
	}
	finish(m);
}

static void put_blobs(struct world *w, struct message *m)
{
	uint8_t empty[] = {1, 1}, one[2 + ID_BYTES] = {1, 1}, id[ID_BYTES];
	hash_bytes(id, sizeof(id), "mesh.blob", empty, sizeof(empty));
	memcpy(one + 2, id, sizeof(id));
	start(w, m, "blob_pull", 80);
	writer_u8(&m->writer, 2);
	bytes(m, "blob0", id, sizeof(id));
	hash_bytes(id, sizeof(id), "mesh.blob", one, sizeof(one));
	bytes(m, "blob1", id, sizeof(id));
	finish(m);

	start(w, m, "blobs", 81);
	number(m, "echo", ECHO, 8);
	writer_u8(&m->writer, 2);
	item(m, 0, empty, sizeof(empty));
	item(m, 1, one, sizeof(one));
	finish(m);
}

void write_messages(struct world *w)
{
	static const uint8_t v4[] = {10, 7, 0, 17};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x11};
	struct message m;
	out_begin(w, "messages.txt", "Messages of each type before sealing (section 7), and what they say.");
	out_comment(w, "Nonces, days and keys of the hello are those of datagrams.txt, certificates those of "
		       "host_a and host_b.");
	put_hello(w, &m);
	put_reply(w, &m, "hello_reply", v4, sizeof(v4));
	put_reply(w, &m, "hello_reply_v6", v6, sizeof(v6));
	put_finish(w, &m);
	out_comment(w, "Of host_a.");
	put_beacon(w, &m);
	out_comment(w, "Probes.");
	put_probes(w, &m);
	out_comment(w, "Spread: the items are the certificates of host_a and host_b.");
	put_spread(w, &m);
	out_comment(w, "Reconciliation.");
	put_sync(w, &m);
	put_sketch(w, &m);
	out_comment(w,
		    "The authority log, from entry 2 of log.txt on; a pull under a pair key, one under the "
		    "hello key.");
	put_log(w, &m);
	out_comment(w, "Blobs: an empty list, and a list that names it.");
	put_blobs(w, &m);
	out_end(w);
}
