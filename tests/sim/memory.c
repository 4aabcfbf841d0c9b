#include "memory.h"

#include <stdlib.h>
#include <string.h>

void *sim_alloc(size_t count, size_t size)
{
	void *p = calloc(count > 0 ? count : 1, size);
	CHECK(p != NULL);
	return p;
}

void *sim_copy(const void *bytes, size_t len)
{
	void *p = sim_alloc(len, 1);
	if (len > 0)
		memcpy(p, bytes, len);
	return p;
}

void *sim_grow(void *array, size_t count, size_t *capacity, size_t size)
{
	if (count < *capacity)
		return array;
	size_t wanted = *capacity > 0 ? *capacity * 2 : 16;
	uint8_t *p = realloc(array, wanted * size);
	CHECK(p != NULL);
	memset(p + *capacity * size, 0, (wanted - *capacity) * size);
	*capacity = wanted;
	return p;
}

void sim_map_free(struct sim_map *m)
{
	free(m->slots);
	*m = (struct sim_map){.count = 0};
}

static size_t slot_of(const struct sim_map *m, uint64_t key)
{
	size_t i = (size_t)(key * 0x9e3779b97f4a7c15u >> 32) & (m->capacity - 1);
	while (m->slots[i].value != 0 && m->slots[i].key != key)
		i = (i + 1) & (m->capacity - 1);
	return i;
}

uint32_t sim_map_get(const struct sim_map *m, uint64_t key)
{
	if (m->capacity == 0)
		return SIM_MAP_NONE;
	size_t i = slot_of(m, key);
	return m->slots[i].value == 0 ? SIM_MAP_NONE : m->slots[i].value - 1;
}

void sim_map_put(struct sim_map *m, uint64_t key, uint32_t value)
{
	if (m->count * 2 >= m->capacity) {
		struct sim_map old = *m;
		m->capacity = old.capacity > 0 ? old.capacity * 2 : 64;
		m->slots = sim_alloc(m->capacity, sizeof(*m->slots));
		for (size_t i = 0; i < old.capacity; i++)
			if (old.slots[i].value != 0)
				m->slots[slot_of(m, old.slots[i].key)] = old.slots[i];
		free(old.slots);
	}
	size_t i = slot_of(m, key);
	m->count += m->slots[i].value == 0;
	m->slots[i].key = key;
	m->slots[i].value = value + 1;
}
