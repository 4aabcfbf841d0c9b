/* Hashes of one partition: 256 leaves by the first byte of the key hash, 16 children, a root
 * (docs/protocol.md section 8). Holds no records: each leaf is the head of a chain that belongs to the
 * caller. */
#ifndef MESH_GOSSIP_TRIE_H
#define MESH_GOSSIP_TRIE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/id.h"

#define TRIE_CHILDREN 16
#define TRIE_LEAVES   256
#define TRIE_NONE     UINT32_MAX

struct trie {
	uint64_t partition;
	uint32_t heads[TRIE_LEAVES];  /* first entry of the leaf's chain, TRIE_NONE when empty */
	uint32_t counts[TRIE_LEAVES]; /* entries in the chain */
	uint64_t leaves[TRIE_LEAVES];
	uint64_t children[TRIE_CHILDREN];
	uint64_t root;
	uint8_t stale_leaves[TRIE_LEAVES / 8];
	bool stale; /* the root does not tell the leaves any more */
};

/* Writes the record ids of a chain, ascending, and returns how many. */
typedef size_t (*trie_ids)(void *context, uint32_t head, uint64_t **ret_ids);

void trie_init(struct trie *t, uint64_t partition);
void trie_touch(struct trie *t, uint8_t leaf);
/* Recompute what is stale. */
void trie_refresh(struct trie *t, const uint8_t set_key[KEY_BYTES], trie_ids ids, void *context);

#endif
