/* The entries that a question names, the manifests that have one, and where in them: looked up once a cursor,
 * however often it is asked anew, and once a manifest, however many hosts have it. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

#define FOUND_MAX (1u << 18) /* kept at once; beyond that looked up anew */

static void set_bit(uint8_t *bits, uint32_t number)
{
	bits[number / 8] |= (uint8_t)(1u << number % 8);
}

static uint8_t *new_bits(uint32_t end)
{
	return calloc((size_t)end / 8 + 1, 1);
}

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
	uint32_t end = columns_end(&q->columns, group, &err);
	uint8_t *bits = new_bits(end);
	if (bits == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < end && err == ERR_OK; n++) {
		struct column_row row;
		err = columns_row(&q->columns, group, n, &row);
		struct number_list list =
		    err == ERR_OK ? number_list(row, column) : (struct number_list){.count = 0};
		for (size_t i = 0; i < list.count; i++) {
			uint32_t below = number_list_at(list, i);
			if (below < wanted_end && catalogue_has(wanted, below)) {
				set_bit(bits, n);
				break;
			}
		}
	}
	*ret = bits;
	return err;
}

void choice_free(struct choice *c)
{
	free(c->component);
	free(c->entry);
	free(c->entries);
	free(c->chunks);
	free(c->manifests);
	free(c->starts);
	free(c->found);
	*c = (struct choice){.set = false};
}

static enum err choose(struct query *q, struct choice *c)
{
	enum err err = ERR_OK;
	c->chunk_end = columns_end(&q->columns, GROUP_CHUNK, &err);
	c->entry_end = columns_end(&q->columns, GROUP_ENTRY, &err);
	c->manifest_end = columns_end(&q->columns, GROUP_MANIFEST, &err);
	c->entries = new_bits(c->entry_end);
	c->starts = calloc((size_t)c->manifest_end + 1, sizeof(*c->starts));
	if (c->entries == NULL || c->starts == NULL)
		return ERR_NOMEM;
	bool valid = true;
	uint64_t id = c->entry != NULL ? entry_id(c->entry, &valid) : 0;
	for (uint32_t n = 0; n < c->entry_end && err == ERR_OK && valid; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_ENTRY, n, &row);
		if (err == ERR_OK && row.block != NULL &&
		    is_chosen(row, c->component, c->entry != NULL ? &id : NULL))
			set_bit(c->entries, n);
	}
	if (err == ERR_OK)
		err = choose_above(q, GROUP_CHUNK, C_CHUNK_ENTRIES, c->entries, c->entry_end, &c->chunks);
	if (err == ERR_OK)
		err = choose_above(q, GROUP_MANIFEST, C_MANIFEST_CHUNKS, c->chunks, c->chunk_end,
				   &c->manifests);
	return err;
}

enum err choice_make(struct query *q, const char *component, const char *entry, struct choice *c)
{
	if (c->set && same(c->component, component) && same(c->entry, entry))
		return ERR_OK;
	choice_free(c);
	if (component != NULL)
		c->component = strdup(component);
	if (entry != NULL)
		c->entry = strdup(entry);
	if ((component != NULL && c->component == NULL) || (entry != NULL && c->entry == NULL))
		return ERR_NOMEM;
	enum err err = choose(q, c);
	c->set = err == ERR_OK;
	return err;
}

bool choice_has_manifest(const struct choice *c, uint32_t manifest)
{
	return manifest < c->manifest_end && catalogue_has(c->manifests, manifest);
}

static enum err add_found(struct choice *c, struct chosen_entry found)
{
	if (c->found_count == c->found_cap) {
		size_t cap = c->found_cap == 0 ? 256 : 2 * c->found_cap;
		struct chosen_entry *more = realloc(c->found, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		c->found = more;
		c->found_cap = cap;
	}
	c->found[c->found_count++] = found;
	return ERR_OK;
}

/* Each manifest's end with one of number UINT32_MAX. */
static enum err find(struct query *q, struct choice *c, uint32_t manifest)
{
	struct manifest_chunks at;
	struct column_row row;
	uint32_t chunk, place = 0;
	enum err err = catalogue_chunks_begin(q, manifest, &at);
	if (err != ERR_OK)
		return err;
	if (c->found_count > FOUND_MAX) {
		c->found_count = 0;
		memset(c->starts, 0, ((size_t)c->manifest_end + 1) * sizeof(*c->starts));
	}
	size_t start = c->found_count;
	while (err == ERR_OK && catalogue_chunks_next(q, &at, &chunk, &row, &err)) {
		struct number_list entries = number_list(row, C_CHUNK_ENTRIES);
		bool any = chunk < c->chunk_end && catalogue_has(c->chunks, chunk);
		for (size_t i = 0; any && i < entries.count && err == ERR_OK; i++) {
			uint32_t n = number_list_at(entries, i);
			if (n < c->entry_end && catalogue_has(c->entries, n))
				err = add_found(c, (struct chosen_entry){place + (uint32_t)i, n});
		}
		place += (uint32_t)entries.count;
	}
	if (err == ERR_OK)
		err = add_found(c, (struct chosen_entry){0, UINT32_MAX});
	if (err == ERR_OK)
		c->starts[manifest] = (uint32_t)start + 1;
	else
		c->found_count = start;
	return err;
}

enum err choice_of(struct query *q, struct choice *c, uint32_t manifest, const struct chosen_entry **ret,
		   size_t *ret_count)
{
	enum err err = ERR_OK;
	size_t count = 0;
	*ret_count = 0;
	if (!choice_has_manifest(c, manifest))
		return ERR_OK;
	if (c->starts[manifest] == 0)
		err = find(q, c, manifest);
	if (err != ERR_OK)
		return err;
	const struct chosen_entry *first = &c->found[c->starts[manifest] - 1];
	while (first[count].entry != UINT32_MAX)
		count++;
	*ret = first;
	*ret_count = count;
	return ERR_OK;
}
