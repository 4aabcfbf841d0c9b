/* Sites whose hosts vanished all at once, as a power cut or a lost link does it. A component takes hosts down
 * one after the other, so the question is whether so many of one site within seconds is chance, given how
 * failures elsewhere spread over time. Where all the estate fails in the same seconds, it is. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "store/fates.h"
#include "store/suspects_private.h"

#define AT_ONCE_MS     10000 /* witnesses notice within that */
#define AT_ONCE_MIN    3
#define SILENT_MIN     2    /* nobody was left to tell */
#define SHARE_OF_SITE  0.75 /* some live on behind a battery */
#define PARTLY_CUT_MAX 2    /* sites of which less vanished: of more of them it is no coincidence */

/* The densest AT_ONCE_MS among a site's failures. */
struct cluster {
	size_t first, count;
};

static int by_site(const void *a, const void *b)
{
	const struct suspects_host *const *x = a, *const *y = b;
	if ((*x)->site != (*y)->site)
		return (*x)->site < (*y)->site ? -1 : 1;
	return ((*x)->at > (*y)->at) - ((*x)->at < (*y)->at);
}

static int by_time(const void *a, const void *b)
{
	wall_ms x = *(const wall_ms *)a, y = *(const wall_ms *)b;
	return (x > y) - (x < y);
}

static struct cluster densest(struct suspects_host *const *failed, size_t count)
{
	struct cluster best = {0, 0};
	for (size_t first = 0, end = 0; first < count; first++) {
		while (end < count && failed[end]->at - failed[first]->at <= AT_ONCE_MS)
			end++;
		if (end - first > best.count)
			best = (struct cluster){first, end - first};
	}
	return best;
}

/* Times before `t`. */
static size_t before(const wall_ms *times, size_t count, wall_ms t)
{
	size_t first = 0, last = count;
	while (first < last) {
		size_t middle = first + (last - first) / 2;
		if (times[middle] < t)
			first = middle + 1;
		else
			last = middle;
	}
	return first;
}

struct scan {
	struct suspects_engine *e;
	struct suspects_host **failed; /* by site, then time */
	wall_ms *times;                /* of all failures, in order */
	size_t count;
	uint32_t *up; /* by site: hosts that are counted */
};

static double chance_of(const struct scan *s, struct suspects_host *const *failed, size_t count,
			struct cluster c)
{
	wall_ms from = failed[c.first]->at, window = s->e->options->until - s->e->options->since;
	size_t there = before(s->times, s->count, from + AT_ONCE_MS + 1) - before(s->times, s->count, from);
	size_t elsewhere = s->count - count, elsewhere_then = there > c.count ? there - c.count : 0;
	double uniform = window > AT_ONCE_MS ? (double)AT_ONCE_MS / (double)window : 1;
	double share = ((double)elsewhere_then + uniform) / ((double)elsewhere + 1);
	/* Any of its failures might have been the first of such a cluster, in any site. */
	return statistics_binomial(count, c.count, share) + log((double)count) +
	       log((double)s->e->q->roster.site_total);
}

static void judge_site(struct scan *s, struct suspects_host **failed, size_t count, bool partly)
{
	struct suspects_engine *e = s->e;
	struct cluster c = densest(failed, count);
	size_t silent = 0, earlier = c.first;
	for (size_t i = 0; i < c.count; i++)
		silent += failed[c.first + i]->silent;
	size_t least = silent == c.count ? SILENT_MIN : AT_ONCE_MIN;
	if (c.count < least || 2 * c.count < count || chance_of(s, failed, count, c) > SUSPECTS_LN_ALPHA)
		return;
	size_t up = s->up[failed[0]->site] - earlier;
	if (((double)c.count < SHARE_OF_SITE * (double)up) != partly)
		return;
	e->cuts[e->cut_count++] = (struct suspects_cut){.site = failed[0]->site,
							.from = failed[c.first]->at,
							.to = failed[c.first + c.count - 1]->at,
							.hosts = c.count,
							.up = up};
}

static void judge_sites(struct scan *s, bool partly)
{
	for (size_t first = 0, end; first < s->count; first = end) {
		for (end = first; end < s->count && s->failed[end]->site == s->failed[first]->site; end++)
			continue;
		judge_site(s, s->failed + first, end - first, partly);
	}
}

static int most_hosts(const void *a, const void *b)
{
	const struct suspects_cut *x = a, *y = b;
	if (x->hosts != y->hosts)
		return x->hosts > y->hosts ? -1 : 1;
	return (x->site > y->site) - (x->site < y->site);
}

static void set_apart(struct suspects_engine *e)
{
	uint32_t *cut_of = calloc(e->q->roster.site_total + 1, sizeof(*cut_of));
	for (size_t i = 0; i < e->cut_count && cut_of != NULL; i++)
		cut_of[e->cuts[i].site] = (uint32_t)i + 1;
	for (size_t i = 0; i < e->host_count && cut_of != NULL; i++) {
		struct suspects_host *h = &e->hosts[i];
		const struct suspects_cut *c = cut_of[h->site] != 0 ? &e->cuts[cut_of[h->site] - 1] : NULL;
		if (c == NULL || h->class != SUSPECTS_FAILED || h->at < c->from || h->at > c->to)
			continue;
		h->class = SUSPECTS_SEPARATE;
		e->ret->separate_hosts++;
	}
	e->ret->separate_sites = e->cut_count;
	free(cut_of);
}

static enum err scan(struct scan *s)
{
	struct suspects_engine *e = s->e;
	for (size_t i = 0; i < e->q->roster.site_count && e->only_down; i++)
		s->up[i] = e->q->roster.sites[i].counts.by_status[HOST_UP];
	for (size_t i = 0; i < e->host_count; i++) {
		s->up[e->hosts[i].site]++;
		if (e->hosts[i].class != SUSPECTS_FAILED)
			continue;
		s->times[s->count] = e->hosts[i].at;
		s->failed[s->count++] = &e->hosts[i];
	}
	if (s->count == 0)
		return ERR_OK;
	qsort(s->failed, s->count, sizeof(struct suspects_host *), by_site);
	qsort(s->times, s->count, sizeof(*s->times), by_time);
	judge_sites(s, false);
	size_t whole = e->cut_count;
	judge_sites(s, true);
	if (!e->any_partly && e->cut_count - whole > PARTLY_CUT_MAX)
		e->cut_count = whole;
	qsort(e->cuts, e->cut_count, sizeof(*e->cuts), most_hosts);
	set_apart(e);
	return ERR_OK;
}

enum err suspects_sites(struct suspects_engine *e)
{
	size_t sites = e->q->roster.site_total;
	struct scan s = {.e = e,
			 .failed = malloc((e->host_count + 1) * sizeof(*s.failed)),
			 .times = malloc((e->host_count + 1) * sizeof(*s.times)),
			 .up = calloc(sites + 1, sizeof(*s.up))};
	e->cuts = calloc(2 * sites + 1, sizeof(*e->cuts));
	enum err err =
	    s.failed != NULL && s.times != NULL && s.up != NULL && e->cuts != NULL ? scan(&s) : ERR_NOMEM;
	free(s.failed);
	free(s.times);
	free(s.up);
	return err;
}

/* --- by what is known of those that are down --- */

/* `places`: by site, its cut + 1; 0: it has none yet. */
static void set_host_apart(struct suspects_engine *e, struct suspects_host *h, uint32_t *places)
{
	if (places[h->site] == 0) {
		e->cuts[e->cut_count++] = (struct suspects_cut){.site = h->site, .from = h->at, .to = h->at};
		places[h->site] = (uint32_t)e->cut_count;
	}
	struct suspects_cut *c = &e->cuts[places[h->site] - 1];
	c->from = h->at < c->from ? h->at : c->from;
	c->to = h->at > c->to ? h->at : c->to;
	c->hosts++;
	h->class = SUSPECTS_SEPARATE;
	e->ret->separate_hosts++;
}

/* How many were there before, of the cuts from `first` on. */
static void count_up(struct suspects_engine *e, const uint32_t *places, size_t first)
{
	for (size_t i = 0; i < e->host_count; i++) {
		uint32_t place = places[e->hosts[i].site];
		if (place > first)
			e->cuts[place - 1].up++;
	}
}

/* A crash that a host told of speaks for itself: such a one has no last words and stays. */
enum err suspects_fates(struct suspects_engine *e)
{
	const struct fates *fates;
	size_t known = e->cut_count;
	enum err err = fates_load(e->q, &fates);
	uint32_t *places = calloc(e->q->roster.site_total + 1, sizeof(*places));
	if (err == ERR_OK && places == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; i < known && err == ERR_OK; i++)
		places[e->cuts[i].site] = (uint32_t)i + 1;
	for (size_t i = 0; i < e->host_count && err == ERR_OK; i++) {
		struct suspects_host *h = &e->hosts[i];
		if (h->class != SUSPECTS_FAILED || !h->last_words)
			continue;
		const struct fate *fate = fates_find(fates, h->number);
		if (fate != NULL && fate->fate == HOST_FATE_POWER)
			set_host_apart(e, h, places);
	}
	if (err == ERR_OK && e->cut_count > known)
		count_up(e, places, known);
	if (err == ERR_OK && e->cut_count > 0)
		qsort(e->cuts, e->cut_count, sizeof(*e->cuts), most_hosts);
	e->ret->separate_sites = e->cut_count;
	free(places);
	return err;
}
