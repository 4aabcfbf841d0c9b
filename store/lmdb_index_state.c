/* Of the component index, what the committing thread knows by heart. */
#include <stdlib.h>
#include <string.h>

#include "store/lmdb_backend.h"

void lmdb_index_clear(struct index_state *index)
{
	numbers_clear(&index->entries);
	numbers_clear(&index->chunks);
	numbers_clear(&index->manifests);
	free(index->facts);
	free(index->waiting);
	free(index->left_out);
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

/* Of a manifest that is left out. */
enum { NOT_LEFT_OUT, LEFT_OUT, READ_AGAIN };

static enum err leave_out(struct index_state *index, uint32_t manifest)
{
	if (manifest >= index->left_out_cap) {
		uint32_t cap = index->left_out_cap == 0 ? 256 : index->left_out_cap;
		while (cap <= manifest)
			cap *= 2;
		uint8_t *more = realloc(index->left_out, cap);
		if (more == NULL)
			return ERR_NOMEM;
		memset(more + index->left_out_cap, NOT_LEFT_OUT, cap - index->left_out_cap);
		index->left_out = more;
		index->left_out_cap = cap;
	}
	index->left_out_count += index->left_out[manifest] == NOT_LEFT_OUT;
	index->left_out[manifest] = LEFT_OUT;
	return ERR_OK;
}

static uint8_t left_out(const struct index_state *index, uint32_t manifest)
{
	return manifest < index->left_out_cap ? index->left_out[manifest] : NOT_LEFT_OUT;
}

void lmdb_index_entered(struct index_state *index, uint32_t manifest)
{
	if (left_out(index, manifest) == NOT_LEFT_OUT)
		return;
	index->left_out[manifest] = NOT_LEFT_OUT;
	index->left_out_count--;
}

bool lmdb_index_read_again(struct index_state *index, uint32_t manifest)
{
	if (left_out(index, manifest) != LEFT_OUT)
		return false;
	index->left_out[manifest] = READ_AGAIN;
	return true;
}

bool lmdb_index_wakes(struct index_state *index, const struct index_waiting *w, bool come, bool *ret_keep)
{
	uint8_t was = left_out(index, w->manifest);
	if (!id_is_zero(&w->blob)) {
		*ret_keep = !come;
		return come;
	}
	*ret_keep = was == READ_AGAIN || (was == LEFT_OUT && !index->retry);
	if (was != LEFT_OUT || !index->retry)
		return false;
	lmdb_index_entered(index, w->manifest);
	return true;
}

enum err lmdb_index_wait(struct index_state *index, uint32_t manifest, const struct id *blob)
{
	/* Its place on the list was kept. */
	if (id_is_zero(blob) && left_out(index, manifest) != NOT_LEFT_OUT)
		return leave_out(index, manifest);
	if (index->waiting_count == index->waiting_cap) {
		size_t cap = index->waiting_cap == 0 ? 64 : index->waiting_cap * 2;
		struct index_waiting *more = realloc(index->waiting, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		index->waiting = more;
		index->waiting_cap = cap;
	}
	enum err err = ERR_OK;
	if (id_is_zero(blob))
		err = leave_out(index, manifest);
	else
		lmdb_index_entered(index, manifest);
	if (err == ERR_OK)
		index->waiting[index->waiting_count++] = (struct index_waiting){manifest, *blob};
	return err;
}

enum err lmdb_index_drop(struct commit *c)
{
	lmdb_index_news_free(c);
	lmdb_index_clear(&c->l->index);
	c->l->index.forgotten = true;
	c->work.rebuilt++;
	enum err err = lmdb_blocks_drop(c, GROUP_ENTRY);
	if (err == ERR_OK)
		err = lmdb_blocks_drop(c, GROUP_CHUNK);
	if (err == ERR_OK)
		err = lmdb_blocks_drop(c, GROUP_MANIFEST);
	for (unsigned g = GROUP_ENTRY; g <= GROUP_MANIFEST; g++)
		c->meta.ends[g] = 0;
	return err;
}
