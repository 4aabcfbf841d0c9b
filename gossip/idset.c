#include "gossip/idset.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_FIRST 64

void idset_init(struct idset *s, size_t limit)
{
	*s = (struct idset){.limit = limit};
}

void idset_free(struct idset *s)
{
	free(s->slots);
	*s = (struct idset){0};
}

static size_t home(const struct idset *s, const struct id *id)
{
	return (size_t)id_short(id) & (s->cap - 1);
}

/* Slot of `id`, or the empty one where it belongs. */
static size_t probe(const struct idset *s, const struct id *id)
{
	size_t at = home(s, id);
	while (!id_is_zero(&s->slots[at]) && !id_equal(&s->slots[at], id))
		at = (at + 1) & (s->cap - 1);
	return at;
}

bool idset_has(const struct idset *s, const struct id *id)
{
	return s->cap > 0 && !id_is_zero(id) && id_equal(&s->slots[probe(s, id)], id);
}

static enum err grow(struct idset *s)
{
	struct idset wider = {.cap = s->cap == 0 ? SLOTS_AT_FIRST : s->cap * 2};
	wider.slots = calloc(wider.cap, sizeof *wider.slots);
	if (wider.slots == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->cap; i++)
		if (!id_is_zero(&s->slots[i]))
			wider.slots[probe(&wider, &s->slots[i])] = s->slots[i];
	free(s->slots);
	s->slots = wider.slots;
	s->cap = wider.cap;
	return ERR_OK;
}

enum err idset_add(struct idset *s, const struct id *id)
{
	if (id_is_zero(id))
		return ERR_ARG;
	if (idset_has(s, id))
		return ERR_OK;
	if (s->count == s->limit)
		return ERR_LIMIT;
	if ((s->count + 1) * 4 > s->cap * 3) {
		enum err err = grow(s);
		if (err != ERR_OK)
			return err;
	}
	s->slots[probe(s, id)] = *id;
	s->count++;
	return ERR_OK;
}

bool idset_remove(struct idset *s, const struct id *id)
{
	if (!idset_has(s, id))
		return false;
	size_t mask = s->cap - 1;
	size_t gap = probe(s, id);
	/* Close the gap, so that no later probe stops short. */
	for (size_t at = (gap + 1) & mask; !id_is_zero(&s->slots[at]); at = (at + 1) & mask) {
		if (((at - home(s, &s->slots[at])) & mask) < ((at - gap) & mask))
			continue;
		s->slots[gap] = s->slots[at];
		gap = at;
	}
	memset(&s->slots[gap], 0, sizeof s->slots[gap]);
	s->count--;
	return true;
}
