/* Nobody is called dark or silent who lives: lossy, cables, storm, stalls. */
#include "scenario.h"

#define SETTLE_BOUND_MS 90000
#define KILL_EVERY_MS   60000
#define CABLE_LEAST_MS  3000
#define CABLE_MOST_MS   18000
#define CABLE_BACK_MS   40000
#define KNOWN_BOUND_MS  30000 /* where one of two witnesses left stands still as well */

/* Whom nothing happens to but losses. */
void scenario_lossy(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	for (uint32_t minute = 0; minute < w->minutes && !w->failed; minute++) {
		world_run_for(w, CLOCK_MINUTE_MS);
		if (!w->failed && alarms_total(&w->alarms) > 0)
			world_fail(w, NULL, "false alarms in a quiet estate");
	}
	(void)r;
}

/* Somebody pulls a cable, and puts it back: whoever was cut off is no witness against others. */
void scenario_cables(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	mono_ms end = w->now + w->minutes * CLOCK_MINUTE_MS;
	while (w->now < end && !w->failed) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		net_isolate(w, n, true);
		world_run_for(w, CABLE_LEAST_MS + prng_below(&w->choice, CABLE_MOST_MS - CABLE_LEAST_MS));
		net_isolate(w, n, false);
		world_run_for(w, CABLE_BACK_MS);
		if (!w->failed && alarms_total(&w->alarms) > 0)
			world_fail(w, n, "its cable was out, and %llu verdicts on others are false",
				   (unsigned long long)alarms_total(&w->alarms));
	}
	(void)r;
}

/* Signers of the first seconds: more than the seats of a site are a storm. */
static size_t signers_of(const struct world *w, uint32_t site)
{
	size_t count = 0;

	for (uint32_t i = site; i < w->node_count; i += w->site_count) {
		struct gossip_status s;
		gossip_status(w->nodes[i].g, &s);
		count += s.counters.rollcalls_signed > 0;
	}
	return count;
}

/* The power is back, and everybody starts in one tenth of a second. */
void scenario_storm(struct world *w, struct report *r)
{
	mono_ms since = w->now;
	uint64_t most = 0, before = 0;

	host_preload(w);
	judge_start_all(w, false, 50);
	for (int second = 0; second < 20 && !w->failed; second++) {
		uint64_t sent = 0;
		world_run_for(w, CLOCK_SECOND_MS);
		for (uint32_t i = 0; i < w->node_count; i++)
			sent += w->nodes[i].bytes_sent;
		most = sent - before > most ? sent - before : most;
		before = sent;
	}
	for (uint32_t site = 0; site < w->site_count && !w->failed; site++) {
		size_t signers = signers_of(w, site);
		report_put(r, "storm", "signers", (double)signers, "hosts a site");
		if (signers > LIMIT_WITNESSES + 1)
			world_fail(w, NULL, "%zu hosts of one site signed roll-calls in the first 20 s",
				   signers);
	}
	report_put(r, "storm", "busiest_second", (double)most / w->node_count, "B/s a node");
	judge_settle(w, SETTLE_BOUND_MS, "after the power came back");
	report_put(r, "storm", "all_up", judge_seconds(w->now - since), "s");
	if (!w->failed && alarms_total(&w->alarms) > 0)
		world_fail(w, NULL, "false alarms after a start");
}

static bool stalled(const struct world *w, const struct node *n)
{
	return w->now < n->paused_until;
}

/* Once a second: each host with a chance that keeps the given share stalled. */
static void stall_some(struct world *w)
{
	const struct sim_faults *f = &w->faults;
	double each = f->stall_share * 2 * CLOCK_SECOND_MS / f->stall_max_ms;

	for (uint32_t i = 0; i < w->node_count; i++) {
		struct node *n = &w->nodes[i];
		if (n->g != NULL && !stalled(w, n) && prng_chance(&w->choice, each))
			node_pause(w, n, prng_below(&w->choice, f->stall_max_ms) + 1);
	}
	if (prng_chance(&w->choice, (double)CLOCK_SECOND_MS / f->clock_every_ms)) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		node_set_clock(w, n, prng_below(&w->choice, 2 * f->clock_max_ms + 1), f->clock_max_ms);
	}
}

/* All of its site know that did not stand still themselves a moment ago: those believe nobody for three
 * intervals. */
static bool known_dark(const struct world *w, const struct node *victim)
{
	for (uint32_t i = victim->site; i < w->node_count; i += w->site_count) {
		const struct node *n = &w->nodes[i];
		if (n->g != NULL && n != victim && w->now >= n->paused_until + ALARM_CALM_MS &&
		    judge_host(w, n, victim) != HOST_DARK)
			return false;
	}
	return true;
}

static void kill_one(struct world *w, struct report *r)
{
	struct node *victim = &w->nodes[prng_below(&w->choice, w->node_count)];
	mono_ms since = w->now, next = w->now + CLOCK_SECOND_MS;

	node_crash(w, victim, false);
	while (!w->failed && !known_dark(w, victim)) {
		if (w->now - since >= KNOWN_BOUND_MS) {
			world_fail(w, NULL, "host %u died, and its site does not know after %.0f s",
				   victim->index, judge_seconds(KNOWN_BOUND_MS));
			return;
		}
		world_run_for(w, 50);
		if (w->now >= next) {
			stall_some(w);
			next += CLOCK_SECOND_MS;
		}
	}
	report_put(r, "stalls", "killed_known_in_site", judge_seconds(w->now - since), "s");
	if (!w->failed)
		node_start(w, victim, true);
}

void scenario_stalls(struct world *w, struct report *r)
{
	uint32_t kills = 0;
	mono_ms known = 0;

	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, SETTLE_BOUND_MS, "after a start with full replicas");
	mono_ms end = w->now + w->minutes * CLOCK_MINUTE_MS, kill_at = w->now + KILL_EVERY_MS;
	while (w->now < end && !w->failed) {
		world_run_for(w, CLOCK_SECOND_MS);
		stall_some(w);
		if (w->failed || w->now < kill_at)
			continue;
		mono_ms since = w->now;
		kill_one(w, r);
		known += w->now - since;
		kills++;
		kill_at = w->now + KILL_EVERY_MS;
	}
	if (w->failed)
		return;
	report_put(r, "stalls", "killed_known_mean", judge_seconds(known) / (kills > 0 ? kills : 1), "s");
	if (w->alarms.dark[ALARM_PLAIN] + w->alarms.silent[ALARM_PLAIN] > 0)
		world_fail(w, NULL, "%llu verdicts of dark and %llu of silent on what was well",
			   (unsigned long long)w->alarms.dark[ALARM_PLAIN],
			   (unsigned long long)w->alarms.silent[ALARM_PLAIN]);
}
