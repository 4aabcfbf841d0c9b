/* Message bodies: each comes back as it was, ends where it must, and says no more than it holds. */
#include <stdio.h>
#include <string.h>

#include "base/prng.h"
#include "gossip/wire.h"
#include "tests/unit/scratch.h"

static uint8_t certificate[LIMIT_CERTIFICATE_BYTES];

static void fill(struct prng *p, void *bytes, size_t len)
{
	uint8_t *at = bytes;
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(prng_below(p, 255) + 1);
}

/* Every type's decoder behind one call, so that cutting and lengthening is one loop for all. */
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
	uint32_t log_first;
} got;

static enum err decode(enum wire_type type, const uint8_t *data, size_t len)
{
	switch (type) {
	case WIRE_HELLO:
		return wire_hello_decode(data, len, &got.hello);
	case WIRE_HELLO_REPLY:
		return wire_hello_reply_decode(data, len, &got.reply);
	case WIRE_HELLO_FINISH:
		return wire_hello_finish_decode(data, len, &got.finish);
	case WIRE_COOKIE:
		return wire_cookie_decode(data, len, &got.cookie);
	case WIRE_BEACON:
		return wire_beacon_decode(data, len, &got.beacon);
	case WIRE_PING:
		return wire_ping_decode(data, len, &got.ping);
	case WIRE_ACK:
		return wire_ack_decode(data, len, &got.ack);
	case WIRE_PING_REQ:
		return wire_ping_req_decode(data, len, &got.ping_req);
	case WIRE_PING_ACK:
		return wire_ping_ack_decode(data, len, &got.ping_ack);
	case WIRE_SUSPECT:
		return wire_suspect_decode(data, len, &got.suspect);
	case WIRE_ROLLCALL_PULL:
		return wire_rollcall_pull_decode(data, len, &got.rollcall_pull);
	case WIRE_ANNOUNCE:
	case WIRE_PULL:
		return wire_ids_decode(data, len, &got.ids);
	case WIRE_LOG_PULL:
		return wire_log_pull_decode(data, len, false, &got.log_first);
	case WIRE_BLOB_PULL:
		return wire_blob_pull_decode(data, len, &got.blob_pull);
	case WIRE_SYNC_ROOTS:
		return wire_roots_decode(data, len, &got.roots);
	case WIRE_SYNC_NODE:
		return wire_node_decode(data, len, &got.node);
	case WIRE_SYNC_LEAF:
		return wire_leaf_decode(data, len, &got.leaf);
	case WIRE_SKETCH_PULL:
		return wire_sketch_pull_decode(data, len, &got.sketch_pull);
	case WIRE_SKETCH:
		return wire_sketch_decode(data, len, &got.sketch);
	case WIRE_SKETCH_OFFER:
		return wire_offer_decode(data, len, &got.offer);
	case WIRE_PUSH:
	case WIRE_RECORDS:
	case WIRE_LOG_ENTRIES:
	case WIRE_BLOBS:
		return wire_items_decode(type, data, len, &got.items);
	}
	return ERR_FORMAT;
}

/* Decodes at its length and at no other. The copies are exact, so that a sanitizer sees a read beyond. */
static void check_lengths(enum wire_type type, const uint8_t *message, size_t len)
{
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *copy = test_malloc(cut + 1);
		memcpy(copy, message, cut);
		if (decode(type, copy, cut) != ERR_FORMAT)
			fail_msg("type %d accepts %zu of %zu bytes", (int)type, cut, len);
		test_free(copy);
	}
	uint8_t longer[WIRE_MESSAGE_BYTES + 1] = {0};
	memcpy(longer, message, len);
	assert_int_equal(decode(type, longer, len + 1), ERR_FORMAT);
	assert_int_equal(decode(type, message, len), ERR_OK);
}

#define PREFIX_EQUAL(a, b, last) assert_memory_equal(a, b, offsetof(__typeof__(*(a)), last))

static void test_hello(void **state)
{
	(void)state;
	struct prng p;
	uint8_t message[WIRE_MESSAGE_BYTES];
	prng_seed(&p, 1);
	fill(&p, certificate, sizeof certificate);
	struct wire_hello h = {.day = 20000, .head = {7, 0x1122334455667788}, .flags = 3};
	fill(&p, h.ni, sizeof h.ni);
	fill(&p, h.responder.b, ID_BYTES);
	fill(&p, h.key, sizeof h.key);
	fill(&p, h.cookie, sizeof h.cookie);
	h.certificate = certificate;
	h.certificate_len = sizeof certificate;
	size_t len = wire_hello_encode(&h, message);
	assert_int_equal(len, WIRE_MESSAGE_BYTES); /* the datagram is always 1,200 bytes */
	check_lengths(WIRE_HELLO, message, len);
	PREFIX_EQUAL(&h, &got.hello, flags);
	assert_int_equal(got.hello.flags, 3);
	assert_int_equal(got.hello.certificate_len, sizeof certificate);
	assert_memory_equal(got.hello.certificate, certificate, sizeof certificate);
	message[len - 1] = 1; /* padding */
	assert_int_equal(decode(WIRE_HELLO, message, len), ERR_FORMAT);

	h.certificate_len = 1;
	wire_hello_encode(&h, message);
	memset(message + 97, 0, 2); /* certificate length 0 */
	assert_int_equal(decode(WIRE_HELLO, message, len), ERR_FORMAT);
	message[97] = (LIMIT_CERTIFICATE_BYTES + 1) >> 8;
	message[98] = (LIMIT_CERTIFICATE_BYTES + 1) & 0xff;
	memset(message + 99, 0, sizeof message - 99);
	assert_int_equal(decode(WIRE_HELLO, message, len), ERR_FORMAT);
}

static void test_hello_answers(void **state)
{
	(void)state;
	struct prng p;
	uint8_t message[WIRE_MESSAGE_BYTES];
	prng_seed(&p, 2);
	struct wire_hello_reply r = {.day = 1, .head = {2, 3}, .observed = {.ip_len = 4, .port = 7946}};
	fill(&p, r.ni, sizeof r.ni);
	fill(&p, r.nr, sizeof r.nr);
	fill(&p, r.key, sizeof r.key);
	fill(&p, r.signature, sizeof r.signature);
	memcpy(r.observed.ip, (uint8_t[]){127, 0, 0, 1}, 4);
	r.certificate = certificate;
	r.certificate_len = 421;
	size_t len = wire_hello_reply_encode(&r, message);
	assert_int_equal(len, 16 + 16 + 4 + 32 + 12 + 19 + 2 + 421 + 64);
	check_lengths(WIRE_HELLO_REPLY, message, len);
	PREFIX_EQUAL(&r, &got.reply, observed);
	assert_true(address_equal(&r.observed, &got.reply.observed));
	assert_memory_equal(r.signature, got.reply.signature, sizeof r.signature);
	message[80 + 18] = 1; /* padding of the address */
	assert_int_equal(decode(WIRE_HELLO_REPLY, message, len), ERR_FORMAT);
	message[80 + 18] = 0;
	message[80] = 7; /* no such address length */
	assert_int_equal(decode(WIRE_HELLO_REPLY, message, len), ERR_FORMAT);
	r.observed = (struct address){.ip = {[15] = 1}, .ip_len = 16, .port = 1};
	r.certificate_len = LIMIT_CERTIFICATE_BYTES;
	len = wire_hello_reply_encode(&r, message);
	assert_int_equal(len + DATAGRAM_HEADER_BYTES + DATAGRAM_TAG_BYTES, 873); /* as the page says */
	check_lengths(WIRE_HELLO_REPLY, message, len);
	assert_true(address_equal(&r.observed, &got.reply.observed));

	struct wire_hello_finish f = {.day = 9, .certificate = certificate, .certificate_len = 200};
	fill(&p, f.ni, sizeof f.ni);
	fill(&p, f.signature, sizeof f.signature);
	len = wire_hello_finish_encode(&f, message);
	check_lengths(WIRE_HELLO_FINISH, message, len);
	PREFIX_EQUAL(&f, &got.finish, certificate);
	assert_memory_equal(f.signature, got.finish.signature, sizeof f.signature);

	struct wire_cookie c;
	fill(&p, &c, sizeof c);
	len = wire_cookie_encode(&c, message);
	check_lengths(WIRE_COOKIE, message, len);
	assert_memory_equal(&c, &got.cookie, sizeof c);

	struct wire_beacon b = {.instance = 5, .clean_stop_s = 6, .time = 7};
	fill(&p, b.signature, sizeof b.signature);
	len = wire_beacon_encode(&b, message);
	assert_int_equal(len, 100);
	check_lengths(WIRE_BEACON, message, len);
	assert_int_equal(got.beacon.instance, 5);
	assert_int_equal(got.beacon.time, 7);
	uint8_t covered[WIRE_BEACON_SIGNED_BYTES];
	wire_beacon_signed(&b, &(struct id){{1}}, &(struct id){{2}}, covered);
	assert_memory_equal(covered, "mesh beacon 1\1", 14);
	assert_memory_equal(covered + sizeof covered - 36, message, 36);
}

static void test_probe(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_ping ping = {.head = {1, 2}, .root = 3, .instance = 4};
	size_t len = wire_ping_encode(&ping, message);
	assert_int_equal(len, 28);
	check_lengths(WIRE_PING, message, len);
	assert_int_equal(got.ping.head.hash, 2);
	assert_int_equal(got.ping.root, 3);
	assert_int_equal(got.ping.instance, 4);
	struct wire_ack ack = {.echo = 9, .head = {1, 2}, .root = 3};
	len = wire_ack_encode(&ack, message);
	assert_int_equal(len, 28);
	check_lengths(WIRE_ACK, message, len);
	assert_int_equal(got.ack.echo, 9);
	assert_int_equal(got.ack.root, 3);
	struct wire_ping_req req = {.target = {{4, 5}}};
	check_lengths(WIRE_PING_REQ, message, wire_ping_req_encode(&req, message));
	assert_true(id_equal(&got.ping_req.target, &req.target));
	struct wire_ping_ack pa = {.echo = 1, .target = {{6}}};
	check_lengths(WIRE_PING_ACK, message, wire_ping_ack_encode(&pa, message));
	assert_true(id_equal(&got.ping_ack.target, &pa.target));
	struct wire_suspect s = {.count = WIRE_HOSTS};
	for (size_t i = 0; i < s.count; i++)
		s.hosts[i].b[0] = (uint8_t)(i + 1);
	check_lengths(WIRE_SUSPECT, message, wire_suspect_encode(&s, message));
	assert_memory_equal(got.suspect.hosts, s.hosts, sizeof s.hosts);
	message[0] = WIRE_HOSTS + 1;
	assert_int_equal(decode(WIRE_SUSPECT, message, WIRE_MESSAGE_BYTES), ERR_FORMAT);
	message[0] = 0;
	assert_int_equal(decode(WIRE_SUSPECT, message, 1), ERR_FORMAT);
}

static void test_ids(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_ids ids = {.count = WIRE_IDS};
	for (size_t i = 0; i < ids.count; i++)
		ids.ids[i] = i * 0x0101010101010101u;
	check_lengths(WIRE_ANNOUNCE, message, wire_ids_encode(&ids, message));
	assert_memory_equal(got.ids.ids, ids.ids, sizeof ids.ids);
	message[0] = 142;
	assert_int_equal(decode(WIRE_PULL, message, WIRE_MESSAGE_BYTES), ERR_FORMAT);
	message[0] = 0;
	assert_int_equal(decode(WIRE_PULL, message, 1), ERR_FORMAT);
	struct wire_blob_pull blobs = {.count = WIRE_BLOB_IDS};
	for (size_t i = 0; i < blobs.count; i++)
		blobs.blobs[i].b[15] = (uint8_t)i;
	check_lengths(WIRE_BLOB_PULL, message, wire_blob_pull_encode(&blobs, message));
	assert_memory_equal(got.blob_pull.blobs, blobs.blobs, sizeof blobs.blobs);
	message[0] = 71;
	assert_int_equal(decode(WIRE_BLOB_PULL, message, WIRE_MESSAGE_BYTES), ERR_FORMAT);
}

static void test_log_pull(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	uint32_t first = 0;
	check_lengths(WIRE_LOG_PULL, message, wire_log_pull_encode(77, false, message));
	assert_int_equal(got.log_first, 77);
	size_t len = wire_log_pull_encode(78, true, message);
	assert_int_equal(len, WIRE_MESSAGE_BYTES); /* no smaller than any answer */
	assert_int_equal(wire_log_pull_decode(message, len, true, &first), ERR_OK);
	assert_int_equal(first, 78);
	assert_int_equal(wire_log_pull_decode(message, len, false, &first), ERR_FORMAT);
	assert_int_equal(wire_log_pull_decode(message, len - 1, true, &first), ERR_FORMAT);
	assert_int_equal(wire_log_pull_decode(message, 4, true, &first), ERR_FORMAT);
	message[500] = 1;
	first = 5;
	assert_int_equal(wire_log_pull_decode(message, len, true, &first), ERR_FORMAT);
	assert_int_equal(first, 5);
}

static void check_pack(struct wire_pack *pack, size_t item_max, uint64_t echo)
{
	uint8_t item[LIMIT_RECORD_BYTES];
	struct prng p;
	prng_seed(&p, 3);
	fill(&p, item, sizeof item);
	size_t added = 0;
	while (wire_pack_add(pack, item + added, 200))
		added++;
	assert_int_equal(added, 5);
	check_lengths(pack->type, pack->bytes, pack->len);
	assert_int_equal(got.items.count, 5);
	assert_int_equal(got.items.echo, echo);
	for (size_t i = 0; i < added; i++) {
		assert_int_equal(got.items.items[i].len, 200);
		assert_memory_equal(got.items.items[i].bytes, item + i, 200);
	}
	/* A count that promises more or fewer items than there are, and items of no or of too many bytes. */
	pack->bytes[pack->count_at] = 6;
	assert_int_equal(decode(pack->type, pack->bytes, pack->len), ERR_FORMAT);
	pack->bytes[pack->count_at] = 255;
	assert_int_equal(decode(pack->type, pack->bytes, pack->len), ERR_FORMAT);
	pack->bytes[pack->count_at] = 4;
	assert_int_equal(decode(pack->type, pack->bytes, pack->len), ERR_FORMAT);
	pack->bytes[pack->count_at] = 1;
	size_t at = pack->count_at + 1;
	memset(pack->bytes + at, 0, 2);
	assert_int_equal(decode(pack->type, pack->bytes, at + 2), ERR_FORMAT);
	pack->bytes[at] = (uint8_t)((item_max + 1) >> 8);
	pack->bytes[at + 1] = (uint8_t)(item_max + 1);
	assert_int_equal(decode(pack->type, pack->bytes, at + 2 + item_max + 1), ERR_FORMAT);
	pack->bytes[at + 1] = (uint8_t)item_max;
	pack->bytes[at] = (uint8_t)(item_max >> 8);
	assert_int_equal(decode(pack->type, pack->bytes, at + 2 + item_max), ERR_OK);
}

static void test_items(void **state)
{
	(void)state;
	static struct wire_pack pack;
	wire_pack_push(&pack, 4);
	check_pack(&pack, LIMIT_RECORD_BYTES, 0);
	assert_int_equal(got.items.hops, 4);
	wire_pack_push(&pack, 5); /* more hops than a push makes */
	assert_true(wire_pack_add(&pack, "x", 1));
	assert_int_equal(decode(WIRE_PUSH, pack.bytes, pack.len), ERR_FORMAT);
	wire_pack_push(&pack, 1);
	assert_int_equal(decode(WIRE_PUSH, pack.bytes, pack.len), ERR_FORMAT); /* pushes nothing */
	wire_pack_records(&pack, 0xabcdef);
	assert_int_equal(decode(WIRE_RECORDS, pack.bytes, pack.len), ERR_OK); /* "I have none" */
	check_pack(&pack, LIMIT_RECORD_BYTES, 0xabcdef);
	wire_pack_log(&pack, 1, 42);
	check_pack(&pack, LIMIT_LOG_ENTRY_BYTES, 1);
	assert_int_equal(got.items.first, 42);
	wire_pack_blobs(&pack, 2);
	check_pack(&pack, LIMIT_BLOB_BYTES, 2);
}

static void test_roots(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_roots m = {.echo = 1, .estate_root = 2, .first = 10, .last = 1000, .count = WIRE_ROOTS};
	for (size_t i = 0; i < m.count; i++) {
		m.roots[i].partition = 10 + i;
		m.roots[i].root = i + 1;
	}
	size_t len = wire_roots_encode(&m, message);
	check_lengths(WIRE_SYNC_ROOTS, message, len);
	assert_memory_equal(&m, &got.roots, sizeof m);
	struct wire_roots bad = m;
	bad.roots[5].partition = bad.roots[4].partition;
	assert_int_equal(decode(WIRE_SYNC_ROOTS, message, wire_roots_encode(&bad, message)), ERR_FORMAT);
	bad = m;
	bad.roots[67].partition = 1001; /* outside its own range */
	assert_int_equal(decode(WIRE_SYNC_ROOTS, message, wire_roots_encode(&bad, message)), ERR_FORMAT);
	bad = m;
	bad.roots[0].partition = 9;
	assert_int_equal(decode(WIRE_SYNC_ROOTS, message, wire_roots_encode(&bad, message)), ERR_FORMAT);
	bad = m;
	bad.roots[3].root = 0; /* empty ones are left out */
	assert_int_equal(decode(WIRE_SYNC_ROOTS, message, wire_roots_encode(&bad, message)), ERR_FORMAT);
	struct wire_roots none = {.last = UINT64_MAX};
	check_lengths(WIRE_SYNC_ROOTS, message, wire_roots_encode(&none, message));
	message[16] = 0xff; /* first beyond last */
	memset(message + 24, 0, 8);
	assert_int_equal(decode(WIRE_SYNC_ROOTS, message, 33), ERR_FORMAT);
}

static void test_node(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_node m = {.echo = 1, .partition = 2, .level = 1, .child = 15};
	for (size_t i = 0; i < WIRE_CHILDREN; i++)
		m.hashes[i] = i * i;
	size_t len = wire_node_encode(&m, message);
	check_lengths(WIRE_SYNC_NODE, message, len);
	assert_int_equal(got.node.level, 1);
	assert_int_equal(got.node.child, 15);
	assert_memory_equal(got.node.hashes, m.hashes, sizeof m.hashes);
	message[17] = 16;
	assert_int_equal(decode(WIRE_SYNC_NODE, message, len), ERR_FORMAT);
	message[17] = 0;
	message[16] = 2;
	assert_int_equal(decode(WIRE_SYNC_NODE, message, len), ERR_FORMAT);
	message[16] = 0;
	message[17] = 1; /* level 0 has no child */
	assert_int_equal(decode(WIRE_SYNC_NODE, message, len), ERR_FORMAT);
}

static void test_leaf(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_leaf m = {.echo = 1,
			      .partition = 2,
			      .leaf = 0xfe,
			      .more = true,
			      .first = 100,
			      .last = 100 + WIRE_LEAF_IDS,
			      .count = WIRE_LEAF_IDS};
	for (size_t i = 0; i < m.count; i++)
		m.ids[i] = 100 + i;
	size_t len = wire_leaf_encode(&m, message);
	check_lengths(WIRE_SYNC_LEAF, message, len);
	assert_int_equal(got.leaf.leaf, 0xfe);
	assert_true(got.leaf.more);
	assert_false(got.leaf.reply);
	assert_memory_equal(got.leaf.ids, m.ids, sizeof m.ids);
	struct wire_leaf bad = m;
	bad.more = false;
	bad.reply = true;
	assert_int_equal(decode(WIRE_SYNC_LEAF, message, wire_leaf_encode(&bad, message)), ERR_OK);
	assert_true(got.leaf.reply && !got.leaf.more);
	bad = m;
	bad.ids[1] = bad.ids[0];
	assert_int_equal(decode(WIRE_SYNC_LEAF, message, wire_leaf_encode(&bad, message)), ERR_FORMAT);
	bad = m;
	bad.ids[0] = 99;
	assert_int_equal(decode(WIRE_SYNC_LEAF, message, wire_leaf_encode(&bad, message)), ERR_FORMAT);
	bad = m;
	bad.ids[136] = 100 + WIRE_LEAF_IDS + 1;
	assert_int_equal(decode(WIRE_SYNC_LEAF, message, wire_leaf_encode(&bad, message)), ERR_FORMAT);
	wire_leaf_encode(&m, message);
	message[34] = WIRE_LEAF_IDS + 1;
	assert_int_equal(decode(WIRE_SYNC_LEAF, message, WIRE_MESSAGE_BYTES), ERR_FORMAT);
}

static void test_sketch(void **state)
{
	(void)state;
	uint8_t message[WIRE_MESSAGE_BYTES];
	struct wire_sketch_pull pull = {
	    .echo = 1, .estate_root = 2, .held = 3, .first = LIMIT_SKETCH_BLOCKS - 1, .count = 1};
	size_t len = wire_sketch_pull_encode(&pull, message);
	check_lengths(WIRE_SKETCH_PULL, message, len);
	PREFIX_EQUAL(&got.sketch_pull, &pull, count);
	message[25] = 2; /* beyond the last block */
	assert_int_equal(decode(WIRE_SKETCH_PULL, message, len), ERR_FORMAT);
	message[25] = 0;
	assert_int_equal(decode(WIRE_SKETCH_PULL, message, len), ERR_FORMAT);
	message[24] = LIMIT_SKETCH_BLOCKS;
	message[25] = 1;
	assert_int_equal(decode(WIRE_SKETCH_PULL, message, len), ERR_FORMAT);
	message[24] = 0;
	message[25] = LIMIT_SKETCH_BLOCKS;
	assert_int_equal(decode(WIRE_SKETCH_PULL, message, len), ERR_OK);

	static struct wire_sketch sketch = {.echo = 1, .estate_root = 2, .number = LIMIT_SKETCH_BLOCKS - 1};
	sketch.block.cells[SKETCH_BLOCK_CELLS - 1].ids = 7;
	sketch.block.cells[1].keys = 6;
	sketch.block.cells[0].weights = 8;
	sketch.block.samples[SKETCH_SAMPLES - 1] = 9;
	len = wire_sketch_encode(&sketch, message);
	check_lengths(WIRE_SKETCH, message, len);
	for (size_t i = 0; i < SKETCH_BLOCK_CELLS; i++) {
		assert_true(got.sketch.block.cells[i].ids == sketch.block.cells[i].ids);
		assert_true(got.sketch.block.cells[i].keys == sketch.block.cells[i].keys);
		assert_true(got.sketch.block.cells[i].weights == sketch.block.cells[i].weights);
	}
	assert_memory_equal(got.sketch.block.samples, sketch.block.samples, SKETCH_SAMPLES);
	message[16]++;
	assert_int_equal(decode(WIRE_SKETCH, message, len), ERR_FORMAT);

	static struct wire_offer offer = {.echo = 1, .count = WIRE_OFFER_IDS};
	for (size_t i = 0; i < offer.count; i++)
		offer.ids[i] = i * 3;
	len = wire_offer_encode(&offer, message);
	check_lengths(WIRE_SKETCH_OFFER, message, len);
	assert_memory_equal(got.offer.ids, offer.ids, sizeof offer.ids);
	message[8] = WIRE_OFFER_IDS + 1;
	assert_int_equal(decode(WIRE_SKETCH_OFFER, message, WIRE_MESSAGE_BYTES), ERR_FORMAT);
	offer.ids[1] = 0;
	assert_int_equal(decode(WIRE_SKETCH_OFFER, message, wire_offer_encode(&offer, message)), ERR_FORMAT);
	memset(message, 0, sizeof message);
	assert_int_equal(decode(WIRE_SKETCH_OFFER, message, 9), ERR_FORMAT);
}

static void test_random_bytes(void **state)
{
	(void)state;
	static const enum wire_type types[] = {
	    WIRE_HELLO,       WIRE_HELLO_REPLY, WIRE_HELLO_FINISH, WIRE_SUSPECT,    WIRE_ROLLCALL_PULL,
	    WIRE_PUSH,        WIRE_ANNOUNCE,    WIRE_RECORDS,      WIRE_SYNC_ROOTS, WIRE_SYNC_NODE,
	    WIRE_SYNC_LEAF,   WIRE_LOG_PULL,    WIRE_LOG_ENTRIES,  WIRE_BLOB_PULL,  WIRE_BLOBS,
	    WIRE_SKETCH_PULL, WIRE_SKETCH,      WIRE_SKETCH_OFFER};
	struct prng p;
	prng_seed(&p, 4);
	for (size_t n = 0; n < 20000; n++) {
		size_t len = prng_below(&p, WIRE_MESSAGE_BYTES + 1);
		uint8_t *bytes = test_malloc(len + 1);
		for (size_t i = 0; i < len; i++) /* small numbers make plausible counts */
			bytes[i] = (uint8_t)prng_below(&p, prng_chance(&p, 0.5) ? 4 : 256);
		enum wire_type type = types[prng_below(&p, sizeof types / sizeof types[0])];
		enum err err = decode(type, bytes, len);
		assert_true(err == ERR_OK || err == ERR_FORMAT);
		test_free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hello),  cmocka_unit_test(test_hello_answers), cmocka_unit_test(test_probe),
	    cmocka_unit_test(test_ids),    cmocka_unit_test(test_log_pull),      cmocka_unit_test(test_items),
	    cmocka_unit_test(test_roots),  cmocka_unit_test(test_node),          cmocka_unit_test(test_leaf),
	    cmocka_unit_test(test_sketch), cmocka_unit_test(test_random_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
