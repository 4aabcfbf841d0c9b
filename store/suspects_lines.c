/* Who is to blame. One question is asked over and over: among hosts that have nothing of what was accepted
 * before, does this make a difference? What does is accepted, the least likely to be chance first; what does
 * not any more once another was accepted is given up again. So a model on which the bad version came first
 * is not blamed for it: without the version, it does nothing. */
#include "store/suspects_lines.h"

#include <string.h>

#define RISK_WITHIN     2.0 /* of a version against the others: less is how fast each updates */
#define FAILED_WITH_MIN 3
#define OWN_SHARE       20 /* of a line's failures one in so many is its alone, at least */
#define STEPS_MAX       16
#define VERSION_BONUS   1.05 /* a version is named rather than a change that says nearly the same */

/* By halves: without an instruction for it the compiler's own is a call for each word. */
static inline uint64_t bits_in(uint64_t word)
{
	word -= word >> 1 & 0x5555555555555555u;
	word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
	word = (word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu;
	return word * 0x0101010101010101u >> 56;
}

struct statistics_table suspects_lines_table(const struct suspects_engine *e, const uint64_t *set,
					     const uint64_t *among)
{
	struct statistics_table t = {0, 0, 0, 0};
	for (size_t i = 0; i < e->words; i++) {
		uint64_t with = among[i] & set[i], without = among[i] & ~set[i];
		t.with += bits_in(with);
		t.without += bits_in(without);
		t.failed_with += bits_in(with & e->failed_bits[i]);
		t.failed_without += bits_in(without & e->failed_bits[i]);
	}
	return t;
}

const uint64_t *suspects_lines_blamed(const struct suspects_lines *j, const struct suspects_line *line)
{
	return j->e->sets[line->wide ? line->component : line->set].bits;
}

void suspects_lines_rest(struct suspects_lines *j, size_t except)
{
	memcpy(j->rest, j->e->all_bits, j->e->words * sizeof(*j->rest));
	for (size_t l = 0; l < j->line_count; l++) {
		const uint64_t *bits = suspects_lines_blamed(j, &j->lines[l]);
		for (size_t i = 0; l != except && i < j->e->words; i++)
			j->rest[i] &= ~bits[i];
	}
}

bool suspects_lines_differ(const struct suspects_lines *j, const struct statistics_table *t, double *ret_ln,
			   double *ret_low)
{
	struct statistics_ratio risk;
	double ln = statistics_corrected(statistics_fisher(t), j->e->ret->tried);
	*ret_ln = ln;
	if (t->failed_with < FAILED_WITH_MIN || ln > SUSPECTS_LN_ALPHA || !statistics_relative_risk(t, &risk))
		return false;
	*ret_low = risk.low;
	return risk.low >= SUSPECTS_RISK_LIKELY;
}

/* --- what to name --- */

static bool is_of(const struct suspects_engine *e, uint32_t set, uint32_t family, uint32_t *ret_candidate)
{
	for (uint32_t i = 0; i < e->sets[set].count; i++) {
		uint32_t candidate = e->contenders[e->sets[set].first + i];
		if (suspects_family(e, candidate) == family) {
			*ret_candidate = candidate;
			return true;
		}
	}
	return false;
}

void suspects_lines_keep(uint64_t *ret, const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		ret[i] = a[i] & b[i];
}

void suspects_lines_drop(uint64_t *ret, const uint64_t *a, const uint64_t *b, size_t words)
{
	for (size_t i = 0; i < words; i++)
		ret[i] = a[i] & ~b[i];
}

/* Of a component: the version, file or change that makes the difference among hosts that have it, if any
 * does; and whether the others are to blame as well. */
static void name_best(struct suspects_lines *j, struct suspects_line *line)
{
	const struct suspects_engine *e = j->e;
	double best = 0;
	uint32_t candidate, tried = 0;
	struct suspects_line found = *line;
	line->component = line->set;
	if (line->family == SUSPECTS_NONE)
		return;
	found.set = found.component = line->component = e->set_of[line->family] - 1;
	found.candidate = line->family;
	suspects_lines_keep(j->other, j->rest, e->sets[found.component].bits, e->words);
	for (uint32_t s = 0; s < e->set_count; s++) {
		if (s == found.component || !is_of(e, s, line->family, &candidate))
			continue;
		struct statistics_table t = suspects_lines_table(e, e->sets[s].bits, j->other);
		enum suspect_kind kind = suspects_kind_of(e, candidate);
		struct statistics_ratio risk;
		if (!statistics_relative_risk(&t, &risk) || risk.low < RISK_WITHIN)
			continue;
		double ln = statistics_fisher(&t) *
			    (kind == SUSPECT_VERSION || kind == SUSPECT_FILE ? VERSION_BONUS : 1);
		tried++;
		if (ln < best) {
			best = ln;
			found.set = s;
			found.candidate = candidate;
		}
	}
	if (tried == 0 || statistics_corrected(best, tried) > SUSPECTS_LN_ALPHA) {
		/* In an estate so small that versions cannot be told apart the component is named where it
		 * stands out by itself; else what made the line stays. */
		double ln, low;
		struct statistics_table t = suspects_lines_table(e, e->sets[found.component].bits, j->rest);
		bool itself = suspects_lines_differ(j, &t, &ln, &low);
		found.set = itself ? found.component : line->set;
		found.candidate = itself ? line->family : line->candidate;
	}
	suspects_lines_drop(j->other, j->rest, e->sets[found.set].bits, e->words);
	struct statistics_table others = suspects_lines_table(e, e->sets[found.component].bits, j->other);
	found.wide = found.set == found.component || statistics_fisher(&others) < SUSPECTS_LN_ALPHA;
	*line = found;
}

/* --- accepting and giving up --- */

/* An early warning is of what matters among hosts of one model: a pilot often begins with one. */
static enum err matters_within(const struct suspects_lines *j, uint32_t set, bool *ret)
{
	struct suspects_within w;
	*ret = true;
	if (!j->e->options->spread)
		return ERR_OK;
	enum err err = suspects_within_models(j->e, j->e->sets[set].bits, j->rest, &w);
	*ret =
	    err == ERR_OK && w.compared && w.ln_p <= SUSPECTS_LN_ALPHA && w.risk.low >= SUSPECTS_RISK_LIKELY;
	return err;
}

static enum err find_next(struct suspects_lines *j, struct suspects_line *ret, bool *ret_found)
{
	const struct suspects_engine *e = j->e;
	enum err err = ERR_OK;
	struct suspects_line best = {.ln_p = 0};
	bool any = false;
	suspects_lines_rest(j, j->line_count);
	for (uint32_t s = 0; s < e->set_count && err == ERR_OK; s++) {
		double ln, low = 0;
		bool matters = false;
		struct statistics_table t = suspects_lines_table(e, e->sets[s].bits, j->rest);
		if (suspects_lines_differ(j, &t, &ln, &low) && (!any || ln < best.ln_p))
			err = matters_within(j, s, &matters);
		if (matters) {
			best = (struct suspects_line){.set = s, .ln_p = ln, .risk_low = low};
			any = true;
		}
	}
	*ret_found = any && err == ERR_OK;
	if (!*ret_found)
		return err;
	best.candidate = e->contenders[e->sets[best.set].first];
	best.family = suspects_family(e, best.candidate);
	name_best(j, &best);
	*ret = best;
	return ERR_OK;
}

/* Lines before the last that do nothing without what the others name, or next to nothing: lists are not
 * always whole. */
static void give_up(struct suspects_lines *j)
{
	for (size_t l = 0; l + 1 < j->line_count;) {
		double ln, low;
		suspects_lines_rest(j, l);
		const uint64_t *bits = suspects_lines_blamed(j, &j->lines[l]);
		struct statistics_table t = suspects_lines_table(j->e, bits, j->rest);
		struct statistics_table all = suspects_lines_table(j->e, bits, j->e->all_bits);
		if (suspects_lines_differ(j, &t, &ln, &low) && OWN_SHARE * t.failed_with >= all.failed_with) {
			l++;
			continue;
		}
		memmove(&j->lines[l], &j->lines[l + 1], (j->line_count - l - 1) * sizeof(*j->lines));
		j->line_count--;
	}
}

/* What was found of a component that has its line already widens it. */
static bool widen(struct suspects_lines *j, const struct suspects_line *next)
{
	for (size_t l = 0; l < j->line_count; l++) {
		if (next->family != SUSPECTS_NONE && j->lines[l].family == next->family) {
			j->lines[l].wide = true;
			return true;
		}
	}
	return false;
}

enum err suspects_lines_find(struct suspects_lines *j)
{
	struct suspects_line next;
	for (unsigned step = 0; step < STEPS_MAX && j->line_count < SUSPECTS_LINES_MAX; step++) {
		bool found;
		enum err err = find_next(j, &next, &found);
		if (err != ERR_OK || !found)
			return err;
		if (widen(j, &next))
			continue;
		j->lines[j->line_count++] = next;
		give_up(j);
	}
	return ERR_OK;
}
