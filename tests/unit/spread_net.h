/* A few nodes of the protocol core on a wire in virtual time, for tests that look at one thing closely; the
 * simulator (tests/sim) looks at everything at once. Unlike there, the replicas keep what they are given
 * byte for byte, operators exist, and a test may touch datagrams on their way. */
#ifndef MESH_TESTS_UNIT_SPREAD_NET_H
#define MESH_TESTS_UNIT_SPREAD_NET_H

#include "base/prng.h"
#include "gossip/gossip.h"
#include "tests/unit/scratch.h"

#define NET_NODES 6
#define NET_NOTES 2000 /* slots of each operator: no more of one would stand */
#define NET_OPS   4
#define NET_WALL  1784419200000ull /* 2026-07-19, at virtual time NET_START */
#define NET_START 10000ull

struct net_row {
	struct record_key key;
	uint8_t *bytes; /* NULL: a blob's row when `blob` is set */
	size_t len;
	struct id blob;
	bool is_blob;
};

struct net_node {
	struct gossip *g;
	struct identity *identity;
	struct authlog *log;
	struct crypto_rng_seeded rng;
	struct address address;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len;
	mono_ms deadline;
	struct net_row *rows;
	size_t row_count, row_cap;
	uint32_t *slots; /* place in rows + 1, by hash */
	size_t slot_cap;
	size_t log_entries; /* handed over to be kept */
};

struct net_datagram {
	mono_ms at;
	struct address from, to;
	size_t len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

struct net {
	mono_ms now;
	struct prng prng;
	double loss;
	uint64_t flip; /* one datagram in so many has one bit flipped; 0: none */
	uint64_t flipped, lost, sent;
	uint64_t bytes[256]; /* sent, by type of datagram, with IP and UDP headers */
	struct identity *authority, *issuer, *ops[NET_OPS];
	struct authlog *log;
	struct estate_keys keys;
	struct net_node nodes[NET_NODES];
	size_t node_count;
	struct net_datagram *flying; /* ring, ascending by `at`: all take 2 ms */
	size_t first, count, cap;
};

/* `sites[i]` is node i's. Nothing runs before net_start. */
void net_init(struct net *n, size_t nodes, const char *const sites[]);
void net_free(struct net *n);
/* Makes the node's core; every node knows the first one as a seed. `log_entries` 0: the whole log. */
void net_start(struct net *n, size_t node, size_t log_entries);
void net_step(struct net *n, size_t node, struct gossip_event *event);
/* Into the node's replica and set, as if loaded at start: before it runs. */
void net_load(struct net *n, size_t node, const uint8_t *record, size_t len);
/* A note of an operator in this slot, below NET_OPS * NET_NOTES. `ret` holds LIMIT_RECORD_BYTES. */
size_t net_note(struct net *n, uint64_t slot, uint64_t seq, uint8_t *ret);
/* Until `done` (may be NULL) holds, for `ms` at most. Whether it did. */
bool net_run(struct net *n, mono_ms ms, bool (*done)(struct net *n));
/* Sets, log heads and blobs agree, and nothing is wanted. */
bool net_agree(struct net *n);
struct gossip_status net_status(const struct net *n, size_t node);

#endif
