#include "store/alerts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LN_ALPHA       (-6.907755278982137) /* ln 0.001, among hosts of one model */
#define RISK_MIN       2.0                  /* likewise */
#define STOPPED_GAPS   5                    /* without a host for so many times what one took */
#define STOPPED_MIN_MS (15 * CLOCK_MINUTE_MS)
#define LEAD_MAX_S     (365.0 * 86400)

static bool warns(const struct suspect *s)
{
	const struct suspect_spread *p = &s->spread;
	bool blamed = s->verdict == SUSPECT_STRONG || s->verdict == SUSPECT_LIKELY;
	if (!blamed || s->component_kind == NULL)
		return false;
	/* What nobody was seen to take is no news, unless it is past doubt. */
	if (p->adopted == 0 && s->verdict != SUSPECT_STRONG)
		return false;
	return p->compared && p->ln_p <= LN_ALPHA && p->risk.low >= RISK_MIN;
}

/* --- lead time --- */

/* Ends of the 95 % interval of a Poisson count (Wilson and Hilferty). */
static double count_low(double n)
{
	double root = 1 - 1 / (9 * n) - 1.96 / (3 * sqrt(n));
	return n * root * root * root;
}

static double count_high(double n)
{
	double root = 1 - 1 / (9 * (n + 1)) + 1.96 / (3 * sqrt(n + 1));
	return (n + 1) * root * root * root;
}

static uint64_t seconds_of(double rest, double count, double span_s)
{
	double s = count > 0 ? rest / count * span_s : LEAD_MAX_S;
	return (uint64_t)(s < LEAD_MAX_S ? s : LEAD_MAX_S);
}

static void add_lead(struct alert *a, wall_ms until)
{
	const struct suspect_spread *s = &a->what.spread;
	uint64_t hosts = s->adopted + s->died_untold;
	wall_ms first = s->first_failed, last = s->last_failed;
	uint64_t rest = a->what.kind == SUSPECT_COMPONENT ? s->adopters_up : s->others_up;
	if (s->first_adopted != 0 && s->first_adopted < first)
		first = s->first_adopted;
	if (s->last_adopted > last)
		last = s->last_adopted;
	if (hosts == 0 || rest == 0 || first >= until)
		return;
	uint64_t span = until - first, quiet = until > last ? until - last : 0;
	if (quiet > STOPPED_MIN_MS && quiet > STOPPED_GAPS * span / hosts)
		return;
	double half = (double)rest / 2, span_s = (double)span / (double)CLOCK_SECOND_MS;
	a->lead_known = true;
	a->lead_low_s = seconds_of(half, count_high((double)hosts), span_s);
	a->lead_high_s = seconds_of(half, count_low((double)hosts), span_s);
}

/* --- windows --- */

static unsigned count_together(const struct suspects *all, unsigned line)
{
	unsigned count = 0;
	for (size_t i = 0; i < all->count; i++)
		count += all->rows[i].verdict == SUSPECT_TOGETHER && all->rows[i].of == line;
	return count;
}

static bool is_told(const struct alerts *a, const struct suspect *s)
{
	for (size_t i = 0; i < a->count; i++) {
		const struct suspect *told = &a->list[i].what;
		if (strcmp(told->component_kind, s->component_kind) == 0 && strcmp(told->name, s->name) == 0)
			return true;
	}
	return false;
}

static enum err take_lines(struct alerts *a, const struct suspects *all, uint64_t window_ms)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct suspect *s = &all->rows[i];
		if (!warns(s) || is_told(a, s))
			continue;
		struct alert *grown = realloc(a->list, (a->count + 1) * sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		a->list = grown;
		struct alert *alert = &grown[a->count++];
		*alert = (struct alert){
		    .what = *s, .window_ms = window_ms, .together = count_together(all, s->line)};
		add_lead(alert, a->until);
	}
	return ERR_OK;
}

static enum err look(struct query *q, const char *where, uint64_t window_ms, struct alerts *a,
		     struct err_info *info)
{
	struct suspects all;
	struct suspects_options o = {.since = a->until > window_ms ? a->until - window_ms : 0,
				     .until = a->until,
				     .where = where,
				     .spread = true};
	enum err err = suspects_find(q, &o, &all, info);
	if (err != ERR_OK)
		return err;
	if (window_ms == ALERTS_WINDOW_LONG_MS) {
		a->failed = all.failed;
		a->survived = all.survived;
		a->separate_hosts = all.separate_hosts;
		a->outcome = all.outcome;
	}
	err = take_lines(a, &all, window_ms);
	suspects_free(&all);
	return err == ERR_OK ? ERR_OK : err_set(info, err, "%s", err_text(err));
}

static int worst_first(const void *a, const void *b)
{
	const struct suspect *x = &((const struct alert *)a)->what, *y = &((const struct alert *)b)->what;
	if (x->verdict != y->verdict)
		return x->verdict < y->verdict ? -1 : 1;
	return (x->ln_p > y->ln_p) - (x->ln_p < y->ln_p);
}

enum err alerts_find(struct query *q, wall_ms until, const char *where, struct alerts *ret,
		     struct err_info *info)
{
	static const uint64_t windows[] = {ALERTS_WINDOW_LONG_MS, ALERTS_WINDOW_SHORT_MS};
	struct alerts found = {.until = until};
	enum err err = ERR_OK;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]) && err == ERR_OK; i++)
		err = look(q, where, windows[i], &found, info);
	if (err != ERR_OK) {
		alerts_free(&found);
		return err;
	}
	if (found.count > 1)
		qsort(found.list, found.count, sizeof(*found.list), worst_first);
	*ret = found;
	return ERR_OK;
}

void alerts_free(struct alerts *a)
{
	free(a->list);
	a->list = NULL;
	a->count = 0;
}
