/* Inside of set.h: set.c changes, set_read.c answers, set_index.c finds.
 *
 * Entries rest in pages that never move and are numbered without gaps; two open-addressed tables find them by
 * key hash and by record id, and each is linked into the chain of its trie leaf. */
#ifndef MESH_GOSSIP_SET_INDEX_H
#define MESH_GOSSIP_SET_INDEX_H

#include "base/check.h"
#include "gossip/set.h"
#include "gossip/trie.h"

#define SET_PAGE_ITEMS 128
#define SET_PARTITIONS (LIMIT_SITES + 3)

struct set_item {
	struct id writer, subject;
	uint64_t slot, seq, id, key_hash;
	wall_ms received;
	uint32_t next; /* in the chain of the leaf */
	uint32_t trie : 11;
	uint32_t len : 11;
	uint32_t kind : 7;
};

/* Open addressing with linear probing; at most 3/4 full, a power of two. A slot has the number of its entry
 * and, above it, the top of its hash: so others' entries are not looked at, which are seldom in the cache. */
#define SET_INDEX_BITS 20
struct set_table {
	uint32_t *slots;
	size_t cap;
	bool by_id; /* else by key hash */
};

struct set {
	const uint8_t *set_key; /* the caller's */
	struct set_item **pages;
	size_t page_count, page_cap;
	size_t count;
	struct set_table by_key, by_id;
	struct sketch *sketch;
	struct trie **tries; /* in order of creation: entries name them by place */
	uint16_t *order;     /* places in `tries`, ascending by partition */
	size_t trie_count, trie_cap;
	uint64_t *scratch; /* holds the ids of the fullest leaf, and a pair per partition */
	size_t scratch_cap;
	uint64_t estate_root;
	bool estate_stale;
};

static inline struct set_item *set_item_at(const struct set *s, size_t index)
{
	return &s->pages[index / SET_PAGE_ITEMS][index % SET_PAGE_ITEMS];
}

static inline struct record_key set_item_key(const struct set_item *e)
{
	return (struct record_key){
	    .kind = (uint8_t)e->kind, .writer = e->writer, .subject = e->subject, .slot = e->slot};
}

static inline uint8_t set_item_leaf(const struct set_item *e)
{
	return (uint8_t)(e->key_hash >> 56);
}

/* The estate root and the sketch tell of this partition. */
static inline bool set_compared(uint64_t partition)
{
	return partition != SET_PARTITION_SITE && partition != SET_PARTITION_HIDDEN;
}

static inline uint32_t set_slot_of(uint64_t hash, uint32_t index)
{
	return (uint32_t)(hash >> (32 + SET_INDEX_BITS)) << SET_INDEX_BITS | index;
}

static inline uint32_t set_slot_index(uint32_t slot)
{
	return slot & ((1u << SET_INDEX_BITS) - 1);
}

/* Whether an entry of that hash may be in it. */
static inline bool set_slot_may(uint32_t slot, uint64_t hash)
{
	return slot >> SET_INDEX_BITS == hash >> (32 + SET_INDEX_BITS);
}

size_t set_table_slot(const struct set *s, const struct set_table *t, uint32_t index);
void set_table_add(const struct set *s, struct set_table *t, uint32_t index);
void set_table_drop(const struct set *s, struct set_table *t, uint32_t index);
/* Entry `from` gets the number `to`. */
void set_table_rename(const struct set *s, struct set_table *t, uint32_t from, uint32_t to);
enum err set_table_reserve(const struct set *s, struct set_table *t, size_t count);
uint32_t set_index_key(const struct set *s, uint64_t key_hash, const struct record_key *key);
uint32_t set_index_id(const struct set *s, uint64_t id);
size_t set_trie_place(const struct set *s, uint64_t partition);
struct trie *set_trie_find(const struct set *s, uint64_t partition);
enum err set_trie_of(struct set *s, uint64_t partition, size_t *ret);
enum err set_scratch_reserve(struct set *s, size_t count);
void set_chain_link(struct set *s, uint32_t index, size_t trie);
uint32_t *set_chain_find(struct set *s, uint32_t index);
void set_chain_unlink(struct set *s, uint32_t index);
size_t set_gather(void *context, uint32_t head, uint64_t **ret_ids);
struct trie *set_trie_fresh(struct set *s, uint64_t partition);

#endif
