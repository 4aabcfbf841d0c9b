#include "tests/fuzz/message.h"

#include <string.h>

#include "base/check.h"
#include "gossip/wire.h"

#define FLAGS_AT_LEAF 17
#define FLAGS_LEAF    0x03u

/* Decode, encode, compare: leaves the function when the message does not decode. */
#define SAME(name)                                                                                           \
	do {                                                                                                 \
		static struct wire_##name m;                                                                 \
		if (wire_##name##_decode(data, len, &m) == ERR_OK)                                           \
			same(data, len, again, wire_##name##_encode(&m, again));                             \
	} while (0)

static void same(const uint8_t *data, size_t len, const uint8_t *again, size_t again_len)
{
	CHECK(len == again_len && memcmp(data, again, len) == 0);
}

static void same_leaf(const uint8_t *data, size_t len)
{
	static struct wire_leaf m;
	uint8_t again[WIRE_MESSAGE_BYTES], masked[WIRE_MESSAGE_BYTES];
	if (wire_leaf_decode(data, len, &m) != ERR_OK)
		return;
	memcpy(masked, data, len);
	masked[FLAGS_AT_LEAF] = (uint8_t)(masked[FLAGS_AT_LEAF] & FLAGS_LEAF);
	same(masked, len, again, wire_leaf_encode(&m, again));
}

static void same_log_pull(const uint8_t *data, size_t len)
{
	uint8_t again[WIRE_MESSAGE_BYTES];
	for (int padded = 0; padded < 2; padded++) {
		uint32_t first;
		if (wire_log_pull_decode(data, len, padded == 1, &first) == ERR_OK)
			same(data, len, again, wire_log_pull_encode(first, padded == 1, again));
	}
}

static void same_items(enum wire_type type, const uint8_t *data, size_t len)
{
	static struct wire_items m;
	static struct wire_pack pack;
	if (wire_items_decode(type, data, len, &m) != ERR_OK)
		return;
	if (type == WIRE_PUSH)
		wire_pack_push(&pack, m.hops);
	else if (type == WIRE_RECORDS)
		wire_pack_records(&pack, m.echo);
	else if (type == WIRE_LOG_ENTRIES)
		wire_pack_log(&pack, m.echo, m.first);
	else
		wire_pack_blobs(&pack, m.echo);
	for (size_t i = 0; i < m.count; i++)
		CHECK(wire_pack_add(&pack, m.items[i].bytes, m.items[i].len));
	same(data, len, pack.bytes, pack.len);
}

static void check_hello(enum wire_type type, const uint8_t *data, size_t len)
{
	uint8_t again[WIRE_MESSAGE_BYTES];
	if (type == WIRE_HELLO)
		SAME(hello);
	else if (type == WIRE_HELLO_REPLY)
		SAME(hello_reply);
	else if (type == WIRE_HELLO_FINISH)
		SAME(hello_finish);
	else if (type == WIRE_COOKIE)
		SAME(cookie);
	else
		SAME(beacon);
}

static void check_pair(enum wire_type type, const uint8_t *data, size_t len)
{
	uint8_t again[WIRE_MESSAGE_BYTES];
	switch (type) {
	case WIRE_PING:
		SAME(ping);
		break;
	case WIRE_ACK:
		SAME(ack);
		break;
	case WIRE_PING_REQ:
		SAME(ping_req);
		break;
	case WIRE_PING_ACK:
		SAME(ping_ack);
		break;
	case WIRE_SUSPECT:
		SAME(suspect);
		break;
	case WIRE_ROLLCALL_PULL:
		SAME(rollcall_pull);
		break;
	case WIRE_ANNOUNCE:
	case WIRE_PULL:
		SAME(ids);
		break;
	case WIRE_SYNC_ROOTS:
		SAME(roots);
		break;
	case WIRE_SYNC_NODE:
		SAME(node);
		break;
	case WIRE_SKETCH_PULL:
		SAME(sketch_pull);
		break;
	case WIRE_SKETCH:
		SAME(sketch);
		break;
	case WIRE_SKETCH_OFFER:
		SAME(offer);
		break;
	case WIRE_BLOB_PULL:
		SAME(blob_pull);
		break;
	default:
		break;
	}
}

void message_check(const uint8_t *data, size_t len)
{
	if (len < 1)
		return;
	enum wire_type type = (enum wire_type)data[0];
	data++;
	len--;
	switch (type) {
	case WIRE_HELLO:
	case WIRE_HELLO_REPLY:
	case WIRE_HELLO_FINISH:
	case WIRE_COOKIE:
	case WIRE_BEACON:
		check_hello(type, data, len);
		break;
	case WIRE_PUSH:
	case WIRE_RECORDS:
	case WIRE_LOG_ENTRIES:
	case WIRE_BLOBS:
		same_items(type, data, len);
		break;
	case WIRE_SYNC_LEAF:
		same_leaf(data, len);
		break;
	case WIRE_LOG_PULL:
		same_log_pull(data, len);
		break;
	default:
		check_pair(type, data, len);
		break;
	}
}
