/* Record index of one node: what it holds, by key and by record id, and the hashes that say so to others
 * (docs/protocol.md section 8). The bytes themselves rest in the replica.
 *
 * Partitions: host kinds in the short id of the subject's home site, which the caller knows; kinds 16-31 in
 * SET_PARTITION_SITE; kinds 32-47 in SET_PARTITION_OPERATOR. Each is a 16-ary trie of depth two (trie.h).
 * What rests in SET_PARTITION_HIDDEN is found by key and by id, and is in no hash, no sketch and no list.
 * Memory: about 94 bytes a record and 4.5 KiB a partition, grown on demand; 50 KiB for the sketch. */
#ifndef MESH_GOSSIP_SET_H
#define MESH_GOSSIP_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/record.h"
#include "gossip/sketch.h"

#define SET_PARTITION_SITE     1
#define SET_PARTITION_OPERATOR 2
#define SET_PARTITION_HIDDEN   3 /* kept, and compared with nobody: of the revoked */
#define SET_CHILDREN           16
#define SET_LEAVES             256

struct set;

struct set_entry {
	struct record_key key;
	uint64_t seq;
	uint64_t id; /* record id */
	uint64_t key_hash;
	wall_ms received;
	size_t len; /* of the record, bytes */
	uint64_t partition;
};

/* ERR_NOMEM. The set key stays where it is, in guarded memory, and outlives the set. */
enum err set_new(const uint8_t set_key[KEY_BYTES], struct set **ret);
void set_free(struct set *s);

/* How a record stands to what the set holds under its key. */
enum set_order {
	SET_NEW,         /* key not held */
	SET_NEWER,       /* higher seq */
	SET_SAME,        /* this very record */
	SET_OLDER,       /* lower seq */
	SET_FORK_STANDS, /* same seq, other record; the held one has the lower id and stays */
	SET_FORK_WINS,   /* same seq, other record, lower id: takes the place */
};
enum set_order set_order_of(const struct set *s, const struct record_key *key, uint64_t seq, uint64_t id);

/* Insert or replace; `id` is the record's. *ret_order (may be NULL) says what happened; for SET_SAME,
 * SET_OLDER and SET_FORK_STANDS nothing changes. `home` is the partition of host kinds, and of any kind when
 * it is SET_PARTITION_HIDDEN; else it is ignored for others. ERR_LIMIT (LIMIT_RECORDS, or more partitions
 * than LIMIT_SITES allows), ERR_NOMEM, ERR_ARG (kind that is refused). */
enum err set_put(struct set *s, const struct record *r, uint64_t id, uint64_t home, wall_ms received,
		 enum set_order *ret_order);
/* Room for so many records in all, at most LIMIT_RECORDS, so that those which come do not move the tables.
 * ERR_NOMEM. */
enum err set_reserve(struct set *s, size_t count);
/* Each record moves to where `place` wants it. ERR_LIMIT, ERR_NOMEM: call again. */
typedef uint64_t (*set_place)(const void *context, const struct record_key *key);
enum err set_arrange(struct set *s, set_place place, const void *context);
/* Forget a record whose bytes are lost, so that reconciliation brings it back. False when not held. */
bool set_remove(struct set *s, const struct record_key *key);

bool set_find(const struct set *s, const struct record_key *key, struct set_entry *ret);
bool set_find_id(const struct set *s, uint64_t id, struct set_entry *ret);
bool set_has_id(const struct set *s, uint64_t id);
size_t set_count(const struct set *s);
/* Entry by place, stable while nothing is removed; false when out of range. For iteration: 0, 1, 2, … */
bool set_at(const struct set *s, size_t index, struct set_entry *ret);

/* Hashes, recomputed where something changed since they were last asked for. 0: empty. */
uint64_t set_estate_root(struct set *s); /* without SET_PARTITION_SITE */
uint64_t set_partition_root(struct set *s, uint64_t partition);
void set_children(struct set *s, uint64_t partition, uint64_t ret[SET_CHILDREN]);
void set_leaves(struct set *s, uint64_t partition, uint8_t child, uint64_t ret[SET_CHILDREN]);
/* Non-empty partitions with ids >= from, ascending. Returns how many were written. */
size_t set_partitions(struct set *s, uint64_t from, size_t max, uint64_t *ret_partitions,
		      uint64_t *ret_roots);
/* Record ids of a leaf that are >= from, ascending; *ret_more says whether others follow. */
size_t set_leaf_ids(struct set *s, uint64_t partition, uint8_t leaf, uint64_t from, size_t max,
		    uint64_t *ret_ids, bool *ret_more);
/* Of all records that the estate root tells of; the set's. */
const struct sketch *set_sketch(const struct set *s);
/* A sketch_lookup of it; `set` is the struct. */
bool set_sketch_lookup(const void *set, uint64_t tag, uint64_t *ret_id, uint64_t *ret_seq);
/* It is what the records make it. Builds it anew: for tests. ERR_CORRUPT when not, ERR_NOMEM. */
enum err set_sketch_check(const struct set *s);

#endif
