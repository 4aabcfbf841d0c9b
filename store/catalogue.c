/* Entries by manifest, hosts by entry. A manifest is a list of chunks, a chunk a list of entries, each by its
 * number, so that what many hosts share is looked at once. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

/* Numbers in a list of u32, little-endian. */
struct list {
	const uint8_t *bytes;
	size_t count;
};

static struct list list_of(struct column_row row, unsigned column)
{
	struct list l = {.count = 0};
	size_t len;
	l.bytes = row.block != NULL ? column_row_bytes(row, column, &len) : NULL;
	if (l.bytes != NULL)
		l.count = len / 4;
	return l;
}

static uint32_t list_at(struct list l, size_t index)
{
	return (uint32_t)column_le(l.bytes + 4 * index, 4);
}

static uint32_t end_of(struct query *q, enum column_group group, enum err *err)
{
	struct column_table *t;
	if (*err == ERR_OK)
		*err = columns_table(&q->columns, group, &t);
	return *err == ERR_OK ? column_table_end(t) : 0;
}

static void set_bit(uint8_t *bits, uint32_t number)
{
	bits[number / 8] |= (uint8_t)(1u << number % 8);
}

static uint8_t *new_bits(uint32_t end)
{
	return calloc((size_t)end / 8 + 1, 1);
}

void catalogue_free(struct catalogue *c)
{
	free(c->counts);
	free(c->slots);
	free(c->chosen.component);
	free(c->chosen.entry);
	free(c->chosen.entries);
	free(c->chosen.manifests);
	*c = (struct catalogue){0};
}

bool catalogue_manifest_of(struct column_row components, uint32_t *ret)
{
	uint64_t number = components.block != NULL ? column_row_u64(components, C_COMPONENTS_MANIFEST) : 0;
	*ret = (uint32_t)(number - 1);
	return number > 0;
}

static enum err add_entries(struct manifest_entries *m, struct list entries)
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
		m->entries[m->count++] = list_at(entries, i);
	return ERR_OK;
}

enum err catalogue_entries(struct query *q, uint32_t manifest, struct manifest_entries *ret)
{
	struct column_row row, chunk;
	if (ret->loaded && ret->manifest == manifest)
		return ERR_OK;
	ret->count = 0;
	ret->loaded = false;
	enum err err = columns_row(&q->columns, GROUP_MANIFEST, manifest, &row);
	if (err != ERR_OK)
		return err;
	ret->left_out = row.block != NULL && column_row_u64(row, C_MANIFEST_LEFT_OUT) != 0;
	struct list chunks = list_of(row, C_MANIFEST_CHUNKS);
	for (size_t i = 0; i < chunks.count && err == ERR_OK && ret->count <= LIMIT_COMPONENTS; i++) {
		err = columns_row(&q->columns, GROUP_CHUNK, list_at(chunks, i), &chunk);
		if (err == ERR_OK)
			err = add_entries(ret, list_of(chunk, C_CHUNK_ENTRIES));
		/* Where a chunk is not known, or not whole, the places of what follows are not known either.
		 */
		if (err == ERR_OK && (chunk.block == NULL || column_row_u64(chunk, C_CHUNK_COMPLETE) == 0))
			break;
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
	uint32_t end = end_of(q, GROUP_ENTRY, &err);
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

enum err catalogue_find(struct query *q, uint64_t entry, struct column_row *ret)
{
	struct catalogue *c = &q->catalogue;
	enum err err = index_entries(q);
	ret->block = NULL;
	if (err != ERR_OK)
		return err;
	for (size_t slot = slot_of(c, entry); c->slots[slot] != 0; slot = (slot + 1) & (c->slot_count - 1)) {
		err = columns_row(&q->columns, GROUP_ENTRY, c->slots[slot] - 1, ret);
		if (err != ERR_OK || (ret->block != NULL && column_row_u64(*ret, C_ENTRY_ID) == entry))
			return err;
	}
	ret->block = NULL;
	return ERR_OK;
}

/* --- entries that are asked for --- */

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

/* `entry` NULL: any. */
static bool is_chosen(struct column_row row, const char *component, const uint64_t *entry)
{
	const char *name = column_row_text(row, C_ENTRY_NAME);
	if (component != NULL && (name == NULL || strcmp(name, component) != 0))
		return false;
	return entry == NULL || column_row_u64(row, C_ENTRY_ID) == *entry;
}

static uint64_t entry_id(const char *hex, bool *ret_valid)
{
	uint8_t bytes[8];
	uint64_t id = 0;
	*ret_valid = text_unhex(bytes, sizeof(bytes), hex);
	for (size_t i = 0; i < sizeof(bytes) && *ret_valid; i++)
		id = id << 8 | bytes[i];
	return id;
}

/* Rows of `group` one of whose numbers in `column` is in `wanted`. */
static enum err choose_above(struct query *q, enum column_group group, unsigned column, const uint8_t *wanted,
			     uint32_t wanted_end, uint8_t **ret)
{
	enum err err = ERR_OK;
	uint32_t end = end_of(q, group, &err);
	uint8_t *bits = new_bits(end);
	if (bits == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < end && err == ERR_OK; n++) {
		struct column_row row;
		err = columns_row(&q->columns, group, n, &row);
		struct list list = err == ERR_OK ? list_of(row, column) : (struct list){.count = 0};
		for (size_t i = 0; i < list.count; i++) {
			uint32_t below = list_at(list, i);
			if (below < wanted_end && catalogue_has(wanted, below)) {
				set_bit(bits, n);
				break;
			}
		}
	}
	*ret = bits;
	return err;
}

static enum err choose(struct query *q, const char *component, const char *entry)
{
	struct catalogue *c = &q->catalogue;
	uint8_t *chunks = NULL;
	enum err err = ERR_OK;
	uint32_t end = end_of(q, GROUP_ENTRY, &err), chunk_end = end_of(q, GROUP_CHUNK, &err);
	c->chosen.entries = new_bits(end);
	if (c->chosen.entries == NULL)
		return ERR_NOMEM;
	bool valid = true;
	uint64_t id = entry != NULL ? entry_id(entry, &valid) : 0;
	for (uint32_t n = 0; n < end && err == ERR_OK && valid; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_ENTRY, n, &row);
		if (err == ERR_OK && row.block != NULL &&
		    is_chosen(row, component, entry != NULL ? &id : NULL))
			set_bit(c->chosen.entries, n);
	}
	if (err == ERR_OK)
		err = choose_above(q, GROUP_CHUNK, C_CHUNK_ENTRIES, c->chosen.entries, end, &chunks);
	if (err == ERR_OK)
		err = choose_above(q, GROUP_MANIFEST, C_MANIFEST_CHUNKS, chunks, chunk_end,
				   &c->chosen.manifests);
	free(chunks);
	return err;
}

enum err catalogue_choose(struct query *q, const char *component, const char *entry)
{
	struct catalogue *c = &q->catalogue;
	if (c->chosen.set && same(c->chosen.component, component) && same(c->chosen.entry, entry))
		return ERR_OK;
	free(c->chosen.component);
	free(c->chosen.entry);
	free(c->chosen.entries);
	free(c->chosen.manifests);
	memset(&c->chosen, 0, sizeof(c->chosen));
	if (component != NULL)
		c->chosen.component = strdup(component);
	if (entry != NULL)
		c->chosen.entry = strdup(entry);
	if ((component != NULL && c->chosen.component == NULL) || (entry != NULL && c->chosen.entry == NULL))
		return ERR_NOMEM;
	enum err err = choose(q, component, entry);
	c->chosen.set = err == ERR_OK;
	return err;
}
