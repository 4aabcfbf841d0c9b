/* Retention: nodes drop blobs that no record of their replica names, each at times of its own and without any
 * grace, while hosts change their manifests and change them back, and nodes crash. When it ends, everybody
 * has what the records name, and nobody is handed again what it dropped. */
#include <stdlib.h>
#include <string.h>

#include "record/body.h"
#include "record/manifest.h"
#include "scenario.h"

#define SETTLE_BOUND_MS 120000
#define CHANGE_MS       3000
#define SWEEP_MS        2000
#define CRASH_MS        20000
#define QUIET_MS        600000
#define VERSIONS        3 /* so few that each comes again */
#define LIST_DEPTH      2

static void need(const struct world *w, bool *needed, const struct id *id, unsigned depth)
{
	const struct sim_blob *blob = registry_find_blob(&w->registry, id);
	const uint8_t *ids;
	size_t count;
	if (blob == NULL)
		return;
	needed[sim_map_get(&w->registry.blobs_by_id, id_short(id))] = true;
	if (depth == LIST_DEPTH || blob_list(blob->bytes, blob->len, &ids, &count) != ERR_OK)
		return;
	for (size_t i = 0; i < count; i++) {
		struct id child;
		memcpy(child.b, ids + i * ID_BYTES, ID_BYTES);
		need(w, needed, &child, depth + 1);
	}
}

/* By index; the caller's to free. */
static bool *needed_by(const struct world *w, const struct node *n)
{
	bool *needed = sim_alloc(w->registry.blob_count + 1, sizeof(*needed));
	for (size_t i = 0; i < n->replica.row_count; i++) {
		const struct sim_record *s = n->replica.rows[i].pending;
		struct record r;
		struct components c;
		if (s != NULL && s->key.kind == RECORD_COMPONENTS &&
		    record_parse(s->bytes, s->len, &r) == ERR_OK &&
		    components_decode(r.body, r.body_len, &c) == ERR_OK)
			need(w, needed, &c.manifest, 0);
	}
	return needed;
}

static size_t sweep(struct world *w, struct node *n)
{
	bool *needed = needed_by(w, n);
	struct id *ids = sim_alloc(w->registry.blob_count + 1, sizeof(*ids));
	size_t count = 0;
	for (uint32_t i = 0; i < w->registry.blob_count; i++)
		if (!needed[i] && replica_has_blob(&n->replica, i))
			ids[count++] = w->registry.blobs[i]->id;
	count = gossip_forget_blobs(n->g, ids, count);
	for (size_t i = 0; i < count; i++)
		replica_drop_blob(&n->replica, sim_map_get(&w->registry.blobs_by_id, id_short(&ids[i])));
	free(ids);
	free(needed);
	return count;
}

static struct node *some(struct world *w)
{
	for (;;) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		if (n->g != NULL)
			return n;
	}
}

static uint64_t blobs_in(const struct world *w)
{
	uint64_t total = 0;
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct gossip_status s;
		gossip_status(w->nodes[i].g, &s);
		total += s.counters.blobs_in;
	}
	return total;
}

static void check_blobs(struct world *w)
{
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		struct node *n = &w->nodes[i];
		bool *needed = needed_by(w, n);
		for (uint32_t b = 0; b < w->registry.blob_count && !w->failed; b++)
			if (needed[b] != replica_has_blob(&n->replica, b))
				world_fail(w, n,
					   needed[b] ? "lacks a blob that a record names"
						     : "has a blob that no record names");
		free(needed);
	}
}

static void act(struct world *w)
{
	if (prng_below(&w->choice, CHANGE_MS) < 1000) {
		struct node *n = some(w);
		n->version = (uint32_t)prng_below(&w->choice, VERSIONS);
		host_publish_components(w, n);
	}
	if (prng_below(&w->choice, SWEEP_MS) < 1000 && !w->failed)
		(void)sweep(w, some(w));
	if (prng_below(&w->choice, CRASH_MS) < 1000 && !w->failed) {
		struct node *n = some(w);
		node_crash(w, n, false);
		node_start(w, n, true);
	}
}

void scenario_sweep(struct world *w, struct report *r)
{
	size_t dropped = 0;
	judge_start_all(w, true, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after the start");
	for (mono_ms end = w->now + w->minutes * CLOCK_MINUTE_MS; w->now < end && !w->failed;) {
		act(w);
		world_run_for(w, 1000);
	}
	judge_settle(w, SETTLE_BOUND_MS, "when nobody changes any more");
	if (w->failed)
		return;
	uint64_t before = blobs_in(w);
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		dropped += sweep(w, &w->nodes[i]);
		world_run_for(w, QUIET_MS / w->node_count);
	}
	if (w->failed)
		return;
	report_put(r, "sweep", "blobs_again", (double)(blobs_in(w) - before), "blobs");
	if (blobs_in(w) != before)
		world_fail(w, &w->nodes[0], "somebody is handed again what was dropped");
	else if (dropped == 0)
		world_fail(w, &w->nodes[0], "nothing was left to be dropped: the scenario shows nothing");
	check_blobs(w);
}
