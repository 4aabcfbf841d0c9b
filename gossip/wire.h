/* Message bodies of docs/protocol.md section 7, as plain structs.
 *
 * Encoders write into WIRE_MESSAGE_BYTES and return the length; handing them more than a message holds is the
 * caller's bug. Decoders take what the seal protected and are strict: exact length, counts against the bytes
 * left, ascending order and zero padding where stated. They return ERR_FORMAT, and leave `ret` half written
 * then. Pointers in a decoded struct point into the input. */
#ifndef MESH_GOSSIP_WIRE_H
#define MESH_GOSSIP_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/authlog.h"
#include "crypto/hello.h"
#include "crypto/id.h"
#include "crypto/identity.h"
#include "crypto/keyring.h"
#include "gossip/sketch.h"
#include "record/body.h"

#define WIRE_MESSAGE_BYTES DATAGRAM_MESSAGE_BYTES

/* Most items of one message. */
#define WIRE_IDS         141 /* ANNOUNCE, PULL */
#define WIRE_HOSTS       70  /* SUSPECT */
#define WIRE_VIEWS       65  /* ROLLCALL_PULL */
#define WIRE_ROOTS       68
#define WIRE_CHILDREN    16
#define WIRE_LEAF_IDS    137
#define WIRE_OFFER_IDS   140
#define WIRE_BLOB_IDS    70
#define WIRE_ITEMS       255 /* PUSH, RECORDS, LOG_ENTRIES, BLOBS: what the count can say */
#define WIRE_PUSH_HOPS   4   /* eager hops a PUSH may have made */
#define WIRE_COOKIE_SIZE 16

enum wire_type {
	WIRE_HELLO = 1,
	WIRE_HELLO_REPLY = 2,
	WIRE_HELLO_FINISH = 3,
	WIRE_COOKIE = 4,
	WIRE_BEACON = 5,
	WIRE_PING = 16,
	WIRE_ACK = 17,
	WIRE_PING_REQ = 18,
	WIRE_PING_ACK = 19,
	WIRE_SUSPECT = 20,
	WIRE_ROLLCALL_PULL = 21,
	WIRE_PUSH = 32,
	WIRE_ANNOUNCE = 33,
	WIRE_PULL = 34,
	WIRE_RECORDS = 35,
	WIRE_SYNC_ROOTS = 48,
	WIRE_SYNC_NODE = 49,
	WIRE_SYNC_LEAF = 50,
	WIRE_SKETCH_PULL = 51,
	WIRE_SKETCH = 52,
	WIRE_SKETCH_OFFER = 53,
	WIRE_LOG_PULL = 64,
	WIRE_LOG_ENTRIES = 65,
	WIRE_BLOB_PULL = 80,
	WIRE_BLOBS = 81,
};

/* --- hello: wire_hello.c --- */

struct wire_hello {
	uint8_t ni[HELLO_NONCE_BYTES];
	struct id responder; /* zero: whoever answers */
	wall_day day;
	uint8_t key[KEY_BYTES];
	struct authlog_head head;
	uint8_t cookie[WIRE_COOKIE_SIZE];
	uint8_t flags;
	const uint8_t *certificate;
	size_t certificate_len; /* 1..LIMIT_CERTIFICATE_BYTES */
};
size_t wire_hello_encode(const struct wire_hello *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_hello_decode(const uint8_t *data, size_t len, struct wire_hello *ret);

struct wire_hello_reply {
	uint8_t ni[HELLO_NONCE_BYTES];
	uint8_t nr[HELLO_NONCE_BYTES];
	wall_day day;
	uint8_t key[KEY_BYTES];
	struct authlog_head head;
	struct address observed;
	const uint8_t *certificate;
	size_t certificate_len;
	uint8_t signature[SIGNATURE_BYTES];
};
size_t wire_hello_reply_encode(const struct wire_hello_reply *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_hello_reply_decode(const uint8_t *data, size_t len, struct wire_hello_reply *ret);

struct wire_hello_finish {
	uint8_t ni[HELLO_NONCE_BYTES];
	uint8_t nr[HELLO_NONCE_BYTES];
	wall_day day;
	uint8_t key[KEY_BYTES];
	const uint8_t *certificate;
	size_t certificate_len;
	uint8_t signature[SIGNATURE_BYTES];
};
size_t wire_hello_finish_encode(const struct wire_hello_finish *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_hello_finish_decode(const uint8_t *data, size_t len, struct wire_hello_finish *ret);

struct wire_cookie {
	uint8_t ni[HELLO_NONCE_BYTES];
	uint8_t cookie[WIRE_COOKIE_SIZE];
};
size_t wire_cookie_encode(const struct wire_cookie *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_cookie_decode(const uint8_t *data, size_t len, struct wire_cookie *ret);

struct wire_beacon {
	uint64_t instance;
	uint32_t clean_stop_s; /* 0: none known */
	struct id manifest;
	wall_ms time;
	uint8_t signature[SIGNATURE_BYTES];
};
/* What the signature covers. */
#define WIRE_BEACON_SIGNED_BYTES (13 + ID_BYTES + ID_BYTES + 36)
void wire_beacon_signed(const struct wire_beacon *m, const struct id *estate, const struct id *host,
			uint8_t ret[WIRE_BEACON_SIGNED_BYTES]);
size_t wire_beacon_encode(const struct wire_beacon *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_beacon_decode(const uint8_t *data, size_t len, struct wire_beacon *ret);

/* --- probes: wire_probe.c --- */

struct wire_ping {
	struct authlog_head head;
	uint64_t root;     /* estate root */
	uint64_t instance; /* of the sender's boot, as in records */
};
size_t wire_ping_encode(const struct wire_ping *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_ping_decode(const uint8_t *data, size_t len, struct wire_ping *ret);

struct wire_ack {
	uint64_t echo;
	struct authlog_head head;
	uint64_t root;
};
size_t wire_ack_encode(const struct wire_ack *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_ack_decode(const uint8_t *data, size_t len, struct wire_ack *ret);

struct wire_ping_req {
	struct id target;
};
size_t wire_ping_req_encode(const struct wire_ping_req *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_ping_req_decode(const uint8_t *data, size_t len, struct wire_ping_req *ret);

struct wire_ping_ack {
	uint64_t echo;
	struct id target;
};
size_t wire_ping_ack_encode(const struct wire_ping_ack *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_ping_ack_decode(const uint8_t *data, size_t len, struct wire_ping_ack *ret);

struct wire_suspect {
	size_t count; /* 1..WIRE_HOSTS */
	struct id hosts[WIRE_HOSTS];
};
size_t wire_suspect_encode(const struct wire_suspect *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_suspect_decode(const uint8_t *data, size_t len, struct wire_suspect *ret);

/* Asks for roll-calls of a site that are newer than these, or of other signers. */
struct wire_rollcall_pull {
	struct id site;
	size_t count; /* 0..WIRE_VIEWS */
	struct {
		uint64_t signer; /* first 8 of its id */
		uint8_t part;    /* below LIMIT_ROLLCALL_PARTS */
		uint64_t seq;
	} held[WIRE_VIEWS];
};
size_t wire_rollcall_pull_encode(const struct wire_rollcall_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_rollcall_pull_decode(const uint8_t *data, size_t len, struct wire_rollcall_pull *ret);

/* --- spread, log and blobs: wire_items.c --- */

/* ANNOUNCE and PULL. */
struct wire_ids {
	size_t count; /* 1..WIRE_IDS */
	uint64_t ids[WIRE_IDS];
};
size_t wire_ids_encode(const struct wire_ids *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_ids_decode(const uint8_t *data, size_t len, struct wire_ids *ret);

struct wire_blob_pull {
	size_t count; /* 1..WIRE_BLOB_IDS */
	struct id blobs[WIRE_BLOB_IDS];
};
size_t wire_blob_pull_encode(const struct wire_blob_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_blob_pull_decode(const uint8_t *data, size_t len, struct wire_blob_pull *ret);

/* `padded`: under the hello key, filled up with zeroes so that the answer is not larger. */
size_t wire_log_pull_encode(uint32_t first, bool padded, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_log_pull_decode(const uint8_t *data, size_t len, bool padded, uint32_t *ret_first);

/* Messages that carry records, log entries or blobs are built item by item. */
struct wire_pack {
	enum wire_type type;
	size_t len;
	size_t count_at;
	size_t item_max;
	uint8_t count;
	uint8_t bytes[WIRE_MESSAGE_BYTES];
};
void wire_pack_push(struct wire_pack *ret, uint8_t hops);
void wire_pack_records(struct wire_pack *ret, uint64_t echo);
void wire_pack_log(struct wire_pack *ret, uint64_t echo, uint32_t first);
void wire_pack_blobs(struct wire_pack *ret, uint64_t echo);
/* False when it does not fit any more. An item of 0 bytes or beyond its kind's limit is the caller's bug. */
bool wire_pack_add(struct wire_pack *p, const void *item, size_t len);

struct wire_item {
	const uint8_t *bytes;
	size_t len;
};
/* PUSH, RECORDS, LOG_ENTRIES and BLOBS; the fields a type lacks are 0. PUSH holds at least one item. */
struct wire_items {
	uint64_t echo;
	uint32_t first; /* LOG_ENTRIES: index of the first */
	uint8_t hops;   /* PUSH */
	size_t count;
	struct wire_item items[WIRE_ITEMS];
};
enum err wire_items_decode(enum wire_type type, const uint8_t *data, size_t len, struct wire_items *ret);

/* --- reconciliation: wire_sync.c --- */

struct wire_roots {
	uint64_t echo;
	uint64_t estate_root;
	uint64_t first, last; /* partitions this message speaks for, inclusive */
	size_t count;
	struct {
		uint64_t partition;
		uint64_t root;
	} roots[WIRE_ROOTS]; /* ascending, none empty */
};
size_t wire_roots_encode(const struct wire_roots *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_roots_decode(const uint8_t *data, size_t len, struct wire_roots *ret);

struct wire_node {
	uint64_t echo;
	uint64_t partition;
	uint8_t level; /* 0: children of the partition; 1: leaves of `child` */
	uint8_t child; /* 0..15; 0 at level 0 */
	uint64_t hashes[WIRE_CHILDREN];
};
size_t wire_node_encode(const struct wire_node *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_node_decode(const uint8_t *data, size_t len, struct wire_node *ret);

struct wire_leaf {
	uint64_t echo;
	uint64_t partition;
	uint8_t leaf;         /* child in the high nibble */
	bool more;            /* the leaf goes on beyond `last` */
	bool reply;           /* names only what the list it answers lacked, and is not answered */
	uint64_t first, last; /* ids this message speaks for, inclusive */
	size_t count;
	uint64_t ids[WIRE_LEAF_IDS]; /* ascending */
};
size_t wire_leaf_encode(const struct wire_leaf *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_leaf_decode(const uint8_t *data, size_t len, struct wire_leaf *ret);

/* --- reconciliation: wire_sketch.c --- */

struct wire_sketch_pull {
	uint64_t echo;
	uint64_t estate_root;
	uint64_t held;  /* root of the blocks that are there, 0: none */
	unsigned first; /* block, < LIMIT_SKETCH_BLOCKS */
	unsigned count; /* >= 1, up to the last block at most */
};
size_t wire_sketch_pull_encode(const struct wire_sketch_pull *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_sketch_pull_decode(const uint8_t *data, size_t len, struct wire_sketch_pull *ret);

struct wire_sketch {
	uint64_t echo;
	uint64_t estate_root;
	unsigned number; /* < LIMIT_SKETCH_BLOCKS */
	struct sketch_block block;
};
size_t wire_sketch_encode(const struct wire_sketch *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_sketch_decode(const uint8_t *data, size_t len, struct wire_sketch *ret);

struct wire_offer {
	uint64_t echo;
	size_t count;                 /* 1..WIRE_OFFER_IDS */
	uint64_t ids[WIRE_OFFER_IDS]; /* ascending */
};
size_t wire_offer_encode(const struct wire_offer *m, uint8_t ret[WIRE_MESSAGE_BYTES]);
enum err wire_offer_decode(const uint8_t *data, size_t len, struct wire_offer *ret);

#endif
