/* Names, versions in their order and files of all entries, so that candidates are numbers. */
#include <stdlib.h>
#include <string.h>

#include "base/version.h"
#include "store/suspects_private.h"
#include "store/table_entry.h"

/* --- texts --- */

static size_t text_slot(const struct suspects_texts *t, uint32_t tag, const char *text)
{
	uint64_t h = 14695981039346656037u ^ tag; /* FNV-1a */
	for (const char *c = text; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 1099511628211u;
	size_t slot = (size_t)(h ^ h >> 32) & (t->slot_count - 1);
	while (t->slots[slot] != 0) {
		const struct suspects_text *there = &t->list[t->slots[slot] - 1];
		if (there->tag == tag && strcmp(there->text, text) == 0)
			break;
		slot = (slot + 1) & (t->slot_count - 1);
	}
	return slot;
}

static enum err grow_texts(struct suspects_texts *t)
{
	size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
	struct suspects_text *list = realloc(t->list, cap * sizeof(*list));
	if (list == NULL)
		return ERR_NOMEM;
	t->list = list;
	uint32_t *slots = calloc(2 * cap, sizeof(*slots));
	if (slots == NULL)
		return ERR_NOMEM;
	free(t->slots);
	t->cap = cap;
	t->slots = slots;
	t->slot_count = 2 * cap;
	for (size_t i = 0; i < t->count; i++)
		t->slots[text_slot(t, list[i].tag, list[i].text)] = (uint32_t)i + 1;
	return ERR_OK;
}

enum err suspects_text(struct suspects_texts *t, uint32_t tag, const char *text, uint32_t *ret)
{
	if (t->count == t->cap && grow_texts(t) != ERR_OK)
		return ERR_NOMEM;
	size_t slot = text_slot(t, tag, text);
	if (t->slots[slot] == 0) {
		t->list[t->count++] = (struct suspects_text){tag, text};
		t->slots[slot] = (uint32_t)t->count;
	}
	*ret = t->slots[slot] - 1;
	return ERR_OK;
}

/* --- entries --- */

static size_t entry_slot(const struct suspects_engine *e, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15u >> 20) & (e->entry_slot_count - 1);
}

static void index_entry(struct suspects_engine *e, uint64_t id, uint32_t number)
{
	size_t slot = entry_slot(e, id);
	while (e->entry_slots[slot] != 0)
		slot = (slot + 1) & (e->entry_slot_count - 1);
	e->entry_slots[slot] = number + 1;
}

enum err suspects_entry_find(struct suspects_engine *e, uint64_t id, uint32_t *ret)
{
	*ret = SUSPECTS_NONE;
	for (size_t slot = entry_slot(e, id); e->entry_slots[slot] != 0;
	     slot = (slot + 1) & (e->entry_slot_count - 1)) {
		struct column_row row;
		uint32_t number = e->entry_slots[slot] - 1;
		enum err err = columns_row(&e->q->columns, GROUP_ENTRY, number, &row);
		if (err != ERR_OK)
			return err;
		if (row.block != NULL && column_row_u64(row, C_ENTRY_ID) == id) {
			*ret = number;
			return ERR_OK;
		}
	}
	return ERR_OK;
}

/* For now `place` is the version's text; see order_versions. */
static enum err take_entry(struct suspects_engine *e, uint32_t number)
{
	struct suspects_entry *entry = &e->entries[number];
	struct column_row row;
	*entry = (struct suspects_entry){SUSPECTS_NONE, SUSPECTS_NONE, false};
	enum err err = columns_row(&e->q->columns, GROUP_ENTRY, number, &row);
	const char *name = err == ERR_OK && row.block != NULL ? column_row_text(row, C_ENTRY_NAME) : NULL;
	if (name == NULL)
		return err;
	index_entry(e, column_row_u64(row, C_ENTRY_ID), number);
	err = suspects_text(&e->names, (uint32_t)column_row_u64(row, C_ENTRY_KIND), name, &entry->name);
	const char *version = column_row_u64(row, C_ENTRY_VERSION_STATUS) == READING_OK
				  ? column_row_text(row, C_ENTRY_VERSION)
				  : NULL;
	if (err == ERR_OK && version != NULL)
		err = suspects_text(&e->version_texts, entry->name, version, &entry->place);
	return err;
}

static int by_order(const void *a, const void *b)
{
	const struct suspects_version *x = a, *y = b;
	if (x->name != y->name)
		return x->name < y->name ? -1 : 1;
	int order = version_compare(x->text, y->text);
	return order != 0 ? order : strcmp(x->text, y->text);
}

static uint32_t place_of(const struct suspects_engine *e, const struct suspects_version *version)
{
	const struct suspects_version *found =
	    bsearch(version, e->versions, e->version_count, sizeof(*version), by_order);
	return found != NULL ? (uint32_t)(found - e->versions) : SUSPECTS_NONE;
}

static enum err order_versions(struct suspects_engine *e)
{
	const struct suspects_texts *texts = &e->version_texts;
	size_t names = e->names.count, count = texts->count;
	uint32_t *places = malloc((count + 1) * sizeof(*places));
	e->versions = malloc((count + 1) * sizeof(*e->versions));
	e->version_first = calloc(names + 2, sizeof(*e->version_first));
	if (places == NULL || e->versions == NULL || e->version_first == NULL) {
		free(places);
		return ERR_NOMEM;
	}
	e->version_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		e->versions[i] = (struct suspects_version){texts->list[i].tag, texts->list[i].text};
		e->version_first[texts->list[i].tag + 1]++;
	}
	for (size_t i = 0; i < names; i++)
		e->version_first[i + 1] += e->version_first[i];
	qsort(e->versions, count, sizeof(*e->versions), by_order);
	for (size_t i = 0; i < count; i++) {
		struct suspects_version version = {texts->list[i].tag, texts->list[i].text};
		places[i] = place_of(e, &version);
	}
	for (uint32_t n = 0; n < e->entry_end; n++) {
		if (e->entries[n].place != SUSPECTS_NONE)
			e->entries[n].place = places[e->entries[n].place];
	}
	free(places);
	return ERR_OK;
}

/* Entries that their version does not tell from others stand for themselves. */
static enum err mark_files(struct suspects_engine *e)
{
	uint32_t *per_version = calloc((size_t)e->version_count + 1, sizeof(*per_version));
	uint32_t *per_name = calloc(e->names.count + 1, sizeof(*per_name));
	e->third_party = calloc(e->names.count + 1, 1);
	enum err err = per_version != NULL && per_name != NULL && e->third_party != NULL ? ERR_OK : ERR_NOMEM;
	for (uint32_t n = 0; err == ERR_OK && n < e->entry_end; n++) {
		struct column_row row;
		if (e->entries[n].name == SUSPECTS_NONE)
			continue;
		per_name[e->entries[n].name]++;
		if (e->entries[n].place != SUSPECTS_NONE)
			per_version[e->entries[n].place]++;
		err = columns_row(&e->q->columns, GROUP_ENTRY, n, &row);
		if (err == ERR_OK && (column_row_u64(row, C_ENTRY_FLAGS) & COMPONENT_THIRD_PARTY) != 0)
			e->third_party[e->entries[n].name] = 1;
	}
	for (uint32_t n = 0; err == ERR_OK && n < e->entry_end; n++) {
		struct suspects_entry *entry = &e->entries[n];
		if (entry->name != SUSPECTS_NONE)
			entry->file = entry->place != SUSPECTS_NONE ? per_version[entry->place] > 1
								    : per_name[entry->name] > 1;
	}
	free(per_version);
	free(per_name);
	return err;
}

static void number_candidates(struct suspects_engine *e)
{
	size_t counts[SUSPECT_KINDS] = {
	    [SUSPECT_COMPONENT] = e->names.count,     [SUSPECT_VERSION] = e->version_count,
	    [SUSPECT_FROM] = e->version_count,        [SUSPECT_FILE] = e->entry_end,
	    [SUSPECT_CHANGE] = e->names.count,        [SUSPECT_SITE] = e->q->roster.site_total,
	    [SUSPECT_MODEL] = e->attributes[0].count, [SUSPECT_OS] = e->attributes[1].count,
	    [SUSPECT_KERNEL] = e->attributes[2].count};
	for (size_t i = 0; i < SUSPECT_KINDS; i++)
		e->base[i + 1] = e->base[i] + (uint32_t)counts[i];
}

enum err suspects_catalogue(struct suspects_engine *e)
{
	enum err err = ERR_OK;
	e->entry_end = columns_end(&e->q->columns, GROUP_ENTRY, &err);
	e->entry_slot_count = 64;
	while (e->entry_slot_count < 2 * (size_t)e->entry_end)
		e->entry_slot_count *= 2;
	e->entries = malloc(((size_t)e->entry_end + 1) * sizeof(*e->entries));
	e->entry_slots = calloc(e->entry_slot_count, sizeof(*e->entry_slots));
	if (e->entries == NULL || e->entry_slots == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < e->entry_end && err == ERR_OK; n++)
		err = take_entry(e, n);
	if (err == ERR_OK)
		err = order_versions(e);
	if (err == ERR_OK)
		err = mark_files(e);
	if (err == ERR_OK)
		number_candidates(e);
	return err;
}

uint32_t suspects_family(const struct suspects_engine *e, uint32_t candidate)
{
	enum suspect_kind kind = suspects_kind_of(e, candidate);
	uint32_t index = candidate - e->base[kind];
	switch (kind) {
	case SUSPECT_COMPONENT:
	case SUSPECT_CHANGE:
		return index;
	case SUSPECT_VERSION:
	case SUSPECT_FROM:
		return e->versions[index].name;
	case SUSPECT_FILE:
		return e->entries[index].name;
	default:
		return SUSPECTS_NONE;
	}
}
