/* The rows of the answer: lines to blame with what cannot be told from them, sites apart, what is explained,
 * what did no harm. */
#include <stdlib.h>
#include <string.h>

#include "store/suspects_lines.h"

#define LN_HARMLESS    (-2.995732273553991)  /* ln 0.05, of one */
#define LN_STRONG      (-13.815510557964274) /* ln 0.000001, of a corrected probability */
#define RISK_STRONG    3.0
#define TOGETHER_MAX   12
#define EXPLAINED_MAX  5
#define MAYBE_MAX      3
#define HARMLESS_MAX   3
#define EVERYWHERE_MAX 3
#define CUTS_MAX       5
#define LEVELS         3 /* of a line: without it; the component in another version; what is named */
#define STRATA_MAX     243

/* --- what is not to blame --- */

/* Whether hosts that have a fare otherwise than the others of `j->other`. */
static bool matters(const struct suspects_lines *j, const uint64_t *a)
{
	struct statistics_table t = suspects_lines_table(j->e, a, j->other);
	return statistics_fisher(&t) < SUSPECTS_LN_ALPHA;
}

/* Neither of both tells anything, be the other there or not. */
static bool cannot_tell(struct suspects_lines *j, const uint64_t *a, const uint64_t *b)
{
	const uint64_t *pairs[2][2] = {{a, b}, {b, a}};
	for (size_t i = 0; i < 2; i++) {
		const uint64_t *one = pairs[i][0], *two = pairs[i][1];
		suspects_lines_keep(j->other, j->rest, two, j->e->words);
		if (matters(j, one))
			return false;
		suspects_lines_drop(j->other, j->rest, two, j->e->words);
		if (matters(j, one))
			return false;
	}
	return true;
}

static bool is_told(const struct suspects_lines *j, uint32_t candidate)
{
	uint32_t family = suspects_family(j->e, candidate);
	return family != SUSPECTS_NONE && j->told[family] != 0;
}

static void tell(struct suspects_lines *j, uint32_t candidate)
{
	uint32_t family = suspects_family(j->e, candidate);
	if (family != SUSPECTS_NONE)
		j->told[family] = 1;
}

static enum err add_together(struct suspects_lines *j, size_t l, unsigned number)
{
	struct suspects_engine *e = j->e;
	const struct suspects_line *line = &j->lines[l];
	unsigned rows = 0;
	enum err err = ERR_OK;
	suspects_lines_rest(j, l);
	for (uint32_t s = 0; s < e->set_count && rows < TOGETHER_MAX && err == ERR_OK; s++) {
		double ln, low;
		struct statistics_table t = suspects_lines_table(e, e->sets[s].bits, j->rest);
		if (s != line->set && (!suspects_lines_differ(j, &t, &ln, &low) ||
				       !cannot_tell(j, suspects_lines_blamed(j, line), e->sets[s].bits)))
			continue;
		j->used[s] = true;
		for (uint32_t i = 0; i < e->sets[s].count && rows < TOGETHER_MAX && err == ERR_OK; i++) {
			uint32_t candidate = e->contenders[e->sets[s].first + i];
			struct suspect *row;
			if (candidate == line->candidate || is_told(j, candidate))
				continue;
			tell(j, candidate);
			err = suspects_row(e, candidate, SUSPECT_TOGETHER, 0, number, &row);
			rows++;
		}
	}
	return err;
}

/* How hosts fared after they changed the component, against those that did not. */
struct timing {
	const struct suspects_host *host;
	uint32_t family;
	bool changed;
	struct suspect *row;
};

static void time_change(void *context, uint32_t name, wall_ms at)
{
	struct timing *t = context;
	bool failed = t->host->class == SUSPECTS_FAILED;
	if (name != t->family)
		return;
	t->changed = true;
	t->row->changed++;
	t->row->changed_failed += failed;
	t->row->changed_soon += failed && t->host->at <= at + SUSPECTS_SOON_MS;
}

static enum err add_timing(struct suspects_lines *j, const struct suspects_line *line, struct suspect *row)
{
	struct suspects_engine *e = j->e;
	const uint64_t *bits = e->sets[line->component].bits;
	enum err err = ERR_OK;
	for (size_t i = 0; i < e->host_count && err == ERR_OK && line->family != SUSPECTS_NONE; i++) {
		struct timing t = {&e->hosts[i], line->family, false, row};
		if ((bits[i / 64] >> i % 64 & 1) == 0)
			continue;
		err = suspects_changes(e, t.host, time_change, &t);
		row->unchanged += !t.changed;
		row->unchanged_failed += !t.changed && t.host->class == SUSPECTS_FAILED;
	}
	struct statistics_table all = suspects_lines_table(e, bits, e->all_bits);
	if (all.failed_with > row->hosts.failed_with)
		row->unreported = all.failed_with - row->hosts.failed_with;
	return err;
}

static enum err add_lines(struct suspects_lines *j)
{
	struct suspects_engine *e = j->e;
	enum err err = ERR_OK;
	for (size_t l = 0; l < j->line_count; l++)
		tell(j, j->lines[l].candidate);
	for (size_t l = 0; l < j->line_count && err == ERR_OK; l++) {
		const struct suspects_line *line = &j->lines[l];
		unsigned number = (unsigned)l + 1;
		bool strong = line->ln_p <= LN_STRONG && line->risk_low >= RISK_STRONG;
		struct suspect *row;
		err = suspects_row(e, line->candidate, strong ? SUSPECT_STRONG : SUSPECT_LIKELY, number, 0,
				   &row);
		if (err == ERR_OK)
			err = add_timing(j, line, row);
		if (err == ERR_OK && e->options->spread && line->family != SUSPECTS_NONE)
			err = suspects_spread(e, line, &row->spread);
		j->used[line->set] = j->used[line->component] = true;
		if (err == ERR_OK && line->wide && line->set != line->component)
			err = suspects_row(e, line->family, SUSPECT_PART, 0, number, &row);
		if (err == ERR_OK)
			err = add_together(j, l, number);
	}
	return err;
}

static enum err add_cuts(struct suspects_lines *j, unsigned *number)
{
	struct suspects_engine *e = j->e;
	enum err err = ERR_OK;
	for (size_t i = 0; i < e->cut_count && i < CUTS_MAX && err == ERR_OK; i++) {
		const struct suspects_cut *cut = &e->cuts[i];
		struct suspect *row;
		err =
		    suspects_row(e, e->base[SUSPECT_SITE] + cut->site, SUSPECT_SEPARATE, ++*number, 0, &row);
		if (err != ERR_OK)
			break;
		row->hosts = (struct statistics_table){
		    cut->hosts, cut->up, e->ret->failed + e->ret->separate_hosts - cut->hosts,
		    e->ret->failed + e->ret->survived + e->ret->separate_hosts - cut->up};
		row->compared = statistics_relative_risk(&row->hosts, &row->risk);
		row->ln_p = statistics_fisher(&row->hosts);
		row->ln_corrected = statistics_corrected(row->ln_p, e->ret->tried);
	}
	return err;
}

/* Hosts by what they have of each line. */
static void stratify(struct suspects_lines *j)
{
	const struct suspects_engine *e = j->e;
	unsigned weight = 1;
	memset(j->strata, 0, e->host_count);
	for (size_t l = 0; l < j->line_count; l++, weight *= LEVELS) {
		const uint64_t *set = e->sets[j->lines[l].set].bits;
		const uint64_t *component = e->sets[j->lines[l].component].bits;
		for (size_t i = 0; i < e->host_count; i++) {
			bool named = (set[i / 64] >> i % 64 & 1) != 0;
			bool has = (component[i / 64] >> i % 64 & 1) != 0;
			j->strata[i] = (uint8_t)(j->strata[i] + weight * (named ? 2 : has ? 1 : 0));
		}
	}
}

/* Whether it makes a difference where the lines are given. */
static bool adds(const struct suspects_lines *j, uint32_t set)
{
	const struct suspects_engine *e = j->e;
	struct statistics_table tables[STRATA_MAX] = {{0, 0, 0, 0}};
	const uint64_t *bits = e->sets[set].bits;
	struct statistics_ratio risk;
	for (size_t i = 0; i < e->host_count; i++) {
		struct statistics_table *t = &tables[j->strata[i]];
		bool failed = e->hosts[i].class == SUSPECTS_FAILED;
		if ((bits[i / 64] >> i % 64 & 1) != 0) {
			t->with++;
			t->failed_with += failed;
		} else {
			t->without++;
			t->failed_without += failed;
		}
	}
	double ln = statistics_corrected(statistics_common_test(tables, STRATA_MAX), e->ret->tried);
	return ln < SUSPECTS_LN_ALPHA && statistics_common_risk(tables, STRATA_MAX, &risk) &&
	       risk.ratio >= SUSPECTS_RISK_LIKELY;
}

/* The line that most of its failures have. */
static unsigned explained_by(const struct suspects_lines *j, uint32_t set)
{
	const struct suspects_engine *e = j->e;
	unsigned best = 1;
	uint64_t most = 0;
	for (size_t l = 0; l < j->line_count; l++) {
		struct statistics_table t =
		    suspects_lines_table(e, e->sets[set].bits, e->sets[j->lines[l].component].bits);
		if (t.failed_with > most) {
			most = t.failed_with;
			best = (unsigned)l + 1;
		}
	}
	return best;
}

/* The most striking of each sort, so that nobody needs to ask about them. */
static enum err add_explained(struct suspects_lines *j, unsigned *number)
{
	static const uint8_t sorts[SUSPECT_KINDS] = {
	    [SUSPECT_SITE] = 1, [SUSPECT_MODEL] = 2, [SUSPECT_OS] = 3, [SUSPECT_KERNEL] = 3};
	struct suspects_engine *e = j->e;
	unsigned of_sort[4] = {0}, rows = 0;
	enum err err = ERR_OK;
	stratify(j);
	for (uint32_t s = 0; s < e->set_count && rows < EXPLAINED_MAX && err == ERR_OK; s++) {
		uint32_t candidate = e->contenders[e->sets[s].first];
		uint8_t sort = sorts[suspects_kind_of(e, candidate)];
		double ln = statistics_corrected(e->sets[s].ln_p, e->ret->tried);
		struct suspect *row;
		if (j->used[s] || is_told(j, candidate) || ln > SUSPECTS_LN_ALPHA ||
		    of_sort[sort] >= (sort == 0 ? 2u : 1u))
			continue;
		of_sort[sort]++;
		rows++;
		tell(j, candidate);
		err = suspects_row(e, candidate, adds(j, s) ? SUSPECT_ONLY_WITH : SUSPECT_EXPLAINED,
				   ++*number, explained_by(j, s), &row);
	}
	return err;
}

/* --- what can be said without a line --- */

struct counted {
	uint32_t name, changed;
	bool third_party;
};

static int most_changed(const void *a, const void *b)
{
	const struct counted *x = a, *y = b;
	if (x->third_party != y->third_party)
		return x->third_party ? -1 : 1;
	if (x->changed != y->changed)
		return x->changed > y->changed ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

/* What comes nearest to a line, one a component. */
static enum err add_maybe(struct suspects_lines *j, unsigned *number)
{
	struct suspects_engine *e = j->e;
	unsigned rows = 0;
	enum err err = ERR_OK;
	for (uint32_t s = 0; s < e->set_count && rows < MAYBE_MAX && err == ERR_OK; s++) {
		uint32_t candidate = e->contenders[e->sets[s].first];
		struct suspect *row;
		if (is_told(j, candidate) || e->sets[s].ln_p > SUSPECTS_LN_ALPHA)
			continue;
		tell(j, candidate);
		rows++;
		err = suspects_row(e, candidate, SUSPECT_MAYBE, ++*number, 0, &row);
	}
	return err;
}

static bool is_harmless(const struct suspects_lines *j, uint32_t name)
{
	const struct suspects_engine *e = j->e;
	uint32_t candidate = e->base[SUSPECT_CHANGE] + name;
	const struct suspects_tally *t = &e->tallies[candidate];
	uint64_t least = e->counted / 100 > 20 ? e->counted / 100 : 20;
	struct statistics_table table = {t->failed, t->all, e->failed - t->failed, e->counted - t->all};
	return t->all >= least && statistics_fisher(&table) > LN_HARMLESS;
}

static bool is_everywhere(const struct suspects_lines *j, uint32_t name)
{
	const struct suspects_engine *e = j->e;
	const struct suspects_tally *t = &e->tallies[name];
	return 100 * (uint64_t)t->failed >= 99 * e->failed && 100 * (uint64_t)t->all >= 95 * e->counted;
}

static enum err add_names(struct suspects_lines *j, bool (*fits)(const struct suspects_lines *, uint32_t),
			  size_t most, enum suspect_kind kind, enum suspect_verdict verdict, unsigned *number,
			  uint64_t *ret_count)
{
	struct suspects_engine *e = j->e;
	struct counted *list = malloc((e->names.count + 1) * sizeof(*list));
	size_t count = 0;
	enum err err = list != NULL ? ERR_OK : ERR_NOMEM;
	for (uint32_t name = 0; err == ERR_OK && name < e->names.count; name++) {
		if (j->told[name] != 0 || !fits(j, name))
			continue;
		list[count++] = (struct counted){name, e->tallies[e->base[SUSPECT_CHANGE] + name].all,
						 e->third_party[name] != 0};
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), most_changed);
	for (size_t i = 0; i < count && i < most && err == ERR_OK; i++) {
		struct suspect *row;
		j->told[list[i].name] = 1;
		err = suspects_row(e, e->base[kind] + list[i].name, verdict, ++*number, 0, &row);
	}
	*ret_count = count;
	free(list);
	return err;
}

static enum suspects_outcome outcome_of(const struct suspects_lines *j)
{
	const struct suspects_engine *e = j->e;
	if (j->line_count > 0)
		return SUSPECTS_NAMED;
	if (e->failed == 0)
		return SUSPECTS_QUIET;
	if (e->failed < SUSPECTS_FAILED_MIN)
		return SUSPECTS_TOO_FEW;
	return 100 * e->failed > 95 * e->counted ? SUSPECTS_TOO_MANY : SUSPECTS_NOTHING;
}

static enum err judge(struct suspects_lines *j)
{
	struct suspects *ret = j->e->ret;
	uint64_t harmless;
	enum err err = j->e->failed >= SUSPECTS_FAILED_MIN ? suspects_lines_find(j) : ERR_OK;
	unsigned number = (unsigned)j->line_count;
	ret->outcome = outcome_of(j);
	if (err == ERR_OK)
		err = add_lines(j);
	if (err == ERR_OK)
		err = add_cuts(j, &number);
	if (err == ERR_OK && j->line_count > 0)
		err = add_explained(j, &number);
	if (err == ERR_OK && ret->outcome == SUSPECTS_NOTHING)
		err = add_maybe(j, &number);
	bool doubtful = ret->outcome == SUSPECTS_NOTHING || ret->outcome == SUSPECTS_TOO_MANY;
	if (err == ERR_OK && doubtful)
		err = add_names(j, is_everywhere, EVERYWHERE_MAX, SUSPECT_COMPONENT, SUSPECT_EVERYWHERE,
				&number, &ret->everywhere);
	if (err == ERR_OK && j->e->failed > 0)
		err = add_names(j, is_harmless, HARMLESS_MAX, SUSPECT_CHANGE, SUSPECT_NO_DIFFERENCE, &number,
				&harmless);
	return err;
}

enum err suspects_judge(struct suspects_engine *e)
{
	struct suspects_lines j = {.e = e,
				   .rest = calloc(e->words + 1, sizeof(*j.rest)),
				   .other = calloc(e->words + 1, sizeof(*j.other)),
				   .strata = calloc(e->host_count + 1, 1),
				   .used = calloc(e->set_count + 1, sizeof(*j.used)),
				   .told = calloc(e->names.count + 1, 1)};
	bool room = j.rest != NULL && j.other != NULL && j.strata != NULL && j.used != NULL && j.told != NULL;
	enum err err = room ? judge(&j) : ERR_NOMEM;
	free(j.rest);
	free(j.other);
	free(j.strata);
	free(j.used);
	free(j.told);
	return err;
}
