/* What each host had at its moment, and candidates counted by class. Hosts of one manifest have the same, but
 * for what changed after their moment: that is turned back host by host. */
#include <stdlib.h>
#include <string.h>

#include "store/suspects_private.h"

#define CHANGED_BEFORE_MS (60 * CLOCK_MINUTE_MS) /* a change so long before the window is of late, too */

/* --- what a host had --- */

void suspects_having_close(struct suspects_having *h)
{
	free(h->items);
	free(h->stamps);
	free(h->newest);
	free(h->places);
	free(h->entries.entries);
}

enum err suspects_having_open(struct suspects_engine *e, struct suspects_having *ret)
{
	*ret = (struct suspects_having){.cap = 0};
	ret->stamps = calloc((size_t)e->base[SUSPECT_CHANGE] + 1, sizeof(*ret->stamps));
	ret->newest = calloc(e->names.count + 1, sizeof(*ret->newest));
	ret->places = calloc(e->host_count + 1, sizeof(*ret->places));
	if (ret->stamps != NULL && ret->newest != NULL && ret->places != NULL)
		return ERR_OK;
	suspects_having_close(ret);
	return ERR_NOMEM;
}

static enum err begin(struct suspects_engine *e, struct suspects_having *h, uint32_t manifest)
{
	enum err err = catalogue_entries(e->q, manifest, &h->entries);
	size_t most = 4 * (h->entries.count + LIMIT_CHANGES);
	if (err == ERR_OK && most > h->cap) {
		uint32_t *items = realloc(h->items, most * sizeof(*items));
		if (items == NULL)
			return ERR_NOMEM;
		h->items = items;
		h->cap = most;
	}
	h->count = 0;
	h->stamp++;
	return err;
}

static bool add_item(struct suspects_having *h, uint32_t candidate)
{
	if (h->stamps[candidate] == h->stamp)
		return false;
	h->stamps[candidate] = h->stamp;
	h->items[h->count++] = candidate;
	return true;
}

static void add_entry(struct suspects_engine *e, struct suspects_having *h, uint32_t number)
{
	const struct suspects_entry *entry = &e->entries[number];
	if (entry->name == SUSPECTS_NONE)
		return;
	if (add_item(h, entry->name))
		h->newest[entry->name] = SUSPECTS_NONE;
	if (entry->place != SUSPECTS_NONE) {
		uint32_t *newest = &h->newest[entry->name];
		add_item(h, e->base[SUSPECT_VERSION] + entry->place);
		if (*newest == SUSPECTS_NONE || entry->place > *newest)
			*newest = entry->place;
	}
	if (entry->file)
		add_item(h, e->base[SUSPECT_FILE] + number);
}

static void finish(struct suspects_engine *e, struct suspects_having *h)
{
	for (size_t i = 0, count = h->count; i < count; i++) {
		uint32_t name = h->items[i];
		if (name < e->base[SUSPECT_VERSION] && h->newest[name] != SUSPECTS_NONE)
			h->items[h->count++] = e->base[SUSPECT_FROM] + h->newest[name];
	}
}

static enum err have_manifest(struct suspects_engine *e, struct suspects_having *h, uint32_t manifest)
{
	enum err err = begin(e, h, manifest);
	for (size_t i = 0; err == ERR_OK && i < h->entries.count; i++) {
		if (h->entries.entries[i] < e->entry_end)
			add_entry(e, h, h->entries.entries[i]);
	}
	if (err == ERR_OK)
		finish(e, h);
	return err;
}

/* --- changes --- */

enum err suspects_read_changes(struct suspects_engine *e, uint32_t number,
			       struct suspects_change ret[LIMIT_CHANGES], size_t *ret_count)
{
	struct column_row row;
	size_t len = 0, count = 0;
	enum err err = columns_row(&e->q->columns, GROUP_CHANGES, number, &row);
	const uint8_t *events =
	    err == ERR_OK && row.block != NULL ? column_row_bytes(row, C_CHANGES_EVENTS, &len) : NULL;
	for (size_t at = 0; events != NULL && err == ERR_OK && at + COLUMN_CHANGE_BYTES <= len;
	     at += COLUMN_CHANGE_BYTES) {
		struct suspects_change *c = &ret[count];
		c->at = column_le(events + at + 8, 8) * CLOCK_SECOND_MS;
		c->op = events[at + 16];
		if (count == LIMIT_CHANGES || (c->op != CHANGE_ADDED && c->op != CHANGE_REMOVED) ||
		    c->at + CHANGED_BEFORE_MS < e->options->since)
			continue;
		err = suspects_entry_find(e, column_le(events + at, 8), &c->entry);
		count++;
	}
	*ret_count = count;
	return err;
}

/* Whether the host had the entry before the changes; the oldest one tells. False in ret_there: none names it.
 */
static bool had_before(const struct suspects_change *changes, size_t count, uint32_t entry, bool *ret_there)
{
	*ret_there = false;
	for (size_t i = count; i-- > 0;) {
		if (changes[i].entry != entry)
			continue;
		*ret_there = true;
		return changes[i].op == CHANGE_REMOVED;
	}
	return false;
}

/* Number of changes after the host's moment; they come first. */
static size_t later(const struct suspects_host *host, const struct suspects_change *changes, size_t count)
{
	size_t n = 0;
	while (!host->last_words && n < count && changes[n].at > host->at)
		n++;
	return n;
}

/* Whether the entry that was added may have replaced one that nobody can name any more. */
static bool replaced_unknown(const struct suspects_change *changes, size_t count,
			     const struct suspects_change *added)
{
	bool unknown = false;
	for (size_t i = 0; i < count; i++)
		unknown = unknown || (changes[i].entry == SUSPECTS_NONE && changes[i].op == CHANGE_REMOVED &&
				      changes[i].at == added->at);
	return unknown && added->op == CHANGE_ADDED;
}

/* As of before the changes. A component whose version then is not known was there all the same. */
static void turn_back(struct suspects_engine *e, struct suspects_having *h,
		      const struct suspects_change *changes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t entry = changes[i].entry;
		bool named;
		if (entry == SUSPECTS_NONE)
			continue;
		if (had_before(changes, count, entry, &named))
			add_entry(e, h, entry);
		else if (replaced_unknown(changes, count, &changes[i]) &&
			 e->entries[entry].name != SUSPECTS_NONE && add_item(h, e->entries[entry].name))
			h->newest[e->entries[entry].name] = SUSPECTS_NONE;
	}
}

static enum err have_then(struct suspects_engine *e, struct suspects_having *h, uint32_t manifest,
			  const struct suspects_change *changes, size_t count)
{
	bool named;
	enum err err = begin(e, h, manifest);
	for (size_t i = 0; err == ERR_OK && i < h->entries.count; i++) {
		uint32_t entry = h->entries.entries[i];
		bool had = entry < e->entry_end && had_before(changes, count, entry, &named);
		if (entry < e->entry_end && (had || !named))
			add_entry(e, h, entry);
	}
	if (err != ERR_OK)
		return err;
	turn_back(e, h, changes, count);
	finish(e, h);
	return ERR_OK;
}

static uint32_t name_of(const struct suspects_engine *e, const struct suspects_change *c)
{
	return c->entry != SUSPECTS_NONE ? e->entries[c->entry].name : SUSPECTS_NONE;
}

enum err suspects_changes(struct suspects_engine *e, const struct suspects_host *host,
			  suspects_changed changed, void *context)
{
	struct suspects_change changes[LIMIT_CHANGES + 1];
	size_t count = 0;
	enum err err = suspects_read_changes(e, host->number, changes, &count);
	for (size_t first = err == ERR_OK ? later(host, changes, count) : count, i = first; i < count; i++) {
		uint32_t name = name_of(e, &changes[i]);
		bool told = name == SUSPECTS_NONE;
		for (size_t k = first; k < i; k++)
			told = told || name_of(e, &changes[k]) == name;
		if (!told)
			changed(context, name, changes[i].at);
	}
	return err;
}

/* --- all hosts --- */

static enum err walk_manifest(struct suspects_engine *e, struct suspects_having *h, size_t first, size_t end,
			      suspects_visit visit, void *context)
{
	struct suspects_change changes[LIMIT_CHANGES + 1];
	uint32_t manifest = e->hosts[first].manifest;
	size_t same = 0;
	enum err err = ERR_OK;
	for (size_t i = first; i < end && err == ERR_OK; i++) {
		const struct suspects_host *host = &e->hosts[i];
		size_t count = 0;
		if (!host->last_words)
			err = suspects_read_changes(e, host->number, changes, &count);
		count = err == ERR_OK ? later(host, changes, count) : 0;
		if (count == 0) {
			h->places[same++] = (uint32_t)i;
			continue;
		}
		uint32_t place = (uint32_t)i;
		err = have_then(e, h, manifest, changes, count);
		if (err == ERR_OK)
			visit(context, h, &place, 1);
	}
	if (err == ERR_OK && same > 0)
		err = have_manifest(e, h, manifest);
	if (err == ERR_OK && same > 0)
		visit(context, h, h->places, same);
	return err;
}

enum err suspects_walk(struct suspects_engine *e, suspects_visit visit, void *context)
{
	struct suspects_having h;
	enum err err = suspects_having_open(e, &h);
	if (err != ERR_OK)
		return err;
	for (size_t first = 0, end; first < e->host_count && err == ERR_OK; first = end) {
		for (end = first + 1;
		     end < e->host_count && e->hosts[end].manifest == e->hosts[first].manifest; end++)
			continue;
		err = walk_manifest(e, &h, first, end, visit, context);
	}
	suspects_having_close(&h);
	return err;
}

/* --- counting --- */

static uint64_t sign_of(uint64_t x)
{
	x = (x + 1) * 0x9e3779b97f4a7c15u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	return x ^ x >> 31;
}

static void add_tally(struct suspects_tally *to, const struct suspects_tally *t)
{
	to->failed += t->failed;
	to->all += t->all;
	to->sign += t->sign;
}

static struct suspects_tally tally_of(const struct suspects_host *host)
{
	return (struct suspects_tally){host->class == SUSPECTS_FAILED, 1, sign_of(host->number)};
}

static void count_group(void *context, const struct suspects_having *h, const uint32_t *places, size_t count)
{
	struct suspects_engine *e = context;
	struct suspects_tally sum = {0, 0, 0};
	for (size_t i = 0; i < count; i++) {
		struct suspects_tally t = tally_of(&e->hosts[places[i]]);
		add_tally(&sum, &t);
	}
	for (size_t i = 0; i < h->count; i++)
		add_tally(&e->tallies[h->items[i]], &sum);
}

struct counted_change {
	struct suspects_engine *e;
	struct suspects_tally tally;
};

static void count_change(void *context, uint32_t name, wall_ms at)
{
	struct counted_change *c = context;
	(void)at;
	add_tally(&c->e->tallies[c->e->base[SUSPECT_CHANGE] + name], &c->tally);
}

static enum err count_host(struct suspects_engine *e, const struct suspects_host *host)
{
	struct counted_change c = {e, tally_of(host)};
	add_tally(&e->tallies[e->base[SUSPECT_SITE] + host->site], &c.tally);
	for (uint32_t i = 0; i < 3; i++) {
		if (host->attributes[i] != SUSPECTS_NONE)
			add_tally(&e->tallies[e->base[SUSPECT_MODEL + i] + host->attributes[i]], &c.tally);
	}
	e->failed += c.tally.failed;
	e->counted++;
	return suspects_changes(e, host, count_change, &c);
}

/* So far each host counts by its newest version. The lowest is the component itself, the highest a version.
 */
static void add_later_versions(struct suspects_engine *e)
{
	struct suspects_tally *from = e->tallies + e->base[SUSPECT_FROM];
	for (size_t name = 0; name < e->names.count; name++) {
		uint32_t first = e->version_first[name], end = e->version_first[name + 1];
		for (uint32_t place = end; place-- > first + 1;)
			add_tally(&from[place - 1], &from[place]);
		if (first == end)
			continue;
		from[first] = (struct suspects_tally){0, 0, 0};
		from[end - 1] = from[first];
	}
}

enum err suspects_count(struct suspects_engine *e)
{
	e->tallies = calloc((size_t)e->base[SUSPECT_KINDS] + 1, sizeof(*e->tallies));
	enum err err = e->tallies != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = 0; i < e->host_count && err == ERR_OK; i++)
		err = count_host(e, &e->hosts[i]);
	if (err == ERR_OK)
		err = suspects_walk(e, count_group, e);
	if (err != ERR_OK)
		return err;
	add_later_versions(e);
	for (uint32_t c = 0; c < e->base[SUSPECT_KINDS]; c++)
		e->ret->tried += e->tallies[c].all > 0;
	return ERR_OK;
}
