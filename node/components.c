#include "node/components.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

static bool bit(const uint8_t *bits, size_t i)
{
	return (bits[i / 8] & (0x80u >> (i % 8))) != 0;
}

void components_seen_release(struct components_seen *seen)
{
	free(seen->entries);
	memset(seen, 0, sizeof(*seen));
}

struct resume {
	uint64_t *entries;
	size_t count, cap;
};

static bool each_entry(void *context, size_t index, uint64_t entry_id, const struct component *c)
{
	struct resume *r = context;
	(void)c;
	if (index != r->count || r->count == r->cap)
		return false;
	r->entries[r->count++] = entry_id;
	return true;
}

enum err components_seen_resume(struct components_seen *seen, const struct components *own_record,
				manifest_fetch fetch, void *context)
{
	struct resume r = {.cap = own_record->entry_count};
	r.entries = calloc(r.cap > 0 ? r.cap : 1, sizeof(*r.entries));
	if (r.entries == NULL)
		return ERR_NOMEM;
	enum err err = manifest_read(&own_record->manifest, fetch, context, each_entry, &r);
	bool whole = err == ERR_OK && r.count == own_record->entry_count;
	components_seen_release(seen);
	memcpy(seen->changes, own_record->changes, sizeof(seen->changes));
	seen->change_count = own_record->change_count;
	seen->changes_total = own_record->changes_total;
	if (!whole) {
		free(r.entries);
		return err == ERR_OK ? ERR_NOT_FOUND : err;
	}
	seen->published = true;
	seen->entries = r.entries;
	seen->count = r.count;
	memcpy(seen->loaded, own_record->loaded, sizeof(seen->loaded));
	return ERR_OK;
}

static void add_change(struct components_seen *next, uint64_t entry, uint64_t now_s, enum change_op op)
{
	size_t keep = next->change_count < LIMIT_CHANGES ? next->change_count : LIMIT_CHANGES - 1;
	memmove(&next->changes[1], &next->changes[0], keep * sizeof(next->changes[0]));
	next->changes[0] = (struct component_change){entry, now_s, op};
	next->change_count = keep + 1;
	next->changes_total++;
}

/* Place of each entry id, for looking it up. */
struct place {
	uint64_t entry;
	size_t index;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	return x->entry < y->entry ? -1 : x->entry > y->entry;
}

static struct place *sorted_places(const struct components_seen *s)
{
	struct place *p = calloc(s->count > 0 ? s->count : 1, sizeof(*p));
	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < s->count; i++)
		p[i] = (struct place){s->entries[i], i};
	qsort(p, s->count, sizeof(*p), compare_places);
	return p;
}

/* Both lists sorted by entry id: one walk finds what came, went, and was loaded or unloaded. */
static enum err diff(const struct components_seen *before, struct components_seen *next, uint64_t now_s,
		     bool *ret_new)
{
	struct place *old = sorted_places(before);
	struct place *new = sorted_places(next);
	bool news = false;
	size_t i = 0, j = 0;
	enum err err = old != NULL && new != NULL ? ERR_OK : ERR_NOMEM;
	while (err == ERR_OK && (i < before->count || j < next->count)) {
		if (j == next->count || (i < before->count && old[i].entry < new[j].entry)) {
			add_change(next, old[i++].entry, now_s, CHANGE_REMOVED);
		} else if (i == before->count || new[j].entry < old[i].entry) {
			add_change(next, new[j++].entry, now_s, CHANGE_ADDED);
			news = true;
		} else {
			bool was = bit(before->loaded, old[i].index), is = bit(next->loaded, new[j].index);
			if (was != is)
				add_change(next, new[j].entry, now_s, is ? CHANGE_LOADED : CHANGE_UNLOADED);
			news = news || (is && !was);
			i++;
			j++;
		}
	}
	free(old);
	free(new);
	if (err == ERR_OK)
		*ret_new = news;
	return err;
}

static enum err entry_of(const struct component *c, uint64_t *ret)
{
	uint8_t bytes[COMPONENT_ENTRY_BYTES];
	size_t len;
	enum err err = component_encode(c, bytes, &len);
	if (err == ERR_OK)
		*ret = component_entry_id(bytes, len);
	return err;
}

/* Entries in the manifest's order, and which of them are loaded or pending. */
static enum err place_all(const struct collected_components *found, const size_t *order,
			  struct components_seen *next, struct components *record)
{
	for (size_t i = 0; i < found->count; i++) {
		uint64_t entry = 0;
		enum err err = entry_of(&found->items[i], &entry);
		if (err != ERR_OK)
			return err;
		CHECK(order[i] < next->count);
		next->entries[order[i]] = entry;
		if (found->loaded[i])
			components_set_loaded(record, order[i]);
		if (found->pending[i] && record->pending_count < LIMIT_PENDING)
			record->pending[record->pending_count++] = entry;
	}
	return ERR_OK;
}

static enum err build(struct components_seen *seen, const struct collected_components *found, uint64_t now_s,
		      const size_t *order, struct components_seen *next, struct components *record,
		      bool *ret_new)
{
	*ret_new = false;
	next->published = true;
	next->count = record->entry_count;
	next->entries = calloc(next->count > 0 ? next->count : 1, sizeof(*next->entries));
	if (next->entries == NULL)
		return ERR_NOMEM;
	enum err err = place_all(found, order, next, record);
	if (err != ERR_OK)
		return err;
	memcpy(next->loaded, record->loaded, sizeof(next->loaded));
	memcpy(next->changes, seen->changes, sizeof(next->changes));
	next->change_count = seen->change_count;
	next->changes_total = seen->changes_total;
	/* The first look is no change: everything would have been "added" at the time of enrolment. */
	return seen->published ? diff(seen, next, now_s, ret_new) : ERR_OK;
}

enum err components_publish(struct components_seen *seen, const struct collected_components *found,
			    uint64_t now_s, manifest_emit emit, void *context, struct components *ret,
			    bool *ret_new)
{
	struct components_seen next = {0};
	struct components record = {
	    .module_support = found->module_support,
	    .taint = found->taint,
	    .ebpf_programs = found->ebpf_programs,
	};
	size_t entries = 0;
	bool news = false;
	size_t *order = calloc(found->count > 0 ? found->count : 1, sizeof(*order));
	if (order == NULL)
		return ERR_NOMEM;
	enum err err =
	    manifest_build(found->items, found->count, order, emit, context, &record.manifest, &entries);
	record.entry_count = (uint32_t)entries;
	if (err == ERR_OK)
		err = build(seen, found, now_s, order, &next, &record, &news);
	free(order);
	if (err != ERR_OK) {
		components_seen_release(&next);
		return err;
	}
	memcpy(record.changes, next.changes, sizeof(record.changes));
	record.change_count = next.change_count;
	record.changes_total = next.changes_total;
	components_seen_release(seen);
	*seen = next;
	*ret = record;
	*ret_new = news;
	return ERR_OK;
}
