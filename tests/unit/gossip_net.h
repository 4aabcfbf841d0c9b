/* A few real cores on a network without delay or loss, and what an attacker needs between them. */
#ifndef MESH_TESTS_UNIT_GOSSIP_NET_H
#define MESH_TESTS_UNIT_GOSSIP_NET_H

#include "gossip/core.h"
#include "tests/unit/crypto_fixture.h"

#define NET_NODES  3
#define NET_ROWS   4096
#define NET_ISSUES 256

struct net_row {
	struct gossip_read what;
	wall_ms received;
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
	size_t issue_count;
	struct issue issues[NET_ISSUES]; /* open ones, as its driver knows them, without proofs */
	size_t issue_updates;            /* that it was told */
};

struct net_datagram {
	struct address from, to;
	size_t len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

struct net {
	struct fixture f;
	mono_ms now;
	wall_ms wall; /* what virtual time adds to */
	struct net_node nodes[NET_NODES];
	/* Sees each datagram on its way; false takes it off the wire. NULL: all arrive. */
	bool (*tap)(struct net *n, const struct net_datagram *d);
	void *context;
	/* Options of node 0 alone. */
	volatile uint64_t *applying;
	const uint64_t *poison;
	size_t poison_count;
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
void net_meet(struct net *n);
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
/* An entry that the authority signs for the log of `node`, handed in there. */
void net_grant(struct net *n, size_t node, const struct authlog_grant *grant);
void net_revoke(struct net *n, size_t node, enum log_revoke_what what, const struct id *id,
		const struct id *allow_list);
enum err net_log(struct net *n, size_t node, const uint8_t *bytes, size_t len);
/* As its driver knows it; NULL: not open. */
const struct issue *net_issue(const struct net *n, size_t node, enum issue_kind kind,
			      const struct id *subject);
enum host_standing net_standing(const struct net *n, size_t node, const struct id *host);
/* A record pushed to `to` in the name of `from`. */
void net_push(struct net *n, size_t from, size_t to, const uint8_t *record, size_t len);
bool net_has(const struct net *n, size_t node, const struct record_key *key, uint64_t seq);

/* The wall clock goes on by so many days, and a second is run. */
void net_days(struct net *n, unsigned count);

#endif
