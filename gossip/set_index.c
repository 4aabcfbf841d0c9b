#include "gossip/set_index.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_FIRST 64

static_assert(sizeof(struct set_item) == 80, "memory per record as set.h says");
static_assert(SET_PARTITIONS < 1u << 11 && LIMIT_RECORD_BYTES < 1u << 11, "bit fields hold their values");
static_assert(LIMIT_RECORDS < (1u << SET_INDEX_BITS) - 1, "no slot in use looks like a free one");
static_assert(SET_CHILDREN == TRIE_CHILDREN && SET_LEAVES == TRIE_LEAVES, "one shape");

/* --- tables --- */

static uint64_t table_hash(const struct set_table *t, const struct set_item *e)
{
	return t->by_id ? e->id : e->key_hash;
}

/* Slot of entry `index`, which is in the table. */
size_t set_table_slot(const struct set *s, const struct set_table *t, uint32_t index)
{
	uint64_t hash = table_hash(t, set_item_at(s, index));
	size_t at = (size_t)hash & (t->cap - 1);
	while (t->slots[at] != set_slot_of(hash, index)) {
		CHECK(t->slots[at] != TRIE_NONE);
		at = (at + 1) & (t->cap - 1);
	}
	return at;
}

void set_table_add(const struct set *s, struct set_table *t, uint32_t index)
{
	uint64_t hash = table_hash(t, set_item_at(s, index));
	size_t at = (size_t)hash & (t->cap - 1);
	while (t->slots[at] != TRIE_NONE)
		at = (at + 1) & (t->cap - 1);
	t->slots[at] = set_slot_of(hash, index);
}

void set_table_rename(const struct set *s, struct set_table *t, uint32_t from, uint32_t to)
{
	t->slots[set_table_slot(s, t, from)] = set_slot_of(table_hash(t, set_item_at(s, from)), to);
}

/* Close the gap, so that no probe stops short and no tombstones pile up. */
void set_table_drop(const struct set *s, struct set_table *t, uint32_t index)
{
	size_t mask = t->cap - 1;
	size_t gap = set_table_slot(s, t, index);
	for (size_t at = (gap + 1) & mask; t->slots[at] != TRIE_NONE; at = (at + 1) & mask) {
		size_t wanted = (size_t)table_hash(t, set_item_at(s, set_slot_index(t->slots[at]))) & mask;
		if (((at - wanted) & mask) < ((at - gap) & mask))
			continue;
		t->slots[gap] = t->slots[at];
		gap = at;
	}
	t->slots[gap] = TRIE_NONE;
}

enum err set_table_reserve(const struct set *s, struct set_table *t, size_t count)
{
	if (t->cap > 0 && count * 4 <= t->cap * 3)
		return ERR_OK;
	size_t cap = t->cap == 0 ? SLOTS_AT_FIRST : t->cap * 2;
	while (count * 4 > cap * 3)
		cap *= 2;
	uint32_t *slots = malloc(cap * sizeof *slots);
	if (slots == NULL)
		return ERR_NOMEM;
	memset(slots, 0xff, cap * sizeof *slots);
	free(t->slots);
	t->slots = slots;
	t->cap = cap;
	for (size_t i = 0; i < s->count; i++)
		set_table_add(s, t, (uint32_t)i);
	return ERR_OK;
}

uint32_t set_index_key(const struct set *s, uint64_t key_hash, const struct record_key *key)
{
	if (s->by_key.cap == 0)
		return TRIE_NONE;
	size_t mask = s->by_key.cap - 1;
	for (size_t at = (size_t)key_hash & mask; s->by_key.slots[at] != TRIE_NONE; at = (at + 1) & mask) {
		uint32_t index = set_slot_index(s->by_key.slots[at]);
		if (!set_slot_may(s->by_key.slots[at], key_hash) ||
		    set_item_at(s, index)->key_hash != key_hash)
			continue;
		struct record_key held = set_item_key(set_item_at(s, index));
		if (record_key_equal(&held, key))
			return index;
	}
	return TRIE_NONE;
}

uint32_t set_index_id(const struct set *s, uint64_t id)
{
	if (s->by_id.cap == 0)
		return TRIE_NONE;
	size_t mask = s->by_id.cap - 1;
	for (size_t at = (size_t)id & mask; s->by_id.slots[at] != TRIE_NONE; at = (at + 1) & mask)
		if (set_slot_may(s->by_id.slots[at], id) &&
		    set_item_at(s, set_slot_index(s->by_id.slots[at]))->id == id)
			return set_slot_index(s->by_id.slots[at]);
	return TRIE_NONE;
}

/* --- tries --- */

/* Place in `order` of the first partition >= wanted. */
size_t set_trie_place(const struct set *s, uint64_t partition)
{
	size_t low = 0, high = s->trie_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (s->tries[s->order[middle]]->partition < partition)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct trie *set_trie_find(const struct set *s, uint64_t partition)
{
	size_t at = set_trie_place(s, partition);
	if (at == s->trie_count || s->tries[s->order[at]]->partition != partition)
		return NULL;
	return s->tries[s->order[at]];
}

enum err set_scratch_reserve(struct set *s, size_t count)
{
	if (count <= s->scratch_cap)
		return ERR_OK;
	size_t cap = s->scratch_cap == 0 ? 64 : s->scratch_cap * 2;
	while (cap < count)
		cap *= 2;
	uint64_t *scratch = realloc(s->scratch, cap * sizeof *scratch);
	if (scratch == NULL)
		return ERR_NOMEM;
	s->scratch = scratch;
	s->scratch_cap = cap;
	return ERR_OK;
}

static enum err tries_reserve(struct set *s)
{
	if (s->trie_count < s->trie_cap)
		return ERR_OK;
	size_t cap = s->trie_cap == 0 ? 8 : s->trie_cap * 2;
	struct trie **tries = realloc(s->tries, cap * sizeof *tries);
	if (tries == NULL)
		return ERR_NOMEM;
	s->tries = tries;
	uint16_t *order = realloc(s->order, cap * sizeof *order);
	if (order == NULL)
		return ERR_NOMEM;
	s->order = order;
	s->trie_cap = cap;
	return ERR_OK;
}

/* Place in `tries`, made when there is none. */
static bool trie_empty(const struct trie *t)
{
	size_t leaf = 0;
	while (leaf < TRIE_LEAVES && t->counts[leaf] == 0)
		leaf++;
	return leaf == TRIE_LEAVES;
}

/* Of a site that is no more. */
static enum err trie_reuse(struct set *s, uint64_t partition, size_t *ret)
{
	size_t from = 0;
	while (from < s->trie_count && !trie_empty(s->tries[s->order[from]]))
		from++;
	if (from == s->trie_count)
		return ERR_LIMIT;
	uint16_t place = s->order[from];
	s->trie_count--; /* the order is without it for a moment */
	memmove(&s->order[from], &s->order[from + 1], (s->trie_count - from) * sizeof *s->order);
	size_t at = set_trie_place(s, partition);
	memmove(&s->order[at + 1], &s->order[at], (s->trie_count - at) * sizeof *s->order);
	s->trie_count++;
	s->order[at] = place;
	trie_init(s->tries[place], partition);
	*ret = place;
	return ERR_OK;
}

enum err set_trie_of(struct set *s, uint64_t partition, size_t *ret)
{
	size_t at = set_trie_place(s, partition);
	if (at < s->trie_count && s->tries[s->order[at]]->partition == partition) {
		*ret = s->order[at];
		return ERR_OK;
	}
	if (s->trie_count == SET_PARTITIONS)
		return trie_reuse(s, partition, ret);
	enum err err = tries_reserve(s);
	if (err == ERR_OK)
		err = set_scratch_reserve(s, 2 * (s->trie_count + 1));
	if (err != ERR_OK)
		return err;
	struct trie *t = malloc(sizeof *t);
	if (t == NULL)
		return ERR_NOMEM;
	trie_init(t, partition);
	s->tries[s->trie_count] = t;
	memmove(&s->order[at + 1], &s->order[at], (s->trie_count - at) * sizeof *s->order);
	s->order[at] = (uint16_t)s->trie_count;
	*ret = s->trie_count++;
	return ERR_OK;
}

static void chain_touch(struct set *s, const struct set_item *e)
{
	struct trie *t = s->tries[e->trie];
	trie_touch(t, set_item_leaf(e));
	if (t->partition != SET_PARTITION_SITE)
		s->estate_stale = true;
}

void set_chain_link(struct set *s, uint32_t index, size_t trie)
{
	struct set_item *e = set_item_at(s, index);
	struct trie *t = s->tries[trie];
	uint8_t leaf = set_item_leaf(e);
	e->trie = (uint32_t)trie & 0x7ff;
	if (set_compared(t->partition))
		sketch_add(s->sketch, e->key_hash, e->id, e->seq);
	e->next = t->heads[leaf];
	t->heads[leaf] = index;
	t->counts[leaf]++;
	chain_touch(s, e);
}

/* The link that names entry `index`. */
uint32_t *set_chain_find(struct set *s, uint32_t index)
{
	const struct set_item *e = set_item_at(s, index);
	uint32_t *link = &s->tries[e->trie]->heads[set_item_leaf(e)];
	while (*link != index) {
		CHECK(*link != TRIE_NONE);
		link = &set_item_at(s, *link)->next;
	}
	return link;
}

void set_chain_unlink(struct set *s, uint32_t index)
{
	struct set_item *e = set_item_at(s, index);
	struct trie *t = s->tries[e->trie];
	if (set_compared(t->partition))
		sketch_take(s->sketch, e->key_hash, e->id, e->seq);
	*set_chain_find(s, index) = e->next;
	t->counts[set_item_leaf(e)]--;
	chain_touch(s, e);
}

static int compare_ids(const void *a, const void *b)
{
	uint64_t x, y;
	memcpy(&x, a, sizeof x);
	memcpy(&y, b, sizeof y);
	return x < y ? -1 : x > y;
}

size_t set_gather(void *context, uint32_t head, uint64_t **ret_ids)
{
	struct set *s = context;
	size_t count = 0;
	for (uint32_t at = head; at != TRIE_NONE; at = set_item_at(s, at)->next) {
		CHECK(count < s->scratch_cap);
		s->scratch[count++] = set_item_at(s, at)->id;
	}
	if (count > 1)
		qsort(s->scratch, count, sizeof *s->scratch, compare_ids);
	*ret_ids = s->scratch;
	return count;
}

struct trie *set_trie_fresh(struct set *s, uint64_t partition)
{
	struct trie *t = set_trie_find(s, partition);
	if (t != NULL)
		trie_refresh(t, s->set_key, set_gather, s);
	return t;
}
