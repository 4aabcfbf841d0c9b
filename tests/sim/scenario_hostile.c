/* What must not happen: forged, chaos. */
#include <stdlib.h>

#include "attacker.h"
#include "scenario.h"

#define SETTLE_BOUND_MS 60000

void scenario_forged(struct world *w, struct report *r)
{
	/* The last host's key is stolen before it ever ran; the thief sits at its address. */
	struct node *insider = &w->nodes[w->node_count - 1];
	for (uint32_t i = 0; i + 1 < w->node_count && !w->failed; i++)
		node_start(w, &w->nodes[i], true);
	world_run_for(w, 20000);
	attacker_start(w, 5, insider);
	for (int i = 0; i < 60 && !w->failed; i++) {
		host_publish_health(w, &w->nodes[prng_below(&w->choice, w->node_count - 1)],
				    i % 5 == 0 ? GOSSIP_URGENT : GOSSIP_ROUTINE);
		world_run_for(w, 1000);
	}
	attacker_stop(w);
	struct attacker_counts c = attacker_counts(w);
	if (!w->failed && (c.noise == 0 || c.replayed == 0 || c.bent == 0 || c.hellos == 0 ||
			   c.sessions == 0 || c.records < 100))
		world_fail(w, NULL, "the attacker did not get to attack: %llu sessions, %llu records",
			   (unsigned long long)c.sessions, (unsigned long long)c.records);
	mono_ms took = judge_settle(w, SETTLE_BOUND_MS, "after the attack");
	report_put(r, "forged", "agree_after", judge_seconds(took), "s");
	uint64_t refused = 0;
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		struct gossip_status s;
		if (w->nodes[i].g == NULL)
			continue;
		gossip_status(w->nodes[i].g, &s);
		refused += s.counters.records_bad_signature + s.counters.records_untrusted;
	}
	if (!w->failed && refused == 0)
		world_fail(w, NULL, "no node refused a forged record: none got that far");
}

static bool once_every(struct world *w, uint32_t every_ms, mono_ms slice)
{
	return every_ms != 0 && prng_below(&w->choice, every_ms) < slice;
}

struct chaos {
	mono_ms *start_at; /* by node: 0 not planned */
	mono_ms *heal_at;  /* by pair of sites */
};

static void chaos_hosts(struct world *w, struct chaos *c, mono_ms slice)
{
	const struct sim_faults *f = &w->faults;
	struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
	bool steady = n->g != NULL && w->now >= n->paused_until;
	if (once_every(w, f->pause_every_ms, slice) && steady)
		node_pause(w, n, prng_below(&w->choice, f->pause_max_ms));
	n = &w->nodes[prng_below(&w->choice, w->node_count)];
	steady = n->g != NULL && w->now >= n->paused_until;
	if (once_every(w, f->crash_every_ms, slice) && steady) {
		c->start_at[n->index] = w->now + 1 + prng_below(&w->choice, f->down_max_ms);
		if (prng_chance(&w->choice, 0.25))
			node_leave(w, n, prng_chance(&w->choice, 0.5) ? GOODBYE_STOPPED : GOODBYE_ASLEEP);
		else
			node_crash(w, n, prng_chance(&w->choice, f->lose_replica) != 0);
	}
	n = &w->nodes[prng_below(&w->choice, w->node_count)];
	steady = n->g != NULL && w->now >= n->paused_until;
	if (once_every(w, f->publish_every_ms, slice) && steady && !w->failed) {
		if (prng_chance(&w->choice, 0.3))
			host_publish_crash(w, n);
		else
			host_publish_health(w, n, GOSSIP_ROUTINE);
	}
}

static void chaos_cuts(struct world *w, struct chaos *c, mono_ms slice)
{
	const struct sim_faults *f = &w->faults;
	uint32_t a = (uint32_t)prng_below(&w->choice, w->site_count);
	uint32_t b = (uint32_t)prng_below(&w->choice, w->site_count);
	mono_ms *heal_at = &c->heal_at[a * w->site_count + b];
	if (once_every(w, f->cut_every_ms, slice) && a != b && *heal_at == 0) {
		net_cut(w, a, b, true);
		*heal_at = w->now + 1 + prng_below(&w->choice, f->cut_max_ms);
	}
	struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
	if (once_every(w, f->cut_every_ms, slice))
		net_isolate(w, n, !n->isolated);
}

/* What was to end ends; with `all`, everything. */
static void chaos_mend(struct world *w, struct chaos *c, bool all)
{
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		struct node *n = &w->nodes[i];
		if (n->g == NULL && (all || w->now >= c->start_at[i]))
			node_start(w, n, true);
		if (n->isolated && all)
			net_isolate(w, n, false);
	}
	for (uint32_t p = 0; p < w->site_count * w->site_count; p++) {
		if (c->heal_at[p] != 0 && (all || w->now >= c->heal_at[p])) {
			net_cut(w, p / w->site_count, p % w->site_count, false);
			c->heal_at[p] = 0;
		}
	}
}

/* By when all agree again after the last fault: who heard of one late believes it when its signers sign
 * again. */
#define CHAOS_BOUND_MS        90000
#define CHAOS_BOUND_INTERVALS 5
#define CHAOS_SLICE_MS        250

void scenario_chaos(struct world *w, struct report *r)
{
	struct chaos c = {.start_at = sim_alloc(w->node_count, sizeof(mono_ms)),
			  .heal_at = sim_alloc((size_t)w->site_count * w->site_count, sizeof(mono_ms))};
	judge_start_all(w, true, 5000);
	mono_ms end = w->now + w->minutes * CLOCK_MINUTE_MS;
	while (w->now < end && !w->failed) {
		chaos_hosts(w, &c, CHAOS_SLICE_MS);
		if (!w->failed)
			chaos_cuts(w, &c, CHAOS_SLICE_MS);
		if (!w->failed)
			chaos_mend(w, &c, false);
		world_run_for(w, CHAOS_SLICE_MS);
	}
	chaos_mend(w, &c, true);
	w->faults.loss = w->faults.loss > 0.05 ? 0.05 : w->faults.loss;
	w->faults.duplicate = w->faults.reorder = w->faults.corrupt = w->faults.truncate = 0;
	mono_ms took = judge_settle(w, judge_intervals(w, CHAOS_BOUND_INTERVALS, CHAOS_BOUND_MS),
				    "after the faults ended");
	report_put(r, "chaos", "agree_after", judge_seconds(took), "s");
	report_put(r, "chaos", "false_alarms", (double)(w->false_dark + w->false_silent), "verdicts");
	free(c.start_at);
	free(c.heal_at);
}
