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

/* Chunks that have one of the entries. */
static enum err choose_chunks(struct query *q, struct choice *c)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < q->catalogue.chunk_end && err == ERR_OK; n++) {
		struct number_list list = {.count = 0};
		err = catalogue_chunk(q, n, &list);
		for (size_t i = 0; i < list.count && err == ERR_OK; i++) {
			uint32_t entry = number_list_at(list, i);
			if (entry < c->entry_end && catalogue_has(c->entries, entry)) {
				set_bit(c->chunks, n);
				break;
			}
		}
	}
	return err;
}

void choice_free(struct choice *c)
{
	free(c->component);
	free(c->entry);
	free(c->entries);
	free(c->chunks);
	free(c->starts);
	free(c->found);
	*c = (struct choice){.set = false};
}

static enum err choose(struct query *q, struct choice *c)
{
	enum err err = ERR_OK;
	c->entry_end = columns_end(&q->columns, GROUP_ENTRY, &err);
	c->manifest_end = columns_end(&q->columns, GROUP_MANIFEST, &err);
	if (err == ERR_OK)
		err = catalogue_begin(q);
	if (err != ERR_OK)
		return err;
	c->entries = new_bits(c->entry_end);
	c->chunks = new_bits(q->catalogue.chunk_end);
	c->starts = calloc((size_t)c->manifest_end + 1, sizeof(*c->starts));
	if (c->entries == NULL || c->chunks == NULL || c->starts == NULL)
		return ERR_NOMEM;
	bool valid = true, any = false;
	uint64_t id = c->entry != NULL ? entry_id(c->entry, &valid) : 0;
	for (uint32_t n = 0; n < c->entry_end && err == ERR_OK && valid; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_ENTRY, n, &row);
		if (err == ERR_OK && row.block != NULL &&
		    is_chosen(row, c->component, c->entry != NULL ? &id : NULL)) {
			set_bit(c->entries, n);
			any = true;
		}
	}
	/* Of none there is nothing to be looked for. */
	if (!any)
		c->manifest_end = 0;
	return err == ERR_OK && any ? choose_chunks(q, c) : err;
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

static enum err add_chunk(struct query *q, struct choice *c, uint32_t chunk, uint32_t place)
{
	struct number_list entries;
	enum err err = catalogue_chunk(q, chunk, &entries);
	for (size_t i = 0; err == ERR_OK && i < entries.count; i++) {
		uint32_t n = number_list_at(entries, i);
		if (n < c->entry_end && catalogue_has(c->entries, n))
			err = add_found(c, (struct chosen_entry){place + (uint32_t)i, n});
	}
	return err;
}

/* Each manifest's end with one of number UINT32_MAX; those that have none share the first of these. */
static enum err find(struct query *q, struct choice *c, uint32_t manifest)
{
	const struct chosen_entry none = {0, UINT32_MAX};
	const struct manifest_spans *s;
	enum err err = catalogue_spans(q, manifest, &s);
	if (err == ERR_OK && c->found_count > FOUND_MAX) {
		c->found_count = 0;
		memset(c->starts, 0, ((size_t)c->manifest_end + 1) * sizeof(*c->starts));
	}
	if (err == ERR_OK && c->found_count == 0)
		err = add_found(c, none);
	if (err != ERR_OK)
		return err;
	size_t start = c->found_count;
	for (size_t i = 0; i < s->count && err == ERR_OK; i++) {
		const struct chunk_span *span = &s->spans[i];
		if (catalogue_has(c->chunks, span->chunk))
			err = add_chunk(q, c, span->chunk, span->first);
	}
	bool any = c->found_count > start;
	if (err == ERR_OK && any)
		err = add_found(c, none);
	if (err == ERR_OK)
		c->starts[manifest] = any ? (uint32_t)start + 1 : 1;
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
	if (manifest >= c->manifest_end)
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
