/* Entries by manifest, hosts by entry. A manifest is a list of chunks, a chunk a list of entries, each by its
 * number, so that what many hosts share is looked at once. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

void catalogue_free(struct catalogue *c)
{
	free(c->counts);
	free(c->slots);
	free(c->chunks);
	free(c->chunk_entries);
	free(c->approvals);
	free(c->trends);
	free(c->only);
	*c = (struct catalogue){0};
}

bool catalogue_manifest_of(struct column_row components, uint32_t *ret)
{
	uint64_t number = components.block != NULL ? column_row_u64(components, C_COMPONENTS_MANIFEST) : 0;
	*ret = (uint32_t)(number - 1);
	return number > 0;
}

static enum err add_entries(struct manifest_entries *m, struct number_list entries)
{
	if (m->count + entries.count > m->cap) {
		size_t cap = 2 * m->cap + entries.count;
		uint32_t *grown = realloc(m->entries, cap * sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		m->entries = grown;
		m->cap = cap;
	}
	for (size_t i = 0; i < entries.count; i++)
		m->entries[m->count++] = number_list_at(entries, i);
	return ERR_OK;
}

enum err catalogue_begin(struct query *q)
{
	struct catalogue *c = &q->catalogue;
	enum err err = ERR_OK;
	uint32_t end = c->chunks == NULL ? columns_end(&q->columns, GROUP_CHUNK, &err) : c->chunk_end;
	if (err != ERR_OK || c->chunks != NULL)
		return err;
	c->chunk_entries = calloc((size_t)end + 1, sizeof(*c->chunk_entries));
	if (c->chunk_entries == NULL)
		return ERR_NOMEM;
	c->chunks = calloc((size_t)end + 1, sizeof(*c->chunks));
	if (c->chunks == NULL) {
		free(c->chunk_entries);
		c->chunk_entries = NULL;
		return ERR_NOMEM;
	}
	c->chunk_end = end;
	return ERR_OK;
}

enum err catalogue_look_up(struct query *q, uint32_t chunk)
{
	struct column_row row;
	enum err err = columns_row(&q->columns, GROUP_CHUNK, chunk, &row);
	if (err != ERR_OK)
		return err;
	struct number_list entries = number_list(row, C_CHUNK_ENTRIES);
	bool whole = row.block != NULL && column_row_u64(row, C_CHUNK_COMPLETE) != 0;
	q->catalogue.chunk_entries[chunk] = entries.bytes;
	q->catalogue.chunks[chunk] =
	    (uint16_t)(CHUNK_LOOKED_UP | (whole ? CHUNK_WHOLE : 0) | (entries.count & CHUNK_ENTRIES));
	return ERR_OK;
}

enum err catalogue_manifest(struct query *q, uint32_t manifest, struct number_list *ret_chunks,
			    bool *ret_left_out)
{
	struct column_row row;
	enum err err = catalogue_begin(q);
	if (err == ERR_OK)
		err = columns_row(&q->columns, GROUP_MANIFEST, manifest, &row);
	if (err != ERR_OK)
		return err;
	*ret_chunks = number_list(row, C_MANIFEST_CHUNKS);
	*ret_left_out = row.block != NULL && column_row_u64(row, C_MANIFEST_LEFT_OUT) != 0;
	return ERR_OK;
}

enum err catalogue_entries(struct query *q, uint32_t manifest, struct manifest_entries *ret)
{
	struct number_list chunks, entries;
	bool left_out;
	if (ret->loaded && ret->manifest == manifest)
		return ERR_OK;
	ret->count = 0;
	ret->loaded = false;
	enum err err = catalogue_manifest(q, manifest, &chunks, &left_out);
	if (err != ERR_OK)
		return err;
	for (struct chunk_walk w = {.chunks = chunks}; err == ERR_OK && chunk_walk_next(q, &w, &err);) {
		err = catalogue_chunk(q, w.chunk, &entries);
		if (err == ERR_OK)
			err = add_entries(ret, entries);
	}
	ret->manifest = manifest;
	ret->loaded = err == ERR_OK;
	return err;
}

/* --- by id --- */

static size_t slot_of(const struct catalogue *c, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (c->slot_count - 1);
}

static enum err index_entries(struct query *q)
{
	struct catalogue *c = &q->catalogue;
	enum err err = ERR_OK;
	uint32_t end = columns_end(&q->columns, GROUP_ENTRY, &err);
	if (err != ERR_OK || c->slots != NULL)
		return err;
	c->slot_count = 64;
	while (c->slot_count < 2 * (size_t)end)
		c->slot_count *= 2;
	c->slots = calloc(c->slot_count, sizeof(*c->slots));
	if (c->slots == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < end && err == ERR_OK; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_ENTRY, n, &row);
		if (err != ERR_OK || row.block == NULL)
			continue;
		size_t slot = slot_of(c, column_row_u64(row, C_ENTRY_ID));
		while (c->slots[slot] != 0)
			slot = (slot + 1) & (c->slot_count - 1);
		c->slots[slot] = n + 1;
	}
	return err;
}

static enum err find(struct query *q, uint64_t entry, uint32_t *ret_number, struct column_row *ret)
{
	struct catalogue *c = &q->catalogue;
	enum err err = index_entries(q);
	*ret_number = UINT32_MAX;
	ret->block = NULL;
	if (err != ERR_OK)
		return err;
	for (size_t slot = slot_of(c, entry); c->slots[slot] != 0; slot = (slot + 1) & (c->slot_count - 1)) {
		*ret_number = c->slots[slot] - 1;
		err = columns_row(&q->columns, GROUP_ENTRY, *ret_number, ret);
		if (err != ERR_OK || (ret->block != NULL && column_row_u64(*ret, C_ENTRY_ID) == entry))
			return err;
	}
	*ret_number = UINT32_MAX;
	ret->block = NULL;
	return ERR_OK;
}

enum err catalogue_find(struct query *q, uint64_t entry, struct column_row *ret)
{
	uint32_t number;
	return find(q, entry, &number, ret);
}

enum err catalogue_number(struct query *q, uint64_t entry, uint32_t *ret)
{
	struct column_row row;
	return find(q, entry, ret, &row);
}
