/* A few real cores on a network without delay or loss, and what an attacker needs between them. */
#ifndef MESH_TESTS_UNIT_GOSSIP_NET_H
#define MESH_TESTS_UNIT_GOSSIP_NET_H

#include "gossip/core.h"
#include "tests/unit/crypto_fixture.h"

#define NET_NODES 3
#define NET_ROWS  512

struct net_row {
	struct gossip_read what;
	size_t len;
	uint8_t bytes[LIMIT_RECORD_BYTES];
};

struct net_node {
	struct gossip *g;
	struct identity *identity;
	struct authlog *log;
	struct crypto_rng_seeded seeded;
	struct address address;
	size_t certificate_len;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	bool deaf; /* nothing reaches it */
	uint64_t seq;
	size_t row_count;
	struct net_row rows[NET_ROWS];
};

struct net_datagram {
	struct address from, to;
	size_t len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

struct net {
	struct fixture f;
	mono_ms now;
	struct net_node nodes[NET_NODES];
	/* Sees each datagram on its way; false takes it off the wire. NULL: all arrive. */
	bool (*tap)(struct net *n, const struct net_datagram *d);
	void *context;
	struct net_datagram *wire;
	size_t wire_count;
};

/* Certified by the fixture's issuer for site "leeds", all of one age; not started. */
struct net *net_new(void);
void net_free(struct net *n);
/* `seed` (may be NULL) is the one address it is told. It knows nothing else, its own rows are kept. */
void net_start(struct net *n, size_t node, const struct address *seed);
/* Three nodes that have met. */
struct net *net_met(void);
void net_run(struct net *n, mono_ms ms);

/* Bytes as if `from` had sent them, and all that follows from it. */
void net_inject(struct net *n, size_t to, const struct address *from, const uint8_t *bytes, size_t len);
/* A message sealed by node `from`, as a stolen key could. */
size_t net_seal(struct net *n, size_t from, size_t to, enum wire_type type, const void *message, size_t len,
		uint8_t ret[LIMIT_DATAGRAM_BYTES]);
void net_say(struct net *n, size_t from, size_t to, enum wire_type type, const void *message, size_t len);
void net_publish(struct net *n, size_t node, uint8_t kind, const uint8_t *body, size_t len);
/* Of this host, for a record that names it. */
struct id net_blob(struct net *n, size_t node, const uint8_t *bytes, size_t len);
const struct gossip_counters *net_counters(const struct net *n, size_t node);
const struct id *net_id(const struct net *n, size_t node);
struct member *net_member(const struct net *n, size_t node, size_t other);
bool net_has(const struct net *n, size_t node, const struct record_key *key, uint64_t seq);

#endif
