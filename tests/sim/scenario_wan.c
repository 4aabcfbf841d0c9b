/* Between sites: what crosses, and how soon another bridge stands in. */
#include "gossip/core.h"
#include "scenario.h"

#define SETTLE_BOUND_MS 90000
#define TAKEOVER_MS     15000 /* the design's promise */
#define TAKEOVER_ROUNDS 6
#define COPIES_RECORDS  40
#define COPIES_EVERY_MS 1500
#define COPIES_MOST     1.15
#define WAYS_EACH       4 /* pairs of sites to which there may be one more */
#define FEW_SITES       6
#define COPIES_MOST_FAR 1.35 /* among more sites, of which some are two edges away */

static uint64_t far_payloads(const struct world *w)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < w->node_count; i++) {
		struct gossip_status s;
		gossip_status(w->nodes[i].g, &s);
		total += s.counters.far_payloads_in;
	}
	return total;
}

static uint64_t far_bytes(const struct world *w)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < w->site_count; i++)
		total += w->wan_bytes[i];
	return total;
}

/* Does any node of `by` hand news of `origin` to `far` at once? */
static bool on_the_way(const struct world *w, uint32_t by, uint32_t origin, uint32_t far)
{
	for (uint32_t i = by; i < w->node_count; i += w->site_count) {
		const struct gossip *g = w->nodes[i].g;
		const struct site *from = site_find(g, &w->site_ids[origin]);
		const struct site *to = site_find(g, &w->site_ids[far]);
		for (size_t k = 0; k < to->count; k++)
			if (edge_carries(g, to->members[k]) && edge_at_once(g, from, to->members[k]))
				return true;
	}
	return false;
}

/* All ends of edges worked out the same ways: news of each site come to each other one from one site, but for
 * some that were late in the bustle of the start. */
static void check_ways(struct world *w, struct report *r)
{
	uint32_t all = 0, pairs = w->site_count * (w->site_count - 1);
	for (uint32_t origin = 0; origin < w->site_count; origin++) {
		for (uint32_t far = 0; far < w->site_count; far++) {
			uint32_t ways = 0;
			for (uint32_t by = 0; by < w->site_count && far != origin; by++)
				ways += by != far && on_the_way(w, by, origin, far);
			all += ways;
			if (far != origin && ways == 0)
				world_fail(w, NULL, "news of site %u come to site %u only late", origin, far);
		}
	}
	report_put(r, "wan", "ways", (double)all / pairs, "ways");
	if (all * WAYS_EACH > pairs * (WAYS_EACH + 1))
		world_fail(w, NULL, "%u ways between %u pairs of sites", all, pairs);
}

/* Payloads that came from another site, for each record made meanwhile and each site that lacked it. */
void scenario_wan(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	world_run_for(w, 60000);
	if (!w->failed)
		check_ways(w, r);
	for (int urgent = 0; urgent <= 1 && !w->failed; urgent++) {
		uint64_t payloads = far_payloads(w), bytes = far_bytes(w);
		size_t records = w->registry.record_count;
		mono_ms since = w->now;
		for (int i = 0; i < COPIES_RECORDS && !w->failed; i++) {
			struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
			host_publish_health(w, n, urgent ? GOSSIP_URGENT : GOSSIP_ROUTINE);
			world_run_for(w, COPIES_EVERY_MS);
		}
		world_run_for(w, 10000);
		if (w->failed)
			return;
		double made = (double)(w->registry.record_count - records) * (w->site_count - 1);
		double copies = (double)(far_payloads(w) - payloads) / made;
		report_put(r, "wan", urgent ? "copies_per_site_urgent" : "copies_per_site", copies, "copies");
		if (copies > (w->site_count <= FEW_SITES ? COPIES_MOST : COPIES_MOST_FAR))
			world_fail(w, NULL, "each site gets what is new %.2f times", copies);
		report_put(r, "wan", urgent ? "sent_per_site_urgent" : "sent_per_site",
			   (double)(far_bytes(w) - bytes) / w->site_count / judge_seconds(w->now - since),
			   "B/s");
	}
	judge_settle(w, SETTLE_BOUND_MS, "at the end");
}

static struct node *some(struct world *w, uint32_t site, bool bridge)
{
	for (;;) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		struct gossip_status s;
		if (n->g == NULL || n->site != site)
			continue;
		gossip_status(n->g, &s);
		if (s.bridge == bridge)
			return n;
	}
}

static bool reached(struct world *w, void *unused)
{
	(void)unused;
	for (uint32_t i = 0; i < w->node_count; i++)
		if (w->nodes[i].g != NULL && w->track.at[i] == 0)
			return false;
	return true;
}

/* The bridge dies, and what is said on either side reaches the other all the same. */
void scenario_takeover(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	for (uint32_t round = 0; round < TAKEOVER_ROUNDS && !w->failed; round++) {
		world_run_for(w, 30000);
		if (w->failed)
			return;
		uint32_t site = round % w->site_count;
		struct node *victim = some(w, site, true);
		node_crash(w, victim, false);
		mono_ms since = w->now;
		struct node *n = some(w, (site + round / 2) % w->site_count, false);
		for (uint32_t i = 0; i < w->node_count; i++)
			w->track.at[i] = 0;
		const struct sim_record *s = host_publish_health(w, n, GOSSIP_URGENT);
		if (s == NULL)
			return;
		w->track.id = s->id;
		w->track.at[n->index] = w->now;
		if (!world_run_while(w, 50, TAKEOVER_MS, reached, NULL) && !w->failed)
			world_fail(w, victim, "a bridge died, and news have not crossed after %.0f s",
				   judge_seconds(TAKEOVER_MS));
		w->track.id = 0;
		report_put(r, "takeover", "news_cross_again", judge_seconds(w->now - since), "s");
		if (!w->failed)
			node_start(w, victim, true);
	}
	judge_settle(w, SETTLE_BOUND_MS, "at the end");
}
