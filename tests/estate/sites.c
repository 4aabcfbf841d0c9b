/* Sites: a few big data centres and offices, many small shops, and who is at home where. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/estate/world.h"

static enum site_kind kind_of(size_t index, size_t sites)
{
	size_t centres = 1 + sites / 60, offices = 1 + sites / 18, warehouses = 1 + sites / 10;
	if (index < centres)
		return SITE_DATA_CENTRE;
	if (index < centres + offices)
		return SITE_OFFICE;
	return index < centres + offices + warehouses ? SITE_WAREHOUSE : SITE_SHOP;
}

/* Sizes that add up to the hosts, as near to the weights as whole numbers get, at least one each. */
static void share_out(const double *weights, size_t sites, size_t hosts, size_t *ret_sizes)
{
	double sum = 0, part = 0;
	size_t given = 0, left = hosts - sites;
	for (size_t i = 0; i < sites; i++)
		sum += weights[i];
	for (size_t i = 0; i < sites; i++) {
		part += weights[i];
		size_t up_to = i + 1 == sites ? left : (size_t)(part / sum * (double)left);
		ret_sizes[i] = 1 + up_to - given;
		given = up_to;
	}
	/* What is too much for one goes to the next that has room. */
	for (size_t i = 0, to = 0; i < sites; i++) {
		while (ret_sizes[i] > ESTATE_SITE_HOSTS_MAX) {
			while (ret_sizes[to] >= ESTATE_SITE_HOSTS_MAX)
				to++;
			ret_sizes[i]--;
			ret_sizes[to]++;
		}
	}
}

static void draw_sites(struct estate *e, double *weights)
{
	static const double shares[SITE_KINDS] = {
	    [SITE_DATA_CENTRE] = 0.24, [SITE_OFFICE] = 0.26, [SITE_WAREHOUSE] = 0.14, [SITE_SHOP] = 0.36};
	struct prng p = draw_stream(e, STREAM_SITES, 0);
	double sums[SITE_KINDS] = {0};
	size_t rank[SITE_KINDS] = {0};
	for (size_t i = 0; i < e->o->sites; i++) {
		struct site *s = &e->sites[i];
		names_site(i, s->name);
		s->kind = kind_of(i, e->o->sites);
		/* Shops differ by chance, the others by rank. */
		weights[i] =
		    s->kind == SITE_SHOP ? exp(0.9 * draw_normal(&p)) : pow((double)++rank[s->kind], -0.8);
		sums[s->kind] += weights[i];
	}
	for (size_t i = 0; i < e->o->sites; i++)
		weights[i] *= shares[e->sites[i].kind] / sums[e->sites[i].kind];
}

/* The first hosts are one of each site, in order; the others come in any order. */
static void place_hosts(struct estate *e, const size_t *sizes)
{
	struct prng p = draw_stream(e, STREAM_PLACES, 0);
	size_t next = 0;
	for (size_t i = 0; i < e->o->sites; i++)
		e->hosts[next++].site = i;
	for (size_t i = 0; i < e->o->sites; i++) {
		for (size_t k = 1; k < sizes[i]; k++)
			e->hosts[next++].site = i;
	}
	for (size_t i = e->o->hosts - 1; i > e->o->sites; i--) {
		size_t other = e->o->sites + (size_t)prng_below(&p, i - e->o->sites + 1);
		size_t site = e->hosts[i].site;
		e->hosts[i].site = e->hosts[other].site;
		e->hosts[other].site = site;
	}
}

enum err sites_make(struct estate *e)
{
	size_t count = e->o->sites;
	double *weights = calloc(count, sizeof(*weights));
	size_t *sizes = calloc(count, sizeof(*sizes));
	e->sites = calloc(count, sizeof(*e->sites));
	e->hosts = calloc(e->o->hosts, sizeof(*e->hosts));
	enum err err = weights && sizes && e->sites && e->hosts ? ERR_OK : ERR_NOMEM;
	if (err == ERR_OK) {
		draw_sites(e, weights);
		share_out(weights, count, e->o->hosts, sizes);
		place_hosts(e, sizes);
	}
	free(weights);
	free(sizes);
	return err;
}

static int by_id(const void *a, const void *b, void *context)
{
	const struct estate *e = context;
	return id_compare(&e->hosts[*(const uint32_t *)a].id, &e->hosts[*(const uint32_t *)b].id);
}

enum err sites_rosters(struct estate *e)
{
	for (size_t i = 0; i < e->o->hosts; i++) {
		struct site *s = &e->sites[e->hosts[i].site];
		/* The revoked are in no roster. */
		if (e->o->trouble && (i == ESTATE_REVOKED || i == ESTATE_ISSUER_REVOKED))
			continue;
		if (s->count == s->capacity) {
			size_t capacity = s->capacity == 0 ? 8 : s->capacity * 2;
			uint32_t *members = realloc(s->members, capacity * sizeof(*members));
			if (members == NULL)
				return ERR_NOMEM;
			s->members = members;
			s->capacity = capacity;
		}
		s->members[s->count++] = (uint32_t)i;
	}
	for (size_t i = 0; i < e->o->sites; i++)
		qsort_r(e->sites[i].members, e->sites[i].count, sizeof(uint32_t), by_id, e);
	return ERR_OK;
}
