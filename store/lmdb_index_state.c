/* Of the component index, what the committing thread knows by heart. */
#include <stdlib.h>

#include "store/lmdb_backend.h"

void lmdb_index_clear(struct index_state *index)
{
	numbers_clear(&index->entries);
	numbers_clear(&index->chunks);
	numbers_clear(&index->manifests);
	free(index->facts);
	free(index->waiting);
	*index = (struct index_state){.fact_cap = 0};
}

enum err lmdb_index_fact(struct index_state *index, uint32_t chunk, struct index_chunk fact)
{
	if (chunk >= index->fact_cap) {
		uint32_t cap = index->fact_cap == 0 ? 256 : index->fact_cap;
		while (cap <= chunk)
			cap *= 2;
		struct index_chunk *more = realloc(index->facts, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		index->facts = more;
		index->fact_cap = cap;
	}
	index->facts[chunk] = fact;
	return ERR_OK;
}

enum err lmdb_index_wait(struct index_state *index, uint32_t manifest, const struct id *blob)
{
	if (index->waiting_count == index->waiting_cap) {
		size_t cap = index->waiting_cap == 0 ? 64 : index->waiting_cap * 2;
		struct index_waiting *more = realloc(index->waiting, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		index->waiting = more;
		index->waiting_cap = cap;
	}
	index->waiting[index->waiting_count++] = (struct index_waiting){manifest, *blob};
	return ERR_OK;
}
