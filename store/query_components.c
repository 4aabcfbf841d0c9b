/* Who has which component: one pass over the hosts, counting per entry. */
#include <stdlib.h>
#include <string.h>

#include "store/query_private.h"

#define CHEAP_CHUNKS 16 /* new ones for each host: a changed driver is one, an image about twenty */

static bool counts(const struct roster_host *host)
{
	return host->state.status != HOST_LEFT && host->state.status != HOST_REPLACED &&
	       !roster_revoked(host);
}

/* A manifest that hosts name. */
struct wanted {
	struct id manifest;
	uint32_t hosts;
	bool good;   /* one of them in good standing and in the estate */
	size_t cost; /* chunks that it would add, for each of its hosts */
};

static int by_manifest(const void *a, const void *b)
{
	return id_compare(&((const struct wanted *)a)->manifest, &((const struct wanted *)b)->manifest);
}

/* Cheapest first, and those of hosts in good standing before all others. */
static int by_cost(const void *a, const void *b)
{
	const struct wanted *x = a, *y = b;
	if (x->good != y->good)
		return x->good ? -1 : 1;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->hosts != y->hosts ? (x->hosts > y->hosts ? -1 : 1) : by_manifest(a, b);
}

/* Distinct ones. */
static enum err list_wanted(struct query *q, struct wanted *list, size_t *ret_count)
{
	struct host_view view;
	size_t count = 0, kept = 0;
	for (size_t i = 0; i < q->roster.host_count; i++) {
		host_view_start(&view, q, &q->roster.hosts[i]);
		const struct components *c = host_components(&view);
		if (view.err != ERR_OK)
			return view.err;
		if (c != NULL && !id_is_zero(&c->manifest))
			list[count++] = (struct wanted){.manifest = c->manifest,
							.hosts = 1,
							.good = counts(view.host) &&
								view.host->state.standing <= STANDING_GRACE};
	}
	if (count > 0)
		qsort(list, count, sizeof(*list), by_manifest);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && id_equal(&list[kept - 1].manifest, &list[i].manifest)) {
			list[kept - 1].hosts++;
			list[kept - 1].good = list[kept - 1].good || list[i].good;
		} else {
			list[kept++] = list[i];
		}
	}
	*ret_count = kept;
	return ERR_OK;
}

static enum err load(struct query *q, const struct wanted *w)
{
	struct manifest_view manifest;
	enum err err = catalogue_manifest(q->catalogue, &w->manifest, &manifest);
	if (err == ERR_OK && manifest.left_out)
		q->left_out += w->hosts;
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err price(struct query *q, struct wanted *w)
{
	enum err err = catalogue_news(q->catalogue, &w->manifest, &w->cost);
	w->cost /= w->hosts;
	return err;
}

/* Hosts of one image share chunks, whoever invents components shares none: first all that cost little, then
 * the rest, whose cost is found anew as what they share with the others has come in by then. */
static enum err load_in_order(struct query *q, struct wanted *list, size_t count)
{
	size_t dear = 0;
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++)
		err = price(q, &list[i]);
	qsort(list, count, sizeof(*list), by_cost);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		err = price(q, &list[i]);
		if (err == ERR_OK && list[i].cost <= CHEAP_CHUNKS)
			err = load(q, &list[i]);
		else
			list[dear++] = list[i];
	}
	qsort(list, dear, sizeof(*list), by_cost);
	for (size_t i = 0; i < dear && err == ERR_OK; i++)
		err = load(q, &list[i]);
	return err;
}

enum err query_load_manifests(struct query *q)
{
	size_t count;
	if (q->manifests_loaded)
		return ERR_OK;
	struct wanted *list = malloc((q->roster.host_count + 1) * sizeof(*list));
	enum err err = list != NULL ? list_wanted(q, list, &count) : ERR_NOMEM;
	if (err == ERR_OK && count > 0)
		err = load_in_order(q, list, count);
	free(list);
	q->manifests_loaded = err == ERR_OK;
	return err;
}

static void count_host(struct query *q, const struct roster_host *host, const struct components *c,
		       const struct manifest_view *manifest)
{
	size_t index = 0;
	for (size_t i = 0; i < manifest->chunk_count; i++) {
		size_t count;
		const uint32_t *refs = catalogue_chunk(q->catalogue, manifest->chunks[i], &count);
		for (size_t k = 0; k < count; k++, index++) {
			struct catalogue_entry *e = catalogue_at(q->catalogue, refs[k]);
			e->hosts++;
			e->up += host->state.status == HOST_UP;
			e->dark += host->state.status == HOST_DARK;
			e->other += host->state.status != HOST_UP && host->state.status != HOST_DARK;
			e->loaded += index < LIMIT_COMPONENTS && components_loaded(c, index);
		}
	}
}

enum err query_count_components(struct query *q)
{
	struct host_view view;
	struct manifest_view manifest;
	if (q->components_counted)
		return ERR_OK;
	enum err err = query_load_manifests(q);
	for (size_t i = 0; i < q->roster.host_count && err == ERR_OK; i++) {
		if (!counts(&q->roster.hosts[i]))
			continue;
		host_view_start(&view, q, &q->roster.hosts[i]);
		const struct components *c = host_components(&view);
		err = view.err;
		if (err != ERR_OK || c == NULL || id_is_zero(&c->manifest))
			continue;
		if (catalogue_manifest(q->catalogue, &c->manifest, &manifest) == ERR_OK)
			count_host(q, view.host, c, &manifest);
	}
	q->components_counted = err == ERR_OK;
	return err;
}
