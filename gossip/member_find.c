/* Finding a host by its id: open addressing over pointers, at most half full. */
#include <stdlib.h>
#include <string.h>

#include "gossip/core.h"
#include "gossip/member_find.h"

#define SLOTS_AT_FIRST 64

static size_t slot_of(const struct members *all, const struct id *id)
{
	uint64_t short_id;

	memcpy(&short_id, id->b, sizeof(short_id));
	size_t at = (size_t)(short_id * all->salt >> 32) & (all->slot_cap - 1);

	while (all->slots[at] && !id_equal(&all->slots[at]->id, id))
		at = (at + 1) & (all->slot_cap - 1);
	return at;
}

struct member *member_find(const struct gossip *g, const struct id *id)
{
	const struct members *all = &g->members;

	return all->slot_cap ? all->slots[slot_of(all, id)] : NULL;
}

enum err member_slot_reserve(struct gossip *g)
{
	struct members *all = &g->members, wider = *all;

	if ((all->count + 1) * 2 <= all->slot_cap)
		return ERR_OK;
	/* Who makes keys until their ids collide cannot know it. */
	wider.salt = (g->instance ^ (uint64_t)(uintptr_t)g) | 1;
	wider.slot_cap = all->slot_cap ? all->slot_cap * 2 : SLOTS_AT_FIRST;
	wider.slots = calloc(wider.slot_cap, sizeof(struct member *));
	if (!wider.slots)
		return ERR_NOMEM;
	for (size_t i = 0; i < all->count; i++)
		wider.slots[slot_of(&wider, &all->hosts[i]->id)] = all->hosts[i];
	free(all->slots);
	*all = wider;
	return ERR_OK;
}

void member_slot_put(struct gossip *g, struct member *m)
{
	g->members.slots[slot_of(&g->members, &m->id)] = m;
}

static int by_id(const void *a, const void *b)
{
	return id_compare(&(*(struct member *const *)a)->id, &(*(struct member *const *)b)->id);
}

void member_sort_all(struct gossip *g)
{
	if (g->members.count > 1)
		qsort(g->members.hosts, g->members.count, sizeof(struct member *), by_id);
}
