/* Records and replicas: converge, propagation, idle. */
#include <stdlib.h>

#include "scenario.h"

#define CONVERGE_BOUND_MS 60000

static bool blobs_everywhere(const struct world *w)
{
	for (uint32_t i = 0; i < w->node_count; i++)
		for (uint32_t b = 0; w->nodes[i].g != NULL && b < w->registry.blob_count; b++)
			if (!replica_has_blob(&w->nodes[i].replica, b))
				return false;
	return true;
}

void scenario_converge(struct world *w, struct report *r)
{
	mono_ms since = w->now;
	judge_start_all(w, true, 2000);
	judge_settle(w, CONVERGE_BOUND_MS, "after the first start");
	if (w->failed)
		return;
	report_put(r, "converge", "all_equal", judge_seconds(w->now - since), "s");
	if (!blobs_everywhere(w))
		world_fail(w, NULL, "equal sets, and a manifest that somebody lacks");
	/* What is equal stays equal, and new records keep coming in. */
	for (int round = 0; round < 5 && !w->failed; round++) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		host_publish_health(w, n, GOSSIP_ROUTINE);
		world_run_for(w, 1000);
	}
	mono_ms took = judge_settle(w, CONVERGE_BOUND_MS, "after five routine records");
	report_put(r, "converge", "routine_records", judge_seconds(took), "s");
}

struct counted {
	uint64_t payloads, payload_bytes, accepted, bytes, datagrams;
};

static struct counted count(const struct world *w)
{
	struct counted c = {.bytes = 0};
	for (uint32_t i = 0; i < w->node_count; i++) {
		struct gossip_status s;
		c.bytes += w->nodes[i].bytes_sent;
		c.datagrams += w->nodes[i].datagrams_sent;
		if (w->nodes[i].g == NULL)
			continue;
		gossip_status(w->nodes[i].g, &s);
		c.payloads += s.counters.payloads_in;
		c.payload_bytes += s.counters.payload_bytes_in;
		c.accepted += s.counters.records_accepted;
	}
	return c;
}

static bool reached_all(struct world *w, void *unused)
{
	(void)unused;
	return w->track.reached == w->node_count;
}

static int by_time(const void *a, const void *b)
{
	const mono_ms *l = a, *r = b;
	return (*l > *r) - (*l < *r);
}

#define RECORDS        20
#define REACH_BOUND_MS 10000
#define P99_BOUND_MS   2000 /* with up to 5 % loss */

/* One urgent record from somebody; its delays go to `ret_delays`, one a node. */
static void follow(struct world *w, mono_ms *ret_delays)
{
	struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
	w->track.reached = 0;
	for (uint32_t i = 0; i < w->node_count; i++)
		w->track.at[i] = 0;
	const struct sim_record *s = host_publish_crash(w, n);
	if (s == NULL)
		return;
	/* Its own replica has it: that happened before it was known by its id. */
	w->track.id = s->id;
	w->track.since = w->now;
	w->track.at[n->index] = w->now;
	w->track.reached++;
	if (!world_run_while(w, 20, REACH_BOUND_MS, reached_all, NULL) && !w->failed)
		world_fail(w, n, "an urgent record reached %zu of %u replicas in %.0f s", w->track.reached,
			   w->node_count, judge_seconds(REACH_BOUND_MS));
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		ret_delays[i] = w->track.at[i] - w->track.since;
	w->track.id = 0;
}

void scenario_propagation(struct world *w, struct report *r)
{
	size_t samples = (size_t)RECORDS * w->node_count;
	mono_ms *delays = sim_alloc(samples, sizeof(*delays)), last[RECORDS] = {0};
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, 90000, "after a start with full replicas");
	world_run_for(w, 20000);
	struct counted before = count(w);
	mono_ms since = w->now;
	for (size_t i = 0; i < RECORDS && !w->failed; i++) {
		follow(w, delays + i * w->node_count);
		for (uint32_t n = 0; n < w->node_count; n++)
			if (delays[i * w->node_count + n] > last[i])
				last[i] = delays[i * w->node_count + n];
		world_run_for(w, 500);
	}
	if (!w->failed) {
		struct counted after = count(w);
		double nodes = w->node_count;
		qsort(delays, samples, sizeof(*delays), by_time);
		qsort(last, RECORDS, sizeof(*last), by_time);
		if (w->faults.loss <= 0.05 && delays[samples * 99 / 100] > P99_BOUND_MS)
			world_fail(w, NULL, "one replica in a hundred waits more than %.3f s for urgent news",
				   judge_seconds(delays[samples * 99 / 100]));
		report_put(r, "propagation", "p50", judge_seconds(delays[samples / 2]), "s");
		report_put(r, "propagation", "p99", judge_seconds(delays[samples * 99 / 100]), "s");
		report_put(r, "propagation", "to_all_p50", judge_seconds(last[RECORDS / 2]), "s");
		report_put(r, "propagation", "to_all_max", judge_seconds(last[RECORDS - 1]), "s");
		report_put(r, "propagation", "payload_copies",
			   (double)(after.payloads - before.payloads) /
			       (double)(after.accepted - before.accepted),
			   "copies");
		report_put(r, "propagation", "bytes_sent",
			   (double)(after.bytes - before.bytes) / nodes / judge_seconds(w->now - since),
			   "B/s a node");
	}
	free(delays);
}

void scenario_idle(struct world *w, struct report *r)
{
	host_preload(w);
	judge_start_all(w, false, 3000);
	judge_settle(w, 90000, "after a start with full replicas");
	/* Until probes have stretched to their idle pace. */
	world_run_for(w, CLOCK_MINUTE_MS);
	struct counted before = count(w);
	mono_ms since = w->now;
	world_run_for(w, w->minutes * CLOCK_MINUTE_MS);
	if (w->failed)
		return;
	struct counted after = count(w);
	double share = judge_seconds(w->now - since) * w->node_count;
	report_put(r, "idle", "bytes_sent", (double)(after.bytes - before.bytes) / share, "B/s a node");
	report_put(r, "idle", "datagrams_sent", (double)(after.datagrams - before.datagrams) / share,
		   "1/s a node");
	if (w->false_dark + w->false_silent > 0)
		world_fail(w, NULL, "false alarms in a quiet estate");
}
