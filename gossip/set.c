#include "gossip/set.h"

#include <stdlib.h>
#include <string.h>

#include "gossip/set_index.h"

enum err set_new(const uint8_t set_key[KEY_BYTES], struct set **ret)
{
	struct set *s = calloc(1, sizeof *s);
	if (s == NULL)
		return ERR_NOMEM;
	enum err err = sketch_new(set_key, &s->sketch);
	if (err != ERR_OK) {
		free(s);
		return err;
	}
	s->set_key = set_key;
	s->by_id.by_id = true;
	*ret = s;
	return ERR_OK;
}

void set_free(struct set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->page_count; i++)
		free(s->pages[i]);
	for (size_t i = 0; i < s->trie_count; i++)
		free(s->tries[i]);
	sketch_free(s->sketch);
	free(s->pages);
	free(s->tries);
	free(s->order);
	free(s->scratch);
	free(s->by_key.slots);
	free(s->by_id.slots);
	free(s);
}

static enum set_order order_to(const struct set_item *held, uint64_t seq, uint64_t id)
{
	if (seq != held->seq)
		return seq > held->seq ? SET_NEWER : SET_OLDER;
	if (id == held->id)
		return SET_SAME;
	return id < held->id ? SET_FORK_WINS : SET_FORK_STANDS;
}

enum set_order set_order_of(const struct set *s, const struct record_key *key, uint64_t seq, uint64_t id)
{
	uint32_t at = set_index_key(s, record_key_hash(s->set_key, key), key);
	return at == TRIE_NONE ? SET_NEW : order_to(set_item_at(s, at), seq, id);
}

static bool partition_of(uint8_t kind, uint64_t home, uint64_t *ret)
{
	switch (record_class_of(kind)) {
	case RECORD_CLASS_HOST:
		*ret = home;
		return true;
	case RECORD_CLASS_SITE:
		*ret = SET_PARTITION_SITE;
		return true;
	case RECORD_CLASS_OPERATOR:
		*ret = SET_PARTITION_OPERATOR;
		return true;
	case RECORD_CLASS_REFUSED:
		break;
	}
	return false;
}

static enum err page_reserve(struct set *s)
{
	if (s->count < s->page_count * SET_PAGE_ITEMS)
		return ERR_OK;
	if (s->page_count == s->page_cap) {
		size_t cap = s->page_cap == 0 ? 8 : s->page_cap * 2;
		struct set_item **pages = realloc(s->pages, cap * sizeof *pages);
		if (pages == NULL)
			return ERR_NOMEM;
		s->pages = pages;
		s->page_cap = cap;
	}
	struct set_item *page = malloc(SET_PAGE_ITEMS * sizeof *page);
	if (page == NULL)
		return ERR_NOMEM;
	s->pages[s->page_count++] = page;
	return ERR_OK;
}

/* All that can fail when a record with this leaf comes to this trie. */
static enum err reserve(struct set *s, uint64_t partition, uint8_t leaf, size_t *ret_trie)
{
	enum err err = set_trie_of(s, partition, ret_trie);
	if (err == ERR_OK)
		err = set_scratch_reserve(s, s->tries[*ret_trie]->counts[leaf] + 1u);
	return err;
}

static enum err insert(struct set *s, const struct record *r, uint64_t key_hash, uint64_t id,
		       uint64_t partition, wall_ms received)
{
	if (s->count == LIMIT_RECORDS)
		return ERR_LIMIT;
	size_t trie = 0;
	enum err err = reserve(s, partition, (uint8_t)(key_hash >> 56), &trie);
	if (err == ERR_OK)
		err = page_reserve(s);
	if (err == ERR_OK)
		err = set_table_reserve(s, &s->by_key, s->count + 1);
	if (err == ERR_OK)
		err = set_table_reserve(s, &s->by_id, s->count + 1);
	if (err != ERR_OK)
		return err;
	uint32_t index = (uint32_t)s->count++;
	*set_item_at(s, index) = (struct set_item){
	    .writer = r->key.writer,
	    .subject = r->key.subject,
	    .slot = r->key.slot,
	    .seq = r->seq,
	    .id = id,
	    .key_hash = key_hash,
	    .received = received,
	    .len = (uint32_t)r->len & 0x7ff,
	    .kind = (unsigned)r->key.kind & 0x7fu,
	};
	set_table_add(s, &s->by_key, index);
	set_table_add(s, &s->by_id, index);
	set_chain_link(s, index, trie);
	return ERR_OK;
}

enum err set_reserve(struct set *s, size_t count)
{
	if (count > LIMIT_RECORDS)
		count = LIMIT_RECORDS;
	enum err err = set_table_reserve(s, &s->by_key, count);
	return err == ERR_OK ? set_table_reserve(s, &s->by_id, count) : err;
}

static enum err replace(struct set *s, uint32_t index, const struct record *r, uint64_t id,
			uint64_t partition, wall_ms received)
{
	struct set_item *e = set_item_at(s, index);
	size_t trie = 0;
	enum err err = reserve(s, partition, set_item_leaf(e), &trie);
	if (err != ERR_OK)
		return err;
	set_chain_unlink(s, index);
	set_table_drop(s, &s->by_id, index);
	e->id = id;
	e->seq = r->seq;
	e->received = received;
	e->len = (uint32_t)r->len & 0x7ff;
	set_table_add(s, &s->by_id, index);
	set_chain_link(s, index, trie);
	return ERR_OK;
}

enum err set_put(struct set *s, const struct record *r, uint64_t id, uint64_t home, wall_ms received,
		 enum set_order *ret_order)
{
	uint64_t partition;
	if (!partition_of(r->key.kind, home, &partition) || r->len > LIMIT_RECORD_BYTES)
		return ERR_ARG;
	if (home == SET_PARTITION_HIDDEN)
		partition = home;
	uint64_t key_hash = record_key_hash(s->set_key, &r->key);
	uint32_t at = set_index_key(s, key_hash, &r->key);
	enum set_order order = at == TRIE_NONE ? SET_NEW : order_to(set_item_at(s, at), r->seq, id);
	enum err err = ERR_OK;
	if (order == SET_NEW)
		err = insert(s, r, key_hash, id, partition, received);
	else if (order == SET_NEWER || order == SET_FORK_WINS)
		err = replace(s, at, r, id, partition, received);
	if (err == ERR_OK && ret_order != NULL)
		*ret_order = order;
	return err;
}

bool set_remove(struct set *s, const struct record_key *key)
{
	uint32_t at = set_index_key(s, record_key_hash(s->set_key, key), key);
	if (at == TRIE_NONE)
		return false;
	set_chain_unlink(s, at);
	set_table_drop(s, &s->by_key, at);
	set_table_drop(s, &s->by_id, at);
	uint32_t last = (uint32_t)(s->count - 1);
	if (last != at) { /* numbers stay without gaps */
		*set_chain_find(s, last) = at;
		set_table_rename(s, &s->by_key, last, at);
		set_table_rename(s, &s->by_id, last, at);
		*set_item_at(s, at) = *set_item_at(s, last);
	}
	s->count--;
	return true;
}

enum err set_arrange(struct set *s, set_place place, const void *context)
{
	for (size_t i = 0; i < s->count; i++) {
		struct set_item *e = set_item_at(s, i);
		struct record_key key = set_item_key(e);
		uint64_t partition = place(context, &key);
		if (s->tries[e->trie]->partition == partition)
			continue;
		size_t trie = 0;
		enum err err = reserve(s, partition, set_item_leaf(e), &trie);
		if (err != ERR_OK)
			return err;
		set_chain_unlink(s, (uint32_t)i);
		set_chain_link(s, (uint32_t)i, trie);
	}
	return ERR_OK;
}
