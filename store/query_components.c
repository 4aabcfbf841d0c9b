/* Who has which component: hosts are counted by manifest, those by chunk, then the chunks' entries once each.
 * What is loaded differs from host to host: those bits are added up by manifest, and only when they are asked
 * for. */
#include <stdlib.h>
#include <string.h>

#include "store/query_private.h"

/* Hosts of one manifest or chunk. */
struct tally {
	uint32_t up, dark, other;
	bool named; /* also by one that does not count */
};

struct counting {
	struct query *q;
	struct column_table *components;
	struct tally *tallies; /* by manifest */
	uint32_t manifest_end, entry_end;
	struct manifest_entries entries;
};

static bool counts(const struct roster_host *host)
{
	return host->status != HOST_LEFT && host->status != HOST_REPLACED && !roster_revoked(host);
}

static enum err manifest_of(const struct counting *c, const struct roster_host *host,
			    struct column_row *ret_row, uint32_t *ret, bool *ret_there)
{
	enum err err = column_table_row(c->components, host->number, ret_row);
	if (err == ERR_OK)
		*ret_there = catalogue_manifest_of(*ret_row, ret) && *ret < c->manifest_end;
	return err;
}

static enum err count_hosts(struct counting *c)
{
	enum err err = roster_load(c->q);
	for (uint32_t n = 0; n < c->q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&c->q->roster, n);
		struct column_row row;
		uint32_t manifest;
		bool there;
		if (host == NULL)
			continue;
		err = manifest_of(c, host, &row, &manifest, &there);
		if (err != ERR_OK || !there)
			continue;
		struct tally *t = &c->tallies[manifest];
		t->named = true;
		if (!counts(host))
			continue;
		t->up += host->status == HOST_UP;
		t->dark += host->status == HOST_DARK;
		t->other += host->status != HOST_UP && host->status != HOST_DARK;
	}
	return err;
}

static void add_tally(struct tally *to, const struct tally *t)
{
	to->up += t->up;
	to->dark += t->dark;
	to->other += t->other;
	to->named = to->named || t->named;
}

/* From the manifests to their chunks. */
static enum err count_chunks(struct counting *c, struct tally *chunks, uint32_t chunk_end)
{
	enum err err = ERR_OK;
	c->q->left_out = 0;
	for (uint32_t m = 0; m < c->manifest_end && err == ERR_OK; m++) {
		const struct tally *t = &c->tallies[m];
		struct manifest_chunks at;
		uint32_t chunk;
		struct column_row row;
		if (!t->named)
			continue;
		err = catalogue_chunks_begin(c->q, m, &at);
		if (err == ERR_OK && at.left_out)
			c->q->left_out += (uint64_t)t->up + t->dark + t->other;
		while (err == ERR_OK && catalogue_chunks_next(c->q, &at, &chunk, &row, &err)) {
			if (chunk < chunk_end)
				add_tally(&chunks[chunk], t);
		}
	}
	return err;
}

/* From the chunks to their entries. */
static enum err count_entries(struct counting *c)
{
	struct entry_counts *all = c->q->catalogue.counts;
	enum err err = ERR_OK;
	uint32_t chunk_end = columns_end(&c->q->columns, GROUP_CHUNK, &err);
	struct tally *chunks = calloc((size_t)chunk_end + 1, sizeof(*chunks));
	if (chunks == NULL)
		return ERR_NOMEM;
	if (err == ERR_OK)
		err = count_chunks(c, chunks, chunk_end);
	for (uint32_t n = 0; n < chunk_end && err == ERR_OK; n++) {
		const struct tally *t = &chunks[n];
		struct column_row row;
		if (!t->named)
			continue;
		err = columns_row(&c->q->columns, GROUP_CHUNK, n, &row);
		struct number_list entries = number_list(row, C_CHUNK_ENTRIES);
		for (size_t i = 0; i < entries.count && err == ERR_OK; i++) {
			uint32_t number = number_list_at(entries, i);
			if (number >= c->entry_end)
				continue;
			struct entry_counts *e = &all[number];
			e->named = true;
			e->hosts += t->up + t->dark + t->other;
			e->up += t->up;
			e->dark += t->dark;
			e->other += t->other;
		}
	}
	free(chunks);
	return err;
}

/* --- loaded --- */

/* A host, to be sorted by what it has: equal bits of one manifest often stand in one place of one block. */
struct bits {
	uint32_t manifest;
	uint32_t hosts; /* that have the same bits in the same place */
	const uint8_t *bytes;
	size_t len;
};

static int compare_bits(const void *a, const void *b)
{
	const struct bits *x = a, *y = b;
	if (x->manifest != y->manifest)
		return x->manifest < y->manifest ? -1 : 1;
	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static void add_bits(const struct bits *b, uint32_t *places, size_t count)
{
	for (size_t i = 0; i < b->len; i++) {
		for (unsigned left = b->bytes[i]; left != 0;) {
			unsigned bit = 7u - ((unsigned)__builtin_clz(left) - 24u);
			size_t place = 8 * i + (7u - bit);
			left &= ~(1u << bit);
			if (place < count)
				places[place] += b->hosts;
		}
	}
}

/* Of one manifest: `first` to `last`. */
static enum err count_loaded_of(struct counting *c, const struct bits *first, const struct bits *last,
				uint32_t places[LIMIT_COMPONENTS])
{
	enum err err = catalogue_entries(c->q, first->manifest, &c->entries);
	size_t count = c->entries.count < LIMIT_COMPONENTS ? c->entries.count : LIMIT_COMPONENTS;
	if (err != ERR_OK)
		return err;
	memset(places, 0, count * sizeof(*places));
	for (const struct bits *b = first; b < last; b++)
		add_bits(b, places, count);
	for (size_t i = 0; i < count; i++) {
		if (c->entries.entries[i] < c->entry_end)
			c->q->catalogue.counts[c->entries.entries[i]].loaded += places[i];
	}
	return ERR_OK;
}

static enum err list_bits(struct counting *c, struct bits *list, size_t *ret_count)
{
	size_t count = 0;
	enum err err = roster_load(c->q);
	for (uint32_t n = 0; n < c->q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&c->q->roster, n);
		struct column_row row;
		struct bits b = {.hosts = 1};
		bool there;
		if (host == NULL || !counts(host))
			continue;
		err = manifest_of(c, host, &row, &b.manifest, &there);
		if (err != ERR_OK || !there)
			continue;
		b.bytes = column_row_bytes(row, C_COMPONENTS_LOADED, &b.len);
		if (b.bytes == NULL)
			continue;
		struct bits *last = count > 0 ? &list[count - 1] : NULL;
		if (last != NULL && last->manifest == b.manifest && last->bytes == b.bytes)
			last->hosts++;
		else
			list[count++] = b;
	}
	*ret_count = count;
	return err;
}

static enum err count_loaded(struct counting *c)
{
	size_t count = 0;
	struct bits *list = malloc(((size_t)c->q->roster.end + 1) * sizeof(*list));
	uint32_t *places = malloc(LIMIT_COMPONENTS * sizeof(*places));
	enum err err = list != NULL && places != NULL ? list_bits(c, list, &count) : ERR_NOMEM;
	if (err == ERR_OK && count > 0)
		qsort(list, count, sizeof(*list), compare_bits);
	for (size_t i = 0, end; i < count && err == ERR_OK; i = end) {
		for (end = i; end < count && list[end].manifest == list[i].manifest; end++)
			continue;
		err = count_loaded_of(c, &list[i], &list[end], places);
	}
	free(places);
	free(list);
	return err;
}

static enum err begin(struct counting *c)
{
	struct column_table *manifests, *entries;
	enum err err = columns_table(&c->q->columns, GROUP_COMPONENTS, &c->components);
	if (err == ERR_OK)
		err = columns_table(&c->q->columns, GROUP_MANIFEST, &manifests);
	if (err == ERR_OK)
		err = columns_table(&c->q->columns, GROUP_ENTRY, &entries);
	if (err != ERR_OK)
		return err;
	c->manifest_end = column_table_end(manifests);
	c->entry_end = column_table_end(entries);
	c->tallies = calloc((size_t)c->manifest_end + 1, sizeof(*c->tallies));
	if (c->q->catalogue.counts == NULL)
		c->q->catalogue.counts = calloc((size_t)c->entry_end + 1, sizeof(struct entry_counts));
	return c->tallies != NULL && c->q->catalogue.counts != NULL ? ERR_OK : ERR_NOMEM;
}

enum err catalogue_count(struct query *q, bool loaded)
{
	struct catalogue *catalogue = &q->catalogue;
	struct counting c = {.q = q};
	if (catalogue->counted && (catalogue->loaded_counted || !loaded))
		return ERR_OK;
	enum err err = begin(&c);
	if (err == ERR_OK && !catalogue->counted) {
		err = count_hosts(&c);
		if (err == ERR_OK)
			err = count_entries(&c);
		catalogue->counted = err == ERR_OK;
	}
	if (err == ERR_OK && loaded && !catalogue->loaded_counted) {
		err = count_loaded(&c);
		catalogue->loaded_counted = err == ERR_OK;
	}
	free(c.tallies);
	free(c.entries.entries);
	return err;
}
