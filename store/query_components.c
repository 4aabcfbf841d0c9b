/* Who has which component: one pass over the hosts, counting per entry. */
#include <string.h>

#include "store/query_private.h"

static bool counts(const struct roster_host *host)
{
	return host->state.status != HOST_LEFT && host->state.status != HOST_REPLACED &&
	       !roster_revoked(host);
}

enum err query_load_manifests(struct query *q)
{
	struct host_view view;
	struct manifest_view manifest;
	if (q->manifests_loaded)
		return ERR_OK;
	for (size_t i = 0; i < q->roster.host_count; i++) {
		host_view_start(&view, q, &q->roster.hosts[i]);
		const struct components *c = host_components(&view);
		if (view.err != ERR_OK)
			return view.err;
		if (c == NULL || id_is_zero(&c->manifest))
			continue;
		enum err err = catalogue_manifest(q->catalogue, &c->manifest, &manifest);
		if (err != ERR_OK && err != ERR_NOT_FOUND)
			return err;
	}
	q->manifests_loaded = true;
	return ERR_OK;
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
