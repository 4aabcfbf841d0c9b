#include "gossip/trie.h"

#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "crypto/hash.h"

void trie_init(struct trie *t, uint64_t partition)
{
	memset(t, 0, sizeof *t);
	t->partition = partition;
	for (size_t i = 0; i < TRIE_LEAVES; i++)
		t->heads[i] = TRIE_NONE;
}

void trie_touch(struct trie *t, uint8_t leaf)
{
	t->stale_leaves[leaf / 8] |= (uint8_t)(1u << leaf % 8);
	t->stale = true;
}

/* Hash of 16 hashes; 0 when all are. */
static uint64_t node_hash(const uint8_t set_key[KEY_BYTES], const uint64_t hashes[TRIE_CHILDREN])
{
	uint8_t bytes[TRIE_CHILDREN * 8];
	struct writer w = writer_of(bytes, sizeof bytes);
	uint64_t any = 0;
	for (size_t i = 0; i < TRIE_CHILDREN; i++) {
		any |= hashes[i];
		writer_u64(&w, hashes[i]);
	}
	return any == 0 ? 0 : hash_keyed_u64(set_key, "mesh.node", bytes, sizeof bytes);
}

/* The ids are rewritten as the bytes that are hashed, in place: both take 8 bytes an id. */
static uint64_t leaf_hash(const uint8_t set_key[KEY_BYTES], uint64_t *ids, size_t count)
{
	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++) {
		uint8_t bytes[8];
		struct writer w = writer_of(bytes, sizeof bytes);
		writer_u64(&w, ids[i]);
		memcpy(&ids[i], bytes, sizeof bytes);
	}
	return hash_keyed_u64(set_key, "mesh.leaf", ids, count * sizeof *ids);
}

void trie_refresh(struct trie *t, const uint8_t set_key[KEY_BYTES], trie_ids ids, void *context)
{
	if (!t->stale)
		return;
	for (size_t child = 0; child < TRIE_CHILDREN; child++) {
		uint8_t *stale = &t->stale_leaves[child * TRIE_CHILDREN / 8];
		if (stale[0] == 0 && stale[1] == 0)
			continue;
		for (size_t i = 0; i < TRIE_CHILDREN; i++) {
			size_t leaf = child * TRIE_CHILDREN + i;
			if ((stale[i / 8] & 1u << i % 8) == 0)
				continue;
			uint64_t *list = NULL;
			size_t count = ids(context, t->heads[leaf], &list);
			t->leaves[leaf] = leaf_hash(set_key, list, count);
		}
		stale[0] = stale[1] = 0;
		t->children[child] = node_hash(set_key, &t->leaves[child * TRIE_CHILDREN]);
	}
	t->root = node_hash(set_key, t->children);
	t->stale = false;
}
