/* A handful of protocol cores in one process, in virtual time: what tests of gossip/ stand on. Deterministic.
 */
#ifndef MESH_TESTS_GOSSIP_ESTATE_H
#define MESH_TESTS_GOSSIP_ESTATE_H

#include "base/prng.h"
#include "crypto/certificate.h"
#include "gossip/gossip.h"

#define ESTATE_NODES   8
#define ESTATE_RECORDS 256
#define ESTATE_FLYING  4096
#define ESTATE_START   10000 /* fake time never starts at 0 */
#define ESTATE_WALL    (20700 * CLOCK_DAY_MS)

struct estate_record {
	struct record_key key;
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	wall_ms received;
};

struct estate_node {
	struct identity *identity;
	struct authlog *log;
	uint8_t certificate[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len;
	struct id id;
	char site[LIMIT_SITE_NAME_BYTES + 1];
	struct address address;
	struct crypto_rng_seeded rng;
	struct gossip *g; /* NULL: not running */
	mono_ms deadline;
	uint64_t seq_reserved, boots, steps;
	/* its replica */
	struct estate_record *records;
	size_t record_count;
	struct host_state hosts[ESTATE_NODES];
	size_t host_count;
	struct site_state sites[ESTATE_NODES];
	size_t site_count;
};

struct estate_datagram {
	mono_ms at;
	size_t from, to;
	size_t len;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES];
};

struct estate {
	struct estate_node nodes[ESTATE_NODES];
	size_t count;
	mono_ms now;
	struct prng prng;
	double loss;
	struct identity *authority, *issuer;
	struct estate_keys keys;
	struct authlog *log;
	struct estate_datagram *flying;
	size_t flying_count;
	struct estate_datagram last; /* the newest that was delivered to `watch` */
	size_t watch;
};

void estate_init(struct estate *n, uint64_t seed);
void estate_free(struct estate *n);
/* Adds a host; not started. */
size_t estate_add(struct estate *n, const char *site);
/* The same key at another address. */
size_t estate_copy(struct estate *n, size_t node);
/* With the replica it has; seeds are the first node of each site. */
void estate_start(struct estate *n, size_t node);
void estate_publish(struct estate *n, size_t node); /* a profile with its address, and health */
void estate_kill(struct estate *n, size_t node);
void estate_leave(struct estate *n, size_t node, enum goodbye_reason reason);
void estate_drill(struct estate *n, size_t node, const char *site, bool cut);
void estate_run(struct estate *n, mono_ms for_ms);
/* Runs until it holds; false after `most_ms`. */
bool estate_until(struct estate *n, mono_ms most_ms, bool (*holds)(struct estate *n));
/* A datagram out of nowhere. */
void estate_inject(struct estate *n, size_t node, const struct address *from, const uint8_t *bytes,
		   size_t len);
void estate_step(struct estate *n, size_t node, struct gossip_event *event);
enum host_status estate_status(struct estate *n, size_t viewer, size_t host, struct host_state *ret);
struct gossip_counters estate_counters(struct estate *n, size_t node);

#endif
