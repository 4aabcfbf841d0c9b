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

static bool same(struct choice_texts a, struct choice_texts b)
{
	if (a.bytes == NULL || b.bytes == NULL)
		return a.bytes == b.bytes;
	return a.len == b.len && memcmp(a.bytes, b.bytes, a.len) == 0;
}

/* What the texts say, ascending. */
struct wanted {
	const char **names; /* NULL: any */
	uint64_t *ids;      /* NULL: any */
	size_t name_count, id_count;
};

static int by_id(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

static int by_name(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	return strcmp(*x, *y);
}

static size_t count_texts(struct choice_texts t)
{
	size_t count = 0;
	for (size_t at = 0; at < t.len; at += strlen(t.bytes + at) + 1)
		count++;
	return count;
}

/* What is no id is no entry's. */
static void want_id(struct wanted *w, const char *hex)
{
	uint8_t bytes[sizeof(uint64_t)];
	uint64_t id = 0;
	if (!text_unhex(bytes, sizeof(bytes), hex))
		return;
	for (size_t i = 0; i < sizeof(bytes); i++)
		id = id << 8 | bytes[i];
	w->ids[w->id_count++] = id;
}

static enum err read_wanted(const struct choice *c, struct wanted *ret)
{
	*ret = (struct wanted){.names = NULL};
	if (c->component.bytes != NULL)
		ret->names = calloc(count_texts(c->component) + 1, sizeof(*ret->names));
	if (c->entry.bytes != NULL)
		ret->ids = calloc(count_texts(c->entry) + 1, sizeof(*ret->ids));
	if ((c->component.bytes != NULL && ret->names == NULL) ||
	    (c->entry.bytes != NULL && ret->ids == NULL))
		return ERR_NOMEM;
	for (size_t at = 0; at < c->component.len; at += strlen(c->component.bytes + at) + 1)
		ret->names[ret->name_count++] = c->component.bytes + at;
	for (size_t at = 0; at < c->entry.len; at += strlen(c->entry.bytes + at) + 1)
		want_id(ret, c->entry.bytes + at);
	if (ret->name_count > 1)
		qsort(ret->names, ret->name_count, sizeof(*ret->names), by_name);
	if (ret->id_count > 1)
		qsort(ret->ids, ret->id_count, sizeof(*ret->ids), by_id);
	return ERR_OK;
}

static bool is_chosen(struct column_row row, const struct wanted *w)
{
	const char *name = column_row_text(row, C_ENTRY_NAME);
	uint64_t id = column_row_u64(row, C_ENTRY_ID);
	if (w->names != NULL &&
	    (name == NULL || bsearch(&name, w->names, w->name_count, sizeof(*w->names), by_name) == NULL))
		return false;
	return w->ids == NULL || bsearch(&id, w->ids, w->id_count, sizeof(id), by_id) != NULL;
}

static const struct chosen_entry no_more = {0, UINT32_MAX};

static enum err add(struct chosen_list *l, struct chosen_entry entry)
{
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 256 : 2 * l->cap;
		struct chosen_entry *more = realloc(l->list, cap * sizeof(*more));
		if (more == NULL)
			return ERR_NOMEM;
		l->list = more;
		l->cap = cap;
	}
	l->list[l->count++] = entry;
	return ERR_OK;
}

/* Of a chunk, beside the number of its entries. */
#define CHUNK_NOTED 0x8000u /* it has a chosen one, or is cut */
#define CHUNK_CUT   0x4000u /* not whole */

/* Which of them a chunk has, and where. */
static enum err choose_in_chunk(struct choice *c, uint32_t chunk, struct number_list entries)
{
	struct chosen_list *l = &c->in_chunks;
	size_t start = l->count;
	enum err err = ERR_OK;
	for (size_t i = 0; i < entries.count && err == ERR_OK; i++) {
		uint32_t entry = number_list_at(entries, i);
		if (entry < c->entry_end && catalogue_has(c->entries, entry))
			err = add(l, (struct chosen_entry){(uint32_t)i, entry});
	}
	if (err != ERR_OK || l->count == start)
		return err;
	c->weights[chunk] |= CHUNK_NOTED;
	c->chunks[chunk] = (uint32_t)start + 1;
	return add(l, no_more);
}

static enum err choose_chunks(struct query *q, struct choice *c)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < q->catalogue.chunk_end && err == ERR_OK; n++) {
		struct number_list entries = {.count = 0};
		err = catalogue_chunk(q, n, &entries);
		if (err != ERR_OK)
			break;
		bool whole = (q->catalogue.chunks[n] & CHUNK_WHOLE) != 0;
		c->weights[n] = (uint16_t)(entries.count | (whole ? 0 : CHUNK_NOTED | CHUNK_CUT));
		err = choose_in_chunk(c, n, entries);
	}
	c->weights[q->catalogue.chunk_end] = CHUNK_NOTED; /* stands for numbers that are no chunk's */
	return err;
}

void choice_free(struct choice *c)
{
	free(c->component.bytes);
	free(c->entry.bytes);
	free(c->entries);
	free(c->weights);
	free(c->chunks);
	free(c->in_chunks.list);
	free(c->of);
	free(c->found.list);
	*c = (struct choice){.set = false};
}

/* Sets the bits of those that are meant. */
static enum err choose_entries(struct query *q, struct choice *c, bool *ret_any)
{
	struct wanted wanted;
	enum err err = read_wanted(c, &wanted);
	for (uint32_t n = 0; n < c->entry_end && err == ERR_OK; n++) {
		struct column_row row;
		err = columns_row(&q->columns, GROUP_ENTRY, n, &row);
		if (err == ERR_OK && row.block != NULL && is_chosen(row, &wanted)) {
			set_bit(c->entries, n);
			*ret_any = true;
		}
	}
	free(wanted.names);
	free(wanted.ids);
	return err;
}

static enum err choose(struct query *q, struct choice *c)
{
	bool any = false;
	enum err err = ERR_OK;
	c->entry_end = columns_end(&q->columns, GROUP_ENTRY, &err);
	c->manifest_end = columns_end(&q->columns, GROUP_MANIFEST, &err);
	if (err == ERR_OK)
		err = catalogue_begin(q);
	if (err != ERR_OK)
		return err;
	c->entries = new_bits(c->entry_end);
	c->weights = calloc((size_t)q->catalogue.chunk_end + 1, sizeof(*c->weights));
	c->chunks = calloc((size_t)q->catalogue.chunk_end + 1, sizeof(*c->chunks));
	c->of = calloc((size_t)c->manifest_end + 1, sizeof(*c->of));
	if (c->entries == NULL || c->weights == NULL || c->chunks == NULL || c->of == NULL)
		return ERR_NOMEM;
	err = choose_entries(q, c, &any);
	/* Of none there is nothing to be looked for. */
	if (!any)
		c->manifest_end = 0;
	return err == ERR_OK && any ? choose_chunks(q, c) : err;
}

enum err choice_make(struct query *q, struct choice_texts component, struct choice_texts entry,
		     struct choice *c)
{
	if (c->set && same(c->component, component) && same(c->entry, entry)) {
		free(component.bytes);
		free(entry.bytes);
		return ERR_OK;
	}
	choice_free(c);
	c->component = component;
	c->entry = entry;
	enum err err = choose(q, c);
	c->set = err == ERR_OK;
	return err;
}

/* Those of the chunk at hand. */
static enum err add_chunk(struct choice *c, uint32_t chunk, uint32_t first)
{
	enum err err = ERR_OK;
	for (size_t at = c->chunks[chunk] - 1; err == ERR_OK; at++) {
		struct chosen_entry e = c->in_chunks.list[at];
		if (e.entry == no_more.entry)
			break;
		err = add(&c->found, (struct chosen_entry){first + e.place, e.entry});
	}
	return err;
}

#define STRIDE 8

/* Passes over chunks of which nothing is to be noted: nearly all of half a million, so several at a time. */
static size_t pass_over(const struct choice *c, struct number_list chunks, uint32_t end, size_t from,
			uint32_t *first)
{
	for (; from + STRIDE <= chunks.count; from += STRIDE) {
		unsigned any = 0, sum = 0;
		for (size_t i = 0; i < STRIDE; i++) {
			uint32_t chunk = number_list_at(chunks, from + i);
			unsigned weight = c->weights[chunk < end ? chunk : end];
			any |= weight;
			sum += weight;
		}
		if ((any & CHUNK_NOTED) != 0)
			break;
		*first += sum;
	}
	return from;
}

/* As chunk_walk does. */
static enum err walk(struct choice *c, struct number_list chunks, uint32_t end)
{
	uint32_t first = 0;
	enum err err = ERR_OK;
	for (size_t i = 0, looked = 0; i < chunks.count && err == ERR_OK; i++) {
		if (i == looked) {
			i = pass_over(c, chunks, end, i, &first);
			looked = i + STRIDE;
			if (i == chunks.count)
				break;
		}
		uint32_t chunk = number_list_at(chunks, i);
		if (chunk >= end)
			break;
		unsigned weight = c->weights[chunk];
		if ((weight & CHUNK_NOTED) != 0) {
			if (first > LIMIT_COMPONENTS)
				break;
			if (c->chunks[chunk] != 0)
				err = add_chunk(c, chunk, first);
			if ((weight & CHUNK_CUT) != 0)
				break;
		}
		first += weight & CHUNK_ENTRIES;
	}
	return err;
}

static enum err find(struct query *q, struct choice *c, uint32_t manifest)
{
	struct number_list chunks = {.count = 0};
	bool left_out;
	enum err err = catalogue_manifest(q, manifest, &chunks, &left_out);
	if (err == ERR_OK && c->found.count > FOUND_MAX) {
		c->found.count = 0;
		memset(c->of, 0, ((size_t)c->manifest_end + 1) * sizeof(*c->of));
	}
	if (err != ERR_OK)
		return err;
	size_t start = c->found.count;
	err = walk(c, chunks, q->catalogue.chunk_end);
	if (err == ERR_OK)
		c->of[manifest] = (struct chosen_of){(uint32_t)start, (uint32_t)(c->found.count - start) + 1};
	else
		c->found.count = start;
	return err;
}

enum err choice_all(struct query *q, struct choice *c)
{
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < c->manifest_end && c->found.count <= FOUND_MAX && err == ERR_OK; n++) {
		if (c->of[n].known == 0)
			err = find(q, c, n);
	}
	return err;
}

enum err choice_of(struct query *q, struct choice *c, uint32_t manifest, const struct chosen_entry **ret,
		   size_t *ret_count)
{
	enum err err = ERR_OK;
	*ret_count = 0;
	if (manifest >= c->manifest_end)
		return ERR_OK;
	if (c->of[manifest].known == 0)
		err = find(q, c, manifest);
	if (err != ERR_OK || c->of[manifest].known == 1)
		return err;
	*ret = &c->found.list[c->of[manifest].first];
	*ret_count = c->of[manifest].known - 1;
	return ERR_OK;
}
