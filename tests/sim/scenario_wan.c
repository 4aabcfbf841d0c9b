/* Between sites: what crosses, and how soon another bridge stands in. */
#include "scenario.h"

#define SETTLE_BOUND_MS 90000
#define TAKEOVER_MS     15000 /* the design's promise */
#define TAKEOVER_ROUNDS 6
#define COPIES_RECORDS  40
#define COPIES_EVERY_MS 1500

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

/* Payloads that came from another site, for each record made meanwhile and each site that lacked it. */
void scenario_wan(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	world_run_for(w, 60000);
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
		report_put(r, "wan", urgent ? "copies_per_site_urgent" : "copies_per_site",
			   (double)(far_payloads(w) - payloads) / made, "copies");
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
