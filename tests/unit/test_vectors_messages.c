/* The committed vectors of messages.txt against gossip/wire.h: they were written from the protocol's tables
 * without its encoders. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "gossip/wire.h"
#include "tests/unit/scratch.h"
#include "tests/vectors/vectors.h"

static struct vectors *messages;

static union {
	struct wire_hello hello;
	struct wire_hello_reply reply;
	struct wire_hello_finish finish;
	struct wire_cookie cookie;
	struct wire_beacon beacon;
	struct wire_ping ping;
	struct wire_ack ack;
	struct wire_ping_req ping_req;
	struct wire_ping_ack ping_ack;
	struct wire_suspect suspect;
	struct wire_rollcall_pull rollcall_pull;
	struct wire_ids ids;
	struct wire_blob_pull blob_pull;
	struct wire_items items;
	struct wire_roots roots;
	struct wire_node node;
	struct wire_leaf leaf;
	struct wire_sketch_pull sketch_pull;
	struct wire_sketch sketch;
	struct wire_offer offer;
	uint32_t first;
} got;

static int load(void **state)
{
	(void)state;
	messages = vectors_load("messages.txt");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	vectors_free(messages);
	return 0;
}

static const uint8_t *message_of(const char *name, size_t *ret_len)
{
	char vector[64];
	snprintf(vector, sizeof(vector), "%s.message", name);
	return vectors_get(messages, vector, ret_len);
}

static void assert_field(const char *name, const char *field, const void *value, size_t len)
{
	char vector[64];
	size_t want_len;
	snprintf(vector, sizeof(vector), "%s.%s", name, field);
	const uint8_t *want = vectors_get(messages, vector, &want_len);
	if (len != want_len || memcmp(value, want, len) != 0)
		fail_msg("%s is not what was decoded", vector);
}

static void assert_number(const char *name, const char *field, uint64_t value)
{
	uint64_t want = vectors_u64(messages, "%s.%s", name, field);
	if (value != want)
		fail_msg("%s.%s: %" PRIu64 ", not %" PRIu64, name, field, value, want);
}

static void assert_head(const char *name, const struct authlog_head *head)
{
	assert_number(name, "head_index", head->index);
	assert_number(name, "head_hash", head->hash);
}

static void assert_items(const char *name, size_t count)
{
	assert_int_equal(got.items.count, count);
	for (size_t i = 0; i < count; i++) {
		char field[16];
		snprintf(field, sizeof(field), "item%zu", i);
		assert_field(name, field, got.items.items[i].bytes, got.items.items[i].len);
	}
}

static void assert_ids(const char *name, const uint64_t *ids, size_t got_count, size_t count)
{
	assert_int_equal(got_count, count);
	for (size_t i = 0; i < count; i++) {
		char field[16];
		snprintf(field, sizeof(field), "id%zu", i);
		assert_number(name, field, ids[i]);
	}
}

/* What each type's message says. */

static void hello_says(const char *name)
{
	assert_field(name, "ni", got.hello.ni, HELLO_NONCE_BYTES);
	assert_field(name, "responder", got.hello.responder.b, ID_BYTES);
	assert_number(name, "day", got.hello.day);
	assert_field(name, "key", got.hello.key, KEY_BYTES);
	assert_head(name, &got.hello.head);
	assert_field(name, "cookie", got.hello.cookie, WIRE_COOKIE_SIZE);
	assert_number(name, "flags", got.hello.flags);
	assert_field(name, "certificate", got.hello.certificate, got.hello.certificate_len);
}

static void reply_says(const char *name)
{
	assert_field(name, "ni", got.reply.ni, HELLO_NONCE_BYTES);
	assert_field(name, "nr", got.reply.nr, HELLO_NONCE_BYTES);
	assert_number(name, "day", got.reply.day);
	assert_field(name, "key", got.reply.key, KEY_BYTES);
	assert_head(name, &got.reply.head);
	assert_field(name, "observed_ip", got.reply.observed.ip, got.reply.observed.ip_len);
	assert_number(name, "observed_port", got.reply.observed.port);
	assert_field(name, "certificate", got.reply.certificate, got.reply.certificate_len);
	assert_field(name, "signature", got.reply.signature, SIGNATURE_BYTES);
}

static void finish_says(const char *name)
{
	assert_field(name, "ni", got.finish.ni, HELLO_NONCE_BYTES);
	assert_field(name, "nr", got.finish.nr, HELLO_NONCE_BYTES);
	assert_number(name, "day", got.finish.day);
	assert_field(name, "key", got.finish.key, KEY_BYTES);
	assert_field(name, "certificate", got.finish.certificate, got.finish.certificate_len);
	assert_field(name, "signature", got.finish.signature, SIGNATURE_BYTES);
}

static void cookie_says(const char *name)
{
	assert_field(name, "ni", got.cookie.ni, HELLO_NONCE_BYTES);
	assert_field(name, "cookie", got.cookie.cookie, WIRE_COOKIE_SIZE);
}

static void beacon_says(const char *name)
{
	assert_number(name, "instance", got.beacon.instance);
	assert_number(name, "clean_stop", got.beacon.clean_stop_s);
	assert_field(name, "manifest", got.beacon.manifest.b, ID_BYTES);
	assert_number(name, "time", got.beacon.time);
	assert_field(name, "signature", got.beacon.signature, SIGNATURE_BYTES);
}

static void ping_says(const char *name)
{
	assert_head(name, &got.ping.head);
	assert_number(name, "root", got.ping.root);
	assert_number(name, "instance", got.ping.instance);
}

static void ack_says(const char *name)
{
	assert_number(name, "echo", got.ack.echo);
	assert_head(name, &got.ack.head);
	assert_number(name, "root", got.ack.root);
}

static void ping_req_says(const char *name)
{
	assert_field(name, "target", got.ping_req.target.b, ID_BYTES);
}

static void ping_ack_says(const char *name)
{
	assert_number(name, "echo", got.ping_ack.echo);
	assert_field(name, "target", got.ping_ack.target.b, ID_BYTES);
}

static void suspect_says(const char *name)
{
	assert_int_equal(got.suspect.count, 2);
	assert_field(name, "host0", got.suspect.hosts[0].b, ID_BYTES);
	assert_field(name, "host1", got.suspect.hosts[1].b, ID_BYTES);
}

static void rollcall_pull_says(const char *name)
{
	assert_field(name, "site", got.rollcall_pull.site.b, ID_BYTES);
	assert_int_equal(got.rollcall_pull.count, 2);
	assert_number(name, "signer0", got.rollcall_pull.held[0].signer);
	assert_number(name, "part0", got.rollcall_pull.held[0].part);
	assert_number(name, "seq0", got.rollcall_pull.held[0].seq);
	assert_number(name, "signer1", got.rollcall_pull.held[1].signer);
	assert_number(name, "part1", got.rollcall_pull.held[1].part);
	assert_number(name, "seq1", got.rollcall_pull.held[1].seq);
}

static void push_says(const char *name)
{
	assert_number(name, "hops", got.items.hops);
	assert_items(name, 2);
}

static void announce_says(const char *name)
{
	assert_ids(name, got.ids.ids, got.ids.count, 2);
}

static void pull_says(const char *name)
{
	assert_ids(name, got.ids.ids, got.ids.count, 3);
}

static void records_says(const char *name)
{
	assert_number(name, "echo", got.items.echo);
	assert_items(name, 1);
}

static void roots_says(const char *name)
{
	assert_number(name, "echo", got.roots.echo);
	assert_number(name, "estate_root", got.roots.estate_root);
	assert_number(name, "first", got.roots.first);
	assert_number(name, "last", got.roots.last);
	assert_int_equal(got.roots.count, 2);
	assert_number(name, "partition0", got.roots.roots[0].partition);
	assert_number(name, "root0", got.roots.roots[0].root);
	assert_number(name, "partition1", got.roots.roots[1].partition);
	assert_number(name, "root1", got.roots.roots[1].root);
}

static void node_says(const char *name)
{
	assert_number(name, "echo", got.node.echo);
	assert_number(name, "partition", got.node.partition);
	assert_number(name, "level", got.node.level);
	assert_number(name, "child", got.node.child);
	const uint8_t *hashes = vectors_sized(messages, (size_t)WIRE_CHILDREN * 8, "%s.hashes", name);
	for (size_t i = 0; i < WIRE_CHILDREN; i++) {
		uint64_t hash = 0;
		for (size_t at = 0; at < 8; at++)
			hash = hash << 8 | hashes[i * 8 + at];
		assert_true(got.node.hashes[i] == hash);
	}
}

static void leaf_says(const char *name)
{
	assert_number(name, "echo", got.leaf.echo);
	assert_number(name, "partition", got.leaf.partition);
	assert_number(name, "leaf", got.leaf.leaf);
	assert_number(name, "flags", (got.leaf.more ? 1u : 0) | (got.leaf.reply ? 2u : 0));
	assert_number(name, "first", got.leaf.first);
	assert_number(name, "last", got.leaf.last);
	assert_ids(name, got.leaf.ids, got.leaf.count, 3);
}

static void sketch_pull_says(const char *name)
{
	assert_number(name, "echo", got.sketch_pull.echo);
	assert_number(name, "estate_root", got.sketch_pull.estate_root);
	assert_number(name, "held", got.sketch_pull.held);
	assert_number(name, "first", got.sketch_pull.first);
	assert_number(name, "count", got.sketch_pull.count);
}

static void sketch_says(const char *name)
{
	const struct sketch_block *b = &got.sketch.block;
	uint8_t ids[SKETCH_BLOCK_CELLS * 8], keys[SKETCH_BLOCK_CELLS * 8], weights[SKETCH_BLOCK_CELLS * 4];
	assert_number(name, "echo", got.sketch.echo);
	assert_number(name, "estate_root", got.sketch.estate_root);
	assert_number(name, "block", got.sketch.number);
	for (size_t i = 0; i < sizeof(ids); i++) {
		ids[i] = (uint8_t)(b->cells[i / 8].ids >> (56 - 8 * (i % 8)));
		keys[i] = (uint8_t)(b->cells[i / 8].keys >> (56 - 8 * (i % 8)));
	}
	for (size_t i = 0; i < sizeof(weights); i++)
		weights[i] = (uint8_t)(b->cells[i / 4].weights >> (24 - 8 * (i % 4)));
	assert_field(name, "ids", ids, sizeof(ids));
	assert_field(name, "keys", keys, sizeof(keys));
	assert_field(name, "weights", weights, sizeof(weights));
	assert_field(name, "samples", b->samples, sizeof(b->samples));
}

static void offer_says(const char *name)
{
	assert_number(name, "echo", got.offer.echo);
	assert_ids(name, got.offer.ids, got.offer.count, 3);
}

static void log_pull_says(const char *name)
{
	assert_number(name, "first", got.first);
}

static void log_entries_says(const char *name)
{
	assert_number(name, "echo", got.items.echo);
	assert_number(name, "first", got.items.first);
	assert_items(name, 2);
}

static void blob_pull_says(const char *name)
{
	assert_int_equal(got.blob_pull.count, 2);
	assert_field(name, "blob0", got.blob_pull.blobs[0].b, ID_BYTES);
	assert_field(name, "blob1", got.blob_pull.blobs[1].b, ID_BYTES);
}

static void blobs_says(const char *name)
{
	assert_number(name, "echo", got.items.echo);
	assert_items(name, 2);
}

/* Each type's codec behind one signature. */

#define CODEC(name, member)                                                                                  \
	static enum err name##_read(const uint8_t *data, size_t len)                                         \
	{                                                                                                    \
		return wire_##name##_decode(data, len, &got.member);                                         \
	}                                                                                                    \
	static size_t name##_write(uint8_t ret[WIRE_MESSAGE_BYTES])                                          \
	{                                                                                                    \
		return wire_##name##_encode(&got.member, ret);                                               \
	}

CODEC(hello, hello)
CODEC(hello_reply, reply)
CODEC(hello_finish, finish)
CODEC(cookie, cookie)
CODEC(beacon, beacon)
CODEC(ping, ping)
CODEC(ack, ack)
CODEC(ping_req, ping_req)
CODEC(ping_ack, ping_ack)
CODEC(suspect, suspect)
CODEC(rollcall_pull, rollcall_pull)
CODEC(ids, ids)
CODEC(blob_pull, blob_pull)
CODEC(roots, roots)
CODEC(node, node)
CODEC(leaf, leaf)
CODEC(sketch_pull, sketch_pull)
CODEC(sketch, sketch)
CODEC(offer, offer)

#define LOG_PULL_CODEC(name, padded)                                                                         \
	static enum err name##_read(const uint8_t *data, size_t len)                                         \
	{                                                                                                    \
		return wire_log_pull_decode(data, len, padded, &got.first);                                  \
	}                                                                                                    \
	static size_t name##_write(uint8_t ret[WIRE_MESSAGE_BYTES])                                          \
	{                                                                                                    \
		return wire_log_pull_encode(got.first, padded, ret);                                         \
	}

LOG_PULL_CODEC(log_pull, false)
LOG_PULL_CODEC(log_pull_hello, true)

#define PACK_CODEC(name, message_type, ...)                                                                  \
	static enum err name##_read(const uint8_t *data, size_t len)                                         \
	{                                                                                                    \
		return wire_items_decode(message_type, data, len, &got.items);                               \
	}                                                                                                    \
	static size_t name##_write(uint8_t ret[WIRE_MESSAGE_BYTES])                                          \
	{                                                                                                    \
		struct wire_pack pack;                                                                       \
		wire_pack_##name(&pack, __VA_ARGS__);                                                        \
		return add_items(&pack, message_type, ret);                                                  \
	}

static size_t add_items(struct wire_pack *pack, enum wire_type type, uint8_t ret[WIRE_MESSAGE_BYTES])
{
	assert_int_equal(pack->type, type);
	for (size_t i = 0; i < got.items.count; i++)
		assert_true(wire_pack_add(pack, got.items.items[i].bytes, got.items.items[i].len));
	memcpy(ret, pack->bytes, pack->len);
	return pack->len;
}

PACK_CODEC(push, WIRE_PUSH, got.items.hops)
PACK_CODEC(records, WIRE_RECORDS, got.items.echo)
PACK_CODEC(log, WIRE_LOG_ENTRIES, got.items.echo, got.items.first)
PACK_CODEC(blobs, WIRE_BLOBS, got.items.echo)

static const struct kind {
	const char *name;
	enum wire_type type;
	enum err (*read)(const uint8_t *data, size_t len);
	size_t (*write)(uint8_t ret[WIRE_MESSAGE_BYTES]);
	void (*says)(const char *name);
} kinds[] = {
    {"hello", WIRE_HELLO, hello_read, hello_write, hello_says},
    {"hello_reply", WIRE_HELLO_REPLY, hello_reply_read, hello_reply_write, reply_says},
    {"hello_reply_v6", WIRE_HELLO_REPLY, hello_reply_read, hello_reply_write, reply_says},
    {"hello_finish", WIRE_HELLO_FINISH, hello_finish_read, hello_finish_write, finish_says},
    {"cookie", WIRE_COOKIE, cookie_read, cookie_write, cookie_says},
    {"beacon", WIRE_BEACON, beacon_read, beacon_write, beacon_says},
    {"ping", WIRE_PING, ping_read, ping_write, ping_says},
    {"ack", WIRE_ACK, ack_read, ack_write, ack_says},
    {"ping_req", WIRE_PING_REQ, ping_req_read, ping_req_write, ping_req_says},
    {"ping_ack", WIRE_PING_ACK, ping_ack_read, ping_ack_write, ping_ack_says},
    {"suspect", WIRE_SUSPECT, suspect_read, suspect_write, suspect_says},
    {"rollcall_pull", WIRE_ROLLCALL_PULL, rollcall_pull_read, rollcall_pull_write, rollcall_pull_says},
    {"push", WIRE_PUSH, push_read, push_write, push_says},
    {"announce", WIRE_ANNOUNCE, ids_read, ids_write, announce_says},
    {"pull", WIRE_PULL, ids_read, ids_write, pull_says},
    {"records", WIRE_RECORDS, records_read, records_write, records_says},
    {"sync_roots", WIRE_SYNC_ROOTS, roots_read, roots_write, roots_says},
    {"sync_node_root", WIRE_SYNC_NODE, node_read, node_write, node_says},
    {"sync_node_child", WIRE_SYNC_NODE, node_read, node_write, node_says},
    {"sync_leaf", WIRE_SYNC_LEAF, leaf_read, leaf_write, leaf_says},
    {"sketch_pull", WIRE_SKETCH_PULL, sketch_pull_read, sketch_pull_write, sketch_pull_says},
    {"sketch", WIRE_SKETCH, sketch_read, sketch_write, sketch_says},
    {"sketch_offer", WIRE_SKETCH_OFFER, offer_read, offer_write, offer_says},
    {"log_pull", WIRE_LOG_PULL, log_pull_read, log_pull_write, log_pull_says},
    {"log_pull_hello", WIRE_LOG_PULL, log_pull_hello_read, log_pull_hello_write, log_pull_says},
    {"log_entries", WIRE_LOG_ENTRIES, log_read, log_write, log_entries_says},
    {"blob_pull", WIRE_BLOB_PULL, blob_pull_read, blob_pull_write, blob_pull_says},
    {"blobs", WIRE_BLOBS, blobs_read, blobs_write, blobs_says},
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

static void messages_decode_and_encode(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		const struct kind *k = &kinds[i];
		uint8_t again[WIRE_MESSAGE_BYTES];
		size_t len;
		const uint8_t *message = message_of(k->name, &len);
		assert_number(k->name, "type", k->type);
		if (k->read(message, len) != ERR_OK)
			fail_msg("%s does not decode", k->name);
		k->says(k->name);
		assert_int_equal(k->write(again), len);
		if (memcmp(again, message, len) != 0)
			fail_msg("%s encodes to other bytes", k->name);
	}
}

/* The copies are exact, so that a sanitizer sees a read beyond. */
static void other_lengths_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KINDS; i++) {
		size_t len;
		const uint8_t *message = message_of(kinds[i].name, &len);
		for (size_t cut = 0; cut < len; cut++) {
			uint8_t *copy = test_malloc(cut + 1);
			memcpy(copy, message, cut);
			if (kinds[i].read(copy, cut) != ERR_FORMAT)
				fail_msg("%s accepts %zu of %zu bytes", kinds[i].name, cut, len);
			test_free(copy);
		}
		uint8_t longer[WIRE_MESSAGE_BYTES + 1] = {0};
		memcpy(longer, message, len);
		if (kinds[i].read(longer, len + 1) != ERR_FORMAT)
			fail_msg("%s accepts a byte more", kinds[i].name);
	}
}

static void check_padding(const char *name, size_t first, size_t end)
{
	uint8_t changed[WIRE_MESSAGE_BYTES];
	size_t i = 0, len;
	while (strcmp(kinds[i].name, name) != 0)
		i++;
	const uint8_t *message = message_of(name, &len);
	memcpy(changed, message, len);
	assert_true(first < end && end <= len);
	for (size_t at = first; at < end; at++) {
		changed[at] = 1;
		if (kinds[i].read(changed, len) != ERR_FORMAT)
			fail_msg("%s: the padding at %zu is not looked at", name, at);
		changed[at] = 0;
	}
	assert_int_equal(kinds[i].read(changed, len), ERR_OK);
}

static void padding_is_zero(void **state)
{
	(void)state;
	size_t certificate_len;
	vectors_get(messages, "hello.certificate", &certificate_len);
	check_padding("hello", 99 + certificate_len, WIRE_MESSAGE_BYTES);
	check_padding("hello_reply", 80 + 1 + 6, 80 + 19); /* of the IPv4 address */
	check_padding("log_pull_hello", 4, WIRE_MESSAGE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_decode_and_encode),
	    cmocka_unit_test(other_lengths_are_refused),
	    cmocka_unit_test(padding_is_zero),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
