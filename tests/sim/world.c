#include "world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attacker.h"
#include "crypto/hash.h"

static void node_init(struct world *w, uint32_t index)
{
	struct node *n = &w->nodes[index];
	n->index = index;
	n->site = index % w->site_count;
	n->identity = estate_identity(w->seed, index);
	n->id = *identity_id(n->identity);
	n->address = net_address(index);
	n->certificate_len =
	    estate_certify(&w->estate, n->identity, w->site_names[n->site], index, n->certificate);
	/* Some have not heard of the second issuer yet; their own is the first. */
	CHECK(authlog_copy(index % 4 == 2 ? w->estate.short_log : w->estate.log, &n->log) == ERR_OK);
	n->seq_reserved = SIM_FIRST_SEQ + 1;
	n->last_seq = SIM_FIRST_SEQ;
	n->tick_queued = UINT64_MAX;
	n->changed_at = w->now;
	n->skew =
	    (int64_t)prng_below(&w->choice, 2 * (uint64_t)w->faults.skew_ms + 1) - (int64_t)w->faults.skew_ms;
	n->dark_at = sim_alloc(w->node_count, sizeof(*n->dark_at));
	n->dark_own_seq = sim_alloc(w->node_count, sizeof(*n->dark_own_seq));
	replica_init(&n->replica, w->node_count, w->site_count);
	sim_map_put(&w->nodes_by_id, id_short(&n->id), index);
	struct record r;
	CHECK(record_parse(n->certificate, n->certificate_len, &r) == ERR_OK);
	registry_add(&w->registry, &r, w->now);
}

struct world *world_new(const char *scenario, uint64_t seed, uint32_t hosts, uint32_t sites,
			const struct sim_faults *faults)
{
	struct world *w = sim_alloc(1, sizeof(*w));
	w->scenario = scenario;
	w->seed = seed;
	w->faults = *faults;
	w->now = SIM_START_MS;
	w->node_count = hosts;
	w->site_count = sites < hosts ? sites : hosts;
	prng_seed(&w->net, seed ^ 0x6e65742d6e65742d);
	prng_seed(&w->choice, seed ^ 0x63686f6963652d2d);
	estate_init(&w->estate, seed);
	memcpy(w->registry.set_key, w->estate.keys.set_key, KEY_BYTES);
	w->site_names = sim_alloc(w->site_count, sizeof(*w->site_names));
	w->site_ids = sim_alloc(w->site_count, sizeof(*w->site_ids));
	w->cut = sim_alloc((size_t)w->site_count * w->site_count, sizeof(*w->cut));
	w->healed_at = sim_alloc((size_t)w->site_count * w->site_count, sizeof(*w->healed_at));
	for (uint32_t i = 0; i < w->site_count; i++) {
		snprintf(w->site_names[i], sizeof(w->site_names[i]), "site-%u", i);
		w->site_ids[i] = id_of_site(w->site_names[i]);
	}
	w->nodes = sim_alloc(hosts, sizeof(*w->nodes));
	for (uint32_t i = 0; i < hosts; i++)
		node_init(w, i);
	w->track.at = sim_alloc(hosts, sizeof(*w->track.at));
	return w;
}

void world_free(struct world *w)
{
	if (w == NULL)
		return;
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		gossip_free(n->g);
		authlog_free(n->log);
		identity_free(n->identity);
		replica_free(&n->replica);
		free(n->seen);
		free(n->dark_at);
		free(n->dark_own_seq);
	}
	attacker_free(w->attacker);
	heap_free(&w->heap);
	registry_free(&w->registry);
	sim_map_free(&w->nodes_by_id);
	sim_map_free(&w->strangers);
	estate_free(&w->estate);
	free(w->nodes);
	free(w->site_names);
	free(w->site_ids);
	free(w->cut);
	free(w->healed_at);
	free(w->track.at);
	free(w);
}

wall_ms world_wall(const struct world *w)
{
	return SIM_WALL_START + w->wall_jump + w->now;
}

struct node *world_find(struct world *w, const struct id *id)
{
	uint32_t i = sim_map_get(&w->nodes_by_id, id_short(id));
	return i != SIM_MAP_NONE && id_equal(&w->nodes[i].id, id) ? &w->nodes[i] : NULL;
}

void world_stranger(struct world *w, const struct id *id)
{
	if (!world_is_stranger(w, id))
		sim_map_put(&w->strangers, id_short(id), w->stranger_count++);
}

bool world_is_stranger(const struct world *w, const struct id *id)
{
	return sim_map_get(&w->strangers, id_short(id)) != SIM_MAP_NONE;
}

void world_trace(struct world *w, const void *data, size_t len)
{
	const uint64_t link[3] = {w->trace, w->now, hash_checksum(data, len)};
	w->trace = hash_checksum(link, sizeof(link));
}

void world_fail(struct world *w, const struct node *n, const char *format, ...)
{
	if (w->failed)
		return;
	w->failed = true;
	int used = snprintf(w->failure, sizeof(w->failure), "at %llu.%03llu s",
			    (unsigned long long)(w->now / 1000), (unsigned long long)(w->now % 1000));
	if (n != NULL)
		used += snprintf(w->failure + used, sizeof(w->failure) - (size_t)used, ", host %u of %s",
				 n->index, w->site_names[n->site]);
	used += snprintf(w->failure + used, sizeof(w->failure) - (size_t)used, ": ");
	va_list args;
	va_start(args, format);
	vsnprintf(w->failure + used, sizeof(w->failure) - (size_t)used, format, args);
	va_end(args);
}

static void dispatch(struct world *w, struct sim_event *e)
{
	struct node *n = &w->nodes[e->node];
	const uint64_t head[2] = {(uint64_t)e->kind << 32 | e->node, e->len};
	world_trace(w, head, sizeof(head));
	switch (e->kind) {
	case SIM_DELIVER:
		node_deliver(w, n, e);
		break;
	case SIM_TICK:
		node_tick(w, n, e);
		break;
	case SIM_COMMIT:
		node_commit(w, n, e);
		break;
	}
}

bool world_run_until(struct world *w, mono_ms until)
{
	const struct sim_event *next;
	while (!w->failed && (next = heap_peek(&w->heap)) != NULL && next->at <= until) {
		struct sim_event e;
		heap_pop(&w->heap, &e);
		w->now = e.at;
		attacker_run(w);
		dispatch(w, &e);
		free(e.bytes);
		if (w->progress != NULL)
			w->progress(w->progress_context, w);
	}
	if (!w->failed && w->now < until)
		w->now = until;
	return !w->failed;
}

bool world_run_for(struct world *w, mono_ms duration)
{
	return world_run_until(w, w->now + duration);
}

bool world_run_while(struct world *w, mono_ms slice, mono_ms bound,
		     bool (*done)(struct world *w, void *context), void *context)
{
	mono_ms end = w->now + bound;
	while (!done(w, context)) {
		if (w->now >= end || !world_run_until(w, w->now + slice < end ? w->now + slice : end))
			return false;
	}
	return true;
}
