#include "store/numbers.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"

void numbers_clear(struct numbers *n)
{
	free(n->ids);
	free(n->slots);
	*n = (struct numbers){.count = 0};
}

/* Ids are hashes, but hosts choose theirs: a keyless shift of them could be made to collide. */
static uint32_t slot_of(const struct numbers *n, const struct id *id)
{
	uint32_t slot = (uint32_t)hash_checksum(id->b, ID_BYTES) & (n->slot_count - 1);
	while (n->slots[slot] != 0 && !id_equal(&n->ids[n->slots[slot] - 1], id))
		slot = (slot + 1) & (n->slot_count - 1);
	return slot;
}

static enum err grow_slots(struct numbers *n)
{
	uint32_t count = n->slot_count == 0 ? 64 : n->slot_count * 2;
	uint32_t *slots = calloc(count, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	free(n->slots);
	n->slots = slots;
	n->slot_count = count;
	for (uint32_t i = 0; i < n->end; i++) {
		if (!id_is_zero(&n->ids[i]))
			slots[slot_of(n, &n->ids[i])] = i + 1;
	}
	return ERR_OK;
}

static enum err grow_ids(struct numbers *n, uint32_t number)
{
	uint32_t cap = n->cap == 0 ? 64 : n->cap;
	while (cap <= number)
		cap *= 2;
	struct id *ids = realloc(n->ids, (size_t)cap * sizeof(*ids));
	if (ids == NULL)
		return ERR_NOMEM;
	memset(ids + n->cap, 0, (size_t)(cap - n->cap) * sizeof(*ids));
	n->ids = ids;
	n->cap = cap;
	return ERR_OK;
}

bool numbers_find(const struct numbers *n, const struct id *id, uint32_t *ret)
{
	if (n->slot_count == 0)
		return false;
	uint32_t slot = slot_of(n, id);
	if (n->slots[slot] == 0)
		return false;
	*ret = n->slots[slot] - 1;
	return true;
}

const struct id *numbers_id(const struct numbers *n, uint32_t number)
{
	return number < n->end && !id_is_zero(&n->ids[number]) ? &n->ids[number] : NULL;
}

uint32_t numbers_free(const struct numbers *n)
{
	uint32_t number = n->lowest;
	while (numbers_id(n, number) != NULL)
		number++;
	return number;
}

enum err numbers_put(struct numbers *n, const struct id *id, uint32_t number)
{
	uint32_t other;
	if (id_is_zero(id) || number > UINT32_MAX / 4)
		return ERR_ARG;
	if (numbers_find(n, id, &other))
		return other == number ? ERR_OK : ERR_EXISTS;
	if (numbers_id(n, number) != NULL)
		return ERR_EXISTS;
	if (number >= n->cap && grow_ids(n, number) != ERR_OK)
		return ERR_NOMEM;
	if (n->count * 2 >= n->slot_count && grow_slots(n) != ERR_OK)
		return ERR_NOMEM;
	n->ids[number] = *id;
	n->slots[slot_of(n, id)] = number + 1;
	n->count++;
	if (number >= n->end)
		n->end = number + 1;
	if (number == n->lowest)
		n->lowest = number + 1;
	return ERR_OK;
}

void numbers_drop(struct numbers *n, uint32_t number)
{
	if (numbers_id(n, number) == NULL)
		return;
	uint32_t hole = slot_of(n, &n->ids[number]);
	n->ids[number] = (struct id){{0}};
	n->slots[hole] = 0;
	n->count--;
	if (number < n->lowest)
		n->lowest = number;
	/* What probing carried past the hole is put again. */
	for (uint32_t at = (hole + 1) & (n->slot_count - 1); n->slots[at] != 0;
	     at = (at + 1) & (n->slot_count - 1)) {
		uint32_t moved = n->slots[at];
		n->slots[at] = 0;
		n->slots[slot_of(n, &n->ids[moved - 1])] = moved;
	}
}

struct id numbers_short(uint64_t id)
{
	struct id ret = {{0}};
	for (unsigned i = 0; i < 8; i++)
		ret.b[i] = (uint8_t)(id >> (56 - 8 * i));
	ret.b[ID_BYTES - 1] = 1; /* an entry whose id is zero has a number all the same */
	return ret;
}
