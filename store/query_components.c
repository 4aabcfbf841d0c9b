/* Who has which component. Hosts are counted by manifest, those by chunk, then the chunks' entries once each:
 * what many hosts share is looked at once.
 *
 * What is loaded differs from host to host, but little among those of one manifest, and of most hosts it is
 * nearly everything, or nearly nothing: hosts are compared with the first one of their manifest, which counts
 * as having all of it loaded, or nothing, whichever is nearer; the differences are added up by the manifest's
 * places. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/query_private.h"

#define WORD_BITS 64u
#define WORDS     (LIMIT_COMPONENTS / WORD_BITS)
_Static_assert(LIMIT_COMPONENTS % WORD_BITS == 0, "places fill whole words");

/* Hosts of one manifest or chunk. */
struct tally {
	uint32_t up, dark, other;
	uint32_t named;   /* also by those that do not count */
	uint32_t all;     /* counted as having everything loaded */
	uint32_t members; /* of a manifest: number + 1 of the last host that has it; 0: none */
};

/* Of one manifest: by place, hosts on which it is loaded over those counted by `all`. */
struct places {
	int32_t over[LIMIT_COMPONENTS];
	uint64_t touched[WORDS]; /* bit set: where `over` may not be zero */
};

/* A chunk of the manifest at hand, and the places of its entries. */
struct span {
	uint32_t chunk, first, end;
};

struct counting {
	struct query *q;
	struct column_table *components;
	struct tally *tallies; /* by manifest */
	uint32_t *before;      /* by number of a host: the one of the same manifest before it, + 1 */
	struct places *places;
	struct span *spans;
	size_t span_count, span_cap;
	uint32_t manifest_end, entry_end;
};

static bool counts(const struct roster_host *host)
{
	return host->status != HOST_LEFT && host->status != HOST_REPLACED && !roster_revoked(host);
}

static void count_modules(struct query_modules *m, struct column_row components)
{
	switch (components.block != NULL ? column_row_u64(components, C_COMPONENTS_MODULE_SUPPORT)
					 : READING_UNKNOWN) {
	case READING_OK:
		m->supported++;
		break;
	case READING_UNSUPPORTED:
		m->unsupported++;
		break;
	case READING_DENIED:
		m->denied++;
		break;
	case READING_FAILED:
	case READING_ABSENT:
		m->failed++;
		break;
	default:
		m->unknown++;
	}
}

static void count_host(struct tally *t, uint8_t status)
{
	t->up += status == HOST_UP;
	t->dark += status == HOST_DARK;
	t->other += status != HOST_UP && status != HOST_DARK;
}

/* Hosts by manifest, and with `c->before` also which ones they are. */
static enum err count_hosts(struct counting *c)
{
	const uint8_t *only = c->q->catalogue.only;
	struct query_modules modules = {0};
	enum err err = roster_load(c->q);
	for (uint32_t n = 0; n < c->q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&c->q->roster, n);
		struct column_row row;
		uint32_t manifest;
		if (host == NULL || (only != NULL && !catalogue_has(only, n)))
			continue;
		err = column_table_row(c->components, n, &row);
		if (err != ERR_OK)
			continue;
		if (counts(host))
			count_modules(&modules, row);
		if (!catalogue_manifest_of(row, &manifest) || manifest >= c->manifest_end)
			continue;
		struct tally *t = &c->tallies[manifest];
		t->named++;
		if (!counts(host))
			continue;
		count_host(t, host->status);
		if (c->before != NULL) {
			c->before[n] = t->members;
			t->members = n + 1;
		}
	}
	c->q->catalogue.modules = modules;
	return err;
}

/* --- loaded --- */

/* Bits of places 64 * index and on, the first one highest. */
static uint64_t word_of(const uint8_t *bits, size_t len, size_t index)
{
	uint64_t word = 0;
	size_t there = len > 8 * index ? len - 8 * index : 0;
	if (there >= 8)
		return __builtin_bswap64(column_le(bits + 8 * index, 8));
	for (size_t i = 0; i < there; i++)
		word |= (uint64_t)bits[8 * index + i] << (56 - 8 * i);
	return word;
}

/* Places that there are, in that word of `count`. */
static uint64_t word_mask(size_t count, size_t index)
{
	size_t left = count - WORD_BITS * index;
	return left >= WORD_BITS ? UINT64_MAX : ~(UINT64_MAX >> left);
}

/* A host's loaded bits. */
struct bits {
	const uint8_t *bytes; /* NULL: it has none */
	size_t len;
};

static void add_places(struct places *p, size_t w, uint64_t left, int32_t hosts)
{
	p->touched[w] |= left;
	for (; left != 0; left &= left - 1)
		p->over[WORD_BITS * w + WORD_BITS - 1 - (size_t)__builtin_ctzll(left)] += hosts;
}

/* What a host has otherwise than the first one of its manifest. */
static void add_difference(struct places *p, struct bits first, struct bits b, size_t count)
{
	if (first.len == b.len && memcmp(first.bytes, b.bytes, b.len) == 0)
		return;
	for (size_t w = 0; WORD_BITS * w < count; w++) {
		uint64_t word = word_of(b.bytes, b.len, w), mask = word_mask(count, w);
		uint64_t other = (word ^ word_of(first.bytes, first.len, w)) & mask;
		add_places(p, w, other & word, 1);
		add_places(p, w, other & ~word, -1);
	}
}

/* What the first one has, as often as there are hosts. */
static void add_first(struct places *p, struct tally *t, struct bits b, uint32_t hosts, size_t count)
{
	size_t loaded = 0;
	for (size_t w = 0; WORD_BITS * w < count; w++)
		loaded += (size_t)__builtin_popcountll(word_of(b.bytes, b.len, w) & word_mask(count, w));
	bool most = loaded > count / 2;
	t->all += most ? hosts : 0;
	for (size_t w = 0; WORD_BITS * w < count; w++) {
		uint64_t word = word_of(b.bytes, b.len, w);
		add_places(p, w, (most ? ~word : word) & word_mask(count, w),
			   most ? -(int32_t)hosts : (int32_t)hosts);
	}
}

/* Takes what stands at the places of the manifest, and leaves zero there. */
static enum err take_places(struct counting *c, size_t words)
{
	struct places *p = c->places;
	const struct span *span = c->spans, *end = c->spans + c->span_count;
	for (size_t w = 0; w < words; w++) {
		for (uint64_t left = p->touched[w]; left != 0;
		     left &= ~(1ull << 63 >> __builtin_clzll(left))) {
			uint32_t place = (uint32_t)(WORD_BITS * w) + (uint32_t)__builtin_clzll(left);
			struct number_list entries;
			while (span < end && span->end <= place)
				span++;
			CHECK(span < end);
			enum err err = catalogue_chunk(c->q, span->chunk, &entries);
			if (err != ERR_OK)
				return err;
			uint32_t entry = number_list_at(entries, place - span->first);
			if (entry < c->entry_end)
				c->q->catalogue.counts[entry].loaded += (uint32_t)p->over[place];
			p->over[place] = 0;
		}
		p->touched[w] = 0;
	}
	return ERR_OK;
}

/* By the bits of the hosts of the manifest at hand, which has `count` places. */
static enum err count_loaded(struct counting *c, struct tally *t, size_t count)
{
	enum err err = ERR_OK;
	struct bits first = {NULL, 0}, b;
	uint32_t hosts = 0;
	for (uint32_t next = t->members; next != 0 && err == ERR_OK; next = c->before[next - 1]) {
		struct column_row row;
		err = column_table_row(c->components, next - 1, &row);
		b.bytes = err == ERR_OK && row.block != NULL
			      ? column_row_bytes(row, C_COMPONENTS_LOADED, &b.len)
			      : NULL;
		if (b.bytes == NULL)
			continue;
		if (first.bytes == NULL)
			first = b;
		add_difference(c->places, first, b, count);
		hosts++;
	}
	if (err != ERR_OK || hosts == 0)
		return err;
	add_first(c->places, t, first, hosts, count);
	return take_places(c, (count + WORD_BITS - 1) / WORD_BITS);
}

/* --- from manifests to entries --- */

static void add_tally(struct tally *to, const struct tally *t)
{
	to->up += t->up;
	to->dark += t->dark;
	to->other += t->other;
	to->named += t->named;
	to->all += t->all;
}

static enum err list_spans(struct counting *c, uint32_t manifest, bool *ret_left_out)
{
	struct number_list chunks;
	enum err err = catalogue_manifest(c->q, manifest, &chunks, ret_left_out);
	if (err == ERR_OK && chunks.count > c->span_cap) {
		free(c->spans);
		c->span_cap = 2 * chunks.count;
		c->spans = malloc(c->span_cap * sizeof(*c->spans));
		err = c->spans != NULL ? ERR_OK : ERR_NOMEM;
	}
	c->span_count = 0;
	if (err != ERR_OK)
		return err;
	for (struct chunk_walk w = {.chunks = chunks}; chunk_walk_next(c->q, &w, &err);)
		c->spans[c->span_count++] = (struct span){w.chunk, w.first, w.end};
	return err;
}

static enum err count_chunks(struct counting *c, struct tally *chunks)
{
	enum err err = ERR_OK;
	c->q->left_out = 0;
	for (uint32_t m = 0; m < c->manifest_end && err == ERR_OK; m++) {
		struct tally *t = &c->tallies[m];
		bool left_out = false;
		if (t->named == 0)
			continue;
		err = list_spans(c, m, &left_out);
		if (left_out)
			c->q->left_out += (uint64_t)t->up + t->dark + t->other;
		size_t count = c->span_count > 0 ? c->spans[c->span_count - 1].end : 0;
		if (err == ERR_OK && t->members != 0)
			err = count_loaded(c, t, count < LIMIT_COMPONENTS ? count : LIMIT_COMPONENTS);
		for (size_t i = 0; i < c->span_count && err == ERR_OK; i++)
			add_tally(&chunks[c->spans[i].chunk], t);
	}
	return err;
}

static enum err count_entries(struct counting *c)
{
	struct catalogue *catalogue = &c->q->catalogue;
	struct tally *chunks = calloc((size_t)catalogue->chunk_end + 1, sizeof(*chunks));
	if (chunks == NULL)
		return ERR_NOMEM;
	enum err err = count_chunks(c, chunks);
	for (uint32_t n = 0; n < catalogue->chunk_end && err == ERR_OK; n++) {
		const struct tally *t = &chunks[n];
		struct number_list entries = {.count = 0};
		if (t->named == 0)
			continue;
		err = catalogue_chunk(c->q, n, &entries);
		for (size_t i = 0; i < entries.count && err == ERR_OK; i++) {
			uint32_t number = number_list_at(entries, i);
			if (number >= c->entry_end)
				continue;
			struct entry_counts *e = &catalogue->counts[number];
			e->named = true;
			e->hosts += t->up + t->dark + t->other;
			e->up += t->up;
			e->dark += t->dark;
			e->other += t->other;
			e->loaded += t->all;
		}
	}
	free(chunks);
	return err;
}

static enum err begin(struct counting *c, bool loaded)
{
	enum err err = catalogue_begin(c->q);
	if (err == ERR_OK)
		err = columns_table(&c->q->columns, GROUP_COMPONENTS, &c->components);
	c->manifest_end = columns_end(&c->q->columns, GROUP_MANIFEST, &err);
	c->entry_end = columns_end(&c->q->columns, GROUP_ENTRY, &err);
	if (err != ERR_OK)
		return err;
	c->tallies = calloc((size_t)c->manifest_end + 1, sizeof(*c->tallies));
	free(c->q->catalogue.counts);
	c->q->catalogue.counts = calloc((size_t)c->entry_end + 1, sizeof(struct entry_counts));
	if (loaded) {
		c->before = malloc(((size_t)c->q->roster.end + 1) * sizeof(*c->before));
		c->places = calloc(1, sizeof(*c->places));
	}
	bool there = c->tallies != NULL && c->q->catalogue.counts != NULL &&
		     (!loaded || (c->before != NULL && c->places != NULL));
	return there ? ERR_OK : ERR_NOMEM;
}

enum err catalogue_count(struct query *q, bool loaded)
{
	struct catalogue *catalogue = &q->catalogue;
	struct counting c = {.q = q};
	if (catalogue->counted && (catalogue->loaded_counted || !loaded))
		return ERR_OK;
	catalogue->counted = catalogue->loaded_counted = false;
	enum err err = begin(&c, loaded);
	if (err == ERR_OK)
		err = count_hosts(&c);
	if (err == ERR_OK)
		err = count_entries(&c);
	catalogue->counted = err == ERR_OK;
	catalogue->loaded_counted = err == ERR_OK && loaded;
	free(c.tallies);
	free(c.before);
	free(c.places);
	free(c.spans);
	return err;
}

enum err query_modules(struct query *q, struct query_modules *ret, struct err_info *info)
{
	enum err err = catalogue_count(q, false);
	if (err != ERR_OK)
		return snapshot_error(q->snapshot, err, info);
	*ret = q->catalogue.modules;
	return ERR_OK;
}

/* --- of some hosts only --- */

struct picking {
	struct query *q;
	uint8_t *only;
	enum err err;
};

static bool pick(void *context, const struct query_value *values, size_t count)
{
	struct picking *p = context;
	const struct roster_host *host = NULL;
	struct id id;
	if (count > 0 && values[0].type == QUERY_TEXT && id_unhex(&id, values[0].text))
		p->err = host_by_id(p->q, &id, false, &host);
	if (p->err == ERR_OK && host != NULL)
		p->only[host->number / 8] |= (uint8_t)(1u << host->number % 8);
	return p->err == ERR_OK;
}

enum err query_count_only(struct query *q, const char *sql, struct err_info *info)
{
	struct catalogue *c = &q->catalogue;
	struct picking p = {.q = q, .only = NULL, .err = ERR_OK};
	const struct query_sink sink = {.row = pick, .context = &p};
	enum err err = ERR_OK;
	if (sql != NULL) {
		p.only = calloc((size_t)q->roster.end / 8 + 1, 1);
		if (p.only == NULL)
			return err_set(info, ERR_NOMEM, "out of memory");
		err = query_run(q, sql, NULL, 0, NULL, &sink, info);
		if (err == ERR_OK)
			err = snapshot_error(q->snapshot, p.err, info);
	}
	if (err != ERR_OK) {
		free(p.only);
		return err;
	}
	free(c->only);
	c->only = p.only;
	c->counted = c->loaded_counted = false;
	return ERR_OK;
}
