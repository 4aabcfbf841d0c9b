/* The candidates that stand out, as bit sets of hosts: so what they have in common can be asked at once. */
#include <stdlib.h>
#include <string.h>

#include "store/suspects_private.h"

static struct statistics_table table_of(const struct suspects_engine *e, const struct suspects_tally *t)
{
	return (struct statistics_table){t->failed, t->all, e->failed - t->failed, e->counted - t->all};
}

struct ranked {
	double ln_p;
	struct suspects_tally tally;
	uint32_t candidate;
	uint32_t changed; /* failed hosts that changed the component of late */
	uint8_t rank;     /* of its kind: what says most with least comes first */
	bool third_party;
};

static struct ranked rank(const struct suspects_engine *e, uint32_t candidate)
{
	static const uint8_t ranks[SUSPECT_KINDS] = {
	    [SUSPECT_VERSION] = 0, [SUSPECT_FILE] = 1,   [SUSPECT_COMPONENT] = 2,
	    [SUSPECT_FROM] = 3,    [SUSPECT_CHANGE] = 4, [SUSPECT_KERNEL] = 5,
	    [SUSPECT_OS] = 6,      [SUSPECT_MODEL] = 7,  [SUSPECT_SITE] = 8};
	uint32_t family = suspects_family(e, candidate);
	bool known = family != SUSPECTS_NONE;
	struct statistics_table table = table_of(e, &e->tallies[candidate]);
	bool more = table.failed_with * (table.with + table.without) >
		    (table.failed_with + table.failed_without) * table.with;
	return (struct ranked){.ln_p = more ? statistics_fisher(&table) : 0,
			       .tally = e->tallies[candidate],
			       .candidate = candidate,
			       .changed = known ? e->tallies[e->base[SUSPECT_CHANGE] + family].failed : 0,
			       .rank = ranks[suspects_kind_of(e, candidate)],
			       .third_party = known && e->third_party[family] != 0};
}

static int compare_tallies(const struct suspects_tally *x, const struct suspects_tally *y)
{
	if (x->failed != y->failed)
		return x->failed > y->failed ? -1 : 1;
	if (x->all != y->all)
		return x->all < y->all ? -1 : 1;
	return (x->sign > y->sign) - (x->sign < y->sign);
}

/* The least likely first; equal sets together, what is most worth naming first. */
static int by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	if (x->ln_p != y->ln_p)
		return x->ln_p < y->ln_p ? -1 : 1;
	int order = compare_tallies(&x->tally, &y->tally);
	if (order != 0)
		return order;
	if (x->changed != y->changed)
		return x->changed > y->changed ? -1 : 1;
	if (x->third_party != y->third_party)
		return x->third_party ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return (x->candidate > y->candidate) - (x->candidate < y->candidate);
}

/* Those that stand out, in order. */
static size_t choose(const struct suspects_engine *e, struct ranked *list)
{
	size_t count = 0, sets = 0, kept = 0;
	for (uint32_t c = 0; c < e->base[SUSPECT_KINDS]; c++) {
		if (e->tallies[c].failed == 0)
			continue;
		list[count] = rank(e, c);
		count += list[count].ln_p < SUSPECTS_LN_ALPHA;
	}
	qsort(list, count, sizeof(*list), by_rank);
	for (; kept < count; kept++) {
		sets += kept == 0 || compare_tallies(&list[kept - 1].tally, &list[kept].tally) != 0;
		if (sets > SUSPECTS_SETS_MAX)
			break;
	}
	return kept;
}

/* Each component as such, too, so that its versions can be compared within it. */
static size_t add_components(const struct suspects_engine *e, struct ranked *list, size_t count,
			     uint8_t *there)
{
	size_t added = 0;
	for (size_t i = 0; i < count; i++) {
		if (suspects_kind_of(e, list[i].candidate) == SUSPECT_COMPONENT)
			there[list[i].candidate] = 1;
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t family = suspects_family(e, list[i].candidate);
		if (family == SUSPECTS_NONE || there[family] != 0)
			continue;
		there[family] = 1;
		list[count + added++] = rank(e, family);
	}
	qsort(list, count + added, sizeof(*list), by_rank);
	return count + added;
}

static enum err make_sets(struct suspects_engine *e, const struct ranked *list, size_t count)
{
	e->words = (e->host_count + 63) / 64;
	e->contenders = calloc(count + 1, sizeof(*e->contenders));
	e->sets = calloc(count + 1, sizeof(*e->sets));
	e->set_of = calloc((size_t)e->base[SUSPECT_KINDS] + 1, sizeof(*e->set_of));
	e->marks = calloc((size_t)e->base[SUSPECT_KINDS] + 1, sizeof(*e->marks));
	e->failed_bits = calloc(e->words + 1, sizeof(*e->failed_bits));
	e->all_bits = calloc(e->words + 1, sizeof(*e->all_bits));
	if (e->contenders == NULL || e->sets == NULL || e->set_of == NULL || e->marks == NULL ||
	    e->failed_bits == NULL || e->all_bits == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || compare_tallies(&list[i - 1].tally, &list[i].tally) != 0) {
			struct suspects_set *set = &e->sets[e->set_count++];
			set->first = (uint32_t)i;
			set->ln_p = list[i].ln_p;
			set->bits = calloc(e->words + 1, sizeof(*set->bits));
			if (set->bits == NULL)
				return ERR_NOMEM;
			e->marks[list[i].candidate] = set->bits;
		}
		e->sets[e->set_count - 1].count++;
		e->contenders[e->contender_count++] = list[i].candidate;
		e->set_of[list[i].candidate] = (uint32_t)e->set_count;
	}
	return ERR_OK;
}

/* --- filling --- */

static void mark(struct suspects_engine *e, uint32_t candidate, const uint32_t *places, size_t count)
{
	uint64_t *bits = e->marks[candidate];
	for (size_t i = 0; bits != NULL && i < count; i++)
		bits[places[i] / 64] |= 1ull << places[i] % 64;
}

static void mark_group(void *context, const struct suspects_having *h, const uint32_t *places, size_t count)
{
	struct suspects_engine *e = context;
	for (size_t i = 0; i < h->count; i++) {
		uint32_t item = h->items[i];
		if (item < e->base[SUSPECT_FROM] || item >= e->base[SUSPECT_FILE]) {
			mark(e, item, places, count);
			continue;
		}
		/* Its newest version is also later than all before it. */
		uint32_t place = item - e->base[SUSPECT_FROM];
		uint32_t first = e->version_first[e->versions[place].name];
		for (uint32_t p = first + 1; p <= place; p++)
			mark(e, e->base[SUSPECT_FROM] + p, places, count);
	}
}

struct marked_change {
	struct suspects_engine *e;
	uint32_t place;
};

static void mark_change(void *context, uint32_t name, wall_ms at)
{
	struct marked_change *m = context;
	(void)at;
	mark(m->e, m->e->base[SUSPECT_CHANGE] + name, &m->place, 1);
}

static enum err mark_host(struct suspects_engine *e, uint32_t place)
{
	const struct suspects_host *host = &e->hosts[place];
	struct marked_change m = {e, place};
	uint64_t bit = 1ull << place % 64;
	e->all_bits[place / 64] |= bit;
	if (host->class == SUSPECTS_FAILED)
		e->failed_bits[place / 64] |= bit;
	mark(e, e->base[SUSPECT_SITE] + host->site, &place, 1);
	for (uint32_t i = 0; i < 3; i++) {
		if (host->attributes[i] != SUSPECTS_NONE)
			mark(e, e->base[SUSPECT_MODEL + i] + host->attributes[i], &place, 1);
	}
	return suspects_changes(e, host, mark_change, &m);
}

enum err suspects_sets(struct suspects_engine *e)
{
	size_t most = (size_t)e->base[SUSPECT_KINDS] + e->names.count + 1;
	struct ranked *list = malloc(most * sizeof(*list));
	uint8_t *there = calloc(e->names.count + 1, 1);
	enum err err = ERR_NOMEM;
	if (list != NULL && there != NULL)
		err = make_sets(e, list, add_components(e, list, choose(e, list), there));
	free(list);
	free(there);
	for (uint32_t i = 0; i < e->host_count && err == ERR_OK; i++)
		err = mark_host(e, i);
	if (err == ERR_OK && e->set_count > 0)
		err = suspects_walk(e, mark_group, e);
	return err;
}
