/* How far what is to blame has spread, and whether it matters among hosts of one model: what an early warning
 * needs besides the line itself. Adopters are counted as they are now, by the changes that they told, not as
 * they were at the moments that survivors are compared at. */
#include <stdlib.h>

#include "store/suspects_lines.h"

static bool is_in(const uint64_t *bits, size_t place)
{
	return (bits[place / 64] >> place % 64 & 1) != 0;
}

/* Whether the entry is of what the candidate names. */
static bool is_named(const struct suspects_engine *e, uint32_t candidate, uint32_t number)
{
	if (number == SUSPECTS_NONE || e->entries[number].name != suspects_family(e, candidate))
		return false;
	const struct suspects_entry *entry = &e->entries[number];
	enum suspect_kind kind = suspects_kind_of(e, candidate);
	uint32_t index = candidate - e->base[kind];
	switch (kind) {
	case SUSPECT_VERSION:
		return entry->place == index;
	case SUSPECT_FROM:
		return entry->place != SUSPECTS_NONE && entry->place >= index;
	case SUSPECT_FILE:
		return number == index;
	default:
		return true;
	}
}

static void widen(wall_ms at, wall_ms *first, wall_ms *last)
{
	if (*first == 0 || at < *first)
		*first = at;
	if (at > *last)
		*last = at;
}

static enum err add_host(struct suspects_engine *e, const struct suspects_line *line, size_t place,
			 struct suspect_spread *s)
{
	const struct suspects_host *host = &e->hosts[place];
	struct suspects_change changes[LIMIT_CHANGES + 1];
	size_t count = 0, newest = SIZE_MAX;
	bool has = is_in(e->sets[line->set].bits, place);
	bool any = is_in(e->sets[line->component].bits, place);
	bool failed = host->class == SUSPECTS_FAILED;
	enum err err = suspects_read_changes(e, host->number, changes, &count);
	for (size_t i = 0; i < count && newest == SIZE_MAX; i++) {
		if (is_named(e, line->candidate, changes[i].entry) && changes[i].at <= e->options->until)
			newest = i;
	}
	if (newest != SIZE_MAX && changes[newest].op == CHANGE_ADDED) {
		s->adopted++;
		widen(changes[newest].at, &s->first_adopted, &s->last_adopted);
	}
	if (newest != SIZE_MAX)
		has = any = changes[newest].op == CHANGE_ADDED;
	if (failed && has)
		widen(host->at, &s->first_failed, &s->last_failed);
	s->adopters_up += !failed && has;
	s->others_up += !failed && any && !has;
	return err;
}

/* Those that failed with the component since the first sign of it, and had told of no change. */
static enum err add_untold(struct suspects_engine *e, const struct suspects_line *line, size_t place,
			   struct suspect_spread *s)
{
	const struct suspects_host *host = &e->hosts[place];
	struct suspects_change changes[LIMIT_CHANGES + 1];
	wall_ms first = s->first_failed;
	size_t count = 0;
	bool named = line->set != line->component && is_in(e->sets[line->set].bits, place);
	if (s->first_adopted != 0 && (first == 0 || s->first_adopted < first))
		first = s->first_adopted;
	if (host->class != SUSPECTS_FAILED || named || host->at < first)
		return ERR_OK;
	enum err err = suspects_read_changes(e, host->number, changes, &count);
	for (size_t i = 0; i < count; i++) {
		if (is_named(e, line->candidate, changes[i].entry))
			return err;
	}
	s->died_untold++;
	return err;
}

/* What has no model is one of its own. */
enum err suspects_within_models(const struct suspects_engine *e, const uint64_t *set, const uint64_t *among,
				struct suspects_within *ret)
{
	size_t models = e->attributes[0].count + 1;
	struct statistics_table *tables = calloc(models, sizeof(*tables));
	if (tables == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->host_count; i++) {
		uint32_t model = e->hosts[i].attributes[0];
		struct statistics_table *t = &tables[model != SUSPECTS_NONE ? model : models - 1];
		bool failed = e->hosts[i].class == SUSPECTS_FAILED;
		if (!is_in(among, i))
			continue;
		if (is_in(set, i)) {
			t->with++;
			t->failed_with += failed;
		} else {
			t->without++;
			t->failed_without += failed;
		}
	}
	ret->compared = statistics_common_risk(tables, models, &ret->risk);
	ret->ln_p = statistics_common_test(tables, models);
	free(tables);
	return ERR_OK;
}

enum err suspects_spread(struct suspects_engine *e, const struct suspects_line *line,
			 struct suspect_spread *ret)
{
	struct suspect_spread s = {.adopted = 0};
	const uint64_t *component = e->sets[line->component].bits, *named = e->sets[line->set].bits;
	struct suspects_within within;
	enum err err = suspects_within_models(e, named, e->all_bits, &within);
	for (size_t i = 0; i < e->host_count && err == ERR_OK; i++) {
		if (is_in(component, i) || is_in(named, i))
			err = add_host(e, line, i, &s);
	}
	for (size_t i = 0; i < e->host_count && err == ERR_OK; i++) {
		if (is_in(component, i))
			err = add_untold(e, line, i, &s);
	}
	if (err != ERR_OK)
		return err;
	s.compared = within.compared;
	s.risk = within.risk;
	s.ln_p = within.ln_p;
	*ret = s;
	return ERR_OK;
}
