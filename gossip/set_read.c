/* The answers a set gives. */
#include "base/cursor.h"
#include "gossip/set_index.h"

static void show(const struct set *s, const struct set_item *e, struct set_entry *ret)
{
	*ret = (struct set_entry){
	    .key = set_item_key(e),
	    .seq = e->seq,
	    .id = e->id,
	    .key_hash = e->key_hash,
	    .received = e->received,
	    .len = e->len,
	    .partition = s->tries[e->trie]->partition,
	};
}

bool set_find(const struct set *s, const struct record_key *key, struct set_entry *ret)
{
	uint32_t at = set_index_key(s, record_key_hash(s->set_key, key), key);
	if (at != TRIE_NONE)
		show(s, set_item_at(s, at), ret);
	return at != TRIE_NONE;
}

bool set_find_id(const struct set *s, uint64_t id, struct set_entry *ret)
{
	uint32_t at = set_index_id(s, id);
	if (at != TRIE_NONE)
		show(s, set_item_at(s, at), ret);
	return at != TRIE_NONE;
}

bool set_has_id(const struct set *s, uint64_t id)
{
	return set_index_id(s, id) != TRIE_NONE;
}

size_t set_count(const struct set *s)
{
	return s->count;
}

bool set_at(const struct set *s, size_t index, struct set_entry *ret)
{
	if (index >= s->count)
		return false;
	show(s, set_item_at(s, index), ret);
	return true;
}

/* NULL also for the one that nobody is told of. */
static const struct trie *shown(struct set *s, uint64_t partition)
{
	return partition == SET_PARTITION_HIDDEN ? NULL : set_trie_fresh(s, partition);
}

uint64_t set_partition_root(struct set *s, uint64_t partition)
{
	const struct trie *t = shown(s, partition);
	return t == NULL ? 0 : t->root;
}

uint64_t set_estate_root(struct set *s)
{
	if (!s->estate_stale)
		return s->estate_root;
	for (size_t i = 0; i < s->trie_count; i++)
		trie_refresh(s->tries[i], s->set_key, set_gather, s);
	/* Two numbers a partition: set_trie_of saw to the room. */
	struct writer w = writer_of(s->scratch, s->scratch_cap * sizeof *s->scratch);
	for (size_t i = 0; i < s->trie_count; i++) {
		const struct trie *t = s->tries[s->order[i]];
		if (t->root == 0 || !set_compared(t->partition))
			continue;
		writer_u64(&w, t->partition);
		writer_u64(&w, t->root);
	}
	CHECK(!w.failed);
	s->estate_root = w.len == 0 ? 0 : hash_keyed_u64(s->set_key, "mesh.root", w.data, w.len);
	s->estate_stale = false;
	return s->estate_root;
}

void set_children(struct set *s, uint64_t partition, uint64_t ret[SET_CHILDREN])
{
	const struct trie *t = shown(s, partition);
	for (size_t i = 0; i < SET_CHILDREN; i++)
		ret[i] = t == NULL ? 0 : t->children[i];
}

void set_leaves(struct set *s, uint64_t partition, uint8_t child, uint64_t ret[SET_CHILDREN])
{
	CHECK(child < SET_CHILDREN);
	const struct trie *t = shown(s, partition);
	for (size_t i = 0; i < SET_CHILDREN; i++)
		ret[i] = t == NULL ? 0 : t->leaves[child * SET_CHILDREN + i];
}

size_t set_partitions(struct set *s, uint64_t from, size_t max, uint64_t *ret_partitions, uint64_t *ret_roots)
{
	size_t count = 0;
	for (size_t at = set_trie_place(s, from); at < s->trie_count && count < max; at++) {
		struct trie *t = s->tries[s->order[at]];
		trie_refresh(t, s->set_key, set_gather, s);
		if (t->root == 0 || t->partition == SET_PARTITION_HIDDEN)
			continue;
		ret_partitions[count] = t->partition;
		ret_roots[count++] = t->root;
	}
	return count;
}

size_t set_leaf_ids(struct set *s, uint64_t partition, uint8_t leaf, uint64_t from, size_t max,
		    uint64_t *ret_ids, bool *ret_more)
{
	*ret_more = false;
	const struct trie *t = set_trie_find(s, partition);
	if (t == NULL || partition == SET_PARTITION_HIDDEN)
		return 0;
	uint64_t *ids = NULL;
	size_t all = set_gather(s, t->heads[leaf], &ids);
	size_t count = 0;
	for (size_t i = 0; i < all; i++) {
		if (ids[i] < from || (i > 0 && ids[i] == ids[i - 1]))
			continue;
		if (count == max) {
			*ret_more = true;
			break;
		}
		ret_ids[count++] = ids[i];
	}
	return count;
}

const struct sketch *set_sketch(const struct set *s)
{
	return s->sketch;
}

bool set_sketch_lookup(const void *set, uint64_t tag, uint64_t *ret_id, uint64_t *ret_seq)
{
	const struct set *s = set;
	const uint64_t mask = (1ull << SKETCH_TAG_BITS) - 1;
	if (s->by_key.cap == 0)
		return false;
	/* The table goes by the low bits, too. */
	for (size_t at = (size_t)tag & (s->by_key.cap - 1); s->by_key.slots[at] != TRIE_NONE;
	     at = (at + 1) & (s->by_key.cap - 1)) {
		const struct set_item *e = set_item_at(s, set_slot_index(s->by_key.slots[at]));
		if ((e->key_hash & mask) != tag || !set_compared(s->tries[e->trie]->partition))
			continue;
		*ret_id = e->id;
		*ret_seq = e->seq;
		return true;
	}
	return false;
}

enum err set_sketch_check(const struct set *s)
{
	struct sketch *anew;
	enum err err = sketch_new(s->set_key, &anew);
	if (err != ERR_OK)
		return err;
	for (size_t i = 0; i < s->count; i++) {
		const struct set_item *e = set_item_at(s, i);
		if (set_compared(s->tries[e->trie]->partition))
			sketch_add(anew, e->key_hash, e->id, e->seq);
	}
	err = sketch_equal(anew, s->sketch) ? ERR_OK : ERR_CORRUPT;
	sketch_free(anew);
	return err;
}
