/* Memory of the simulator: running out ends the run, as nothing could be learned from it. */
#ifndef MESH_TESTS_SIM_MEMORY_H
#define MESH_TESTS_SIM_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

void *sim_alloc(size_t count, size_t size); /* zeroed */
void *sim_copy(const void *bytes, size_t len);
/* Makes room for one more than `count`; the new room is zeroed. */
void *sim_grow(void *array, size_t count, size_t *capacity, size_t size);

/* Map from 64-bit hashes to indices, which are never removed. */
struct sim_map {
	struct {
		uint64_t key;
		uint32_t value; /* index + 1, 0: free */
	} * slots;
	size_t count, capacity;
};
#define SIM_MAP_NONE UINT32_MAX
void sim_map_free(struct sim_map *m);
uint32_t sim_map_get(const struct sim_map *m, uint64_t key);
void sim_map_put(struct sim_map *m, uint64_t key, uint32_t value);

#endif
