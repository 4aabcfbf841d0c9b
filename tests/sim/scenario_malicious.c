/* malicious: a tenth of the estate lies. What honest hosts say must be right and complete at honest nodes,
 * and their urgent news hardly later than in the same estate without malice. */
#include <stdlib.h>
#include <string.h>

#include "gossip/wire.h"
#include "scenario.h"
#include "villain.h"

#define SHARE        0.1
#define TURN_MS      100
#define TURNS_A_DEED 5 /* each villain acts every 500 ms */
#define START_MS     40000
#define ATTACKED_MS  30000 /* before anything is measured */
/* Records are followed until there are so many samples: one that is lost on its way to a site is late for all
 * of it, so among few hosts the samples of forty records are but forty. */
#define SAMPLES        6000
#define RECORDS_LEAST  40
#define REACH_BOUND_MS 10000
#define REST_MS        30000 /* by when all must have come, under attack; … */
#define ON_ITS_WAY_MS  2000  /* … what hosts say meanwhile, to whoever accuses them, is given so long */

struct crew {
	struct world *w;
	struct villain **villains;
	uint32_t count, turn;
	bool *evil; /* by node */
};

static void crew_pick(struct crew *c, struct world *w)
{
	struct prng prng;
	uint32_t wanted = (uint32_t)((double)w->node_count * SHARE);
	prng_seed(&prng, w->seed ^ 0x76696c6c61696e73);
	*c = (struct crew){.w = w, .evil = sim_alloc(w->node_count, sizeof(bool))};
	c->villains = sim_alloc(wanted + 1, sizeof(struct villain *));
	for (uint32_t taken = 0; taken < wanted;) {
		uint32_t i = (uint32_t)prng_below(&prng, w->node_count);
		taken += !c->evil[i];
		c->evil[i] = true;
	}
}

static void crew_free(struct crew *c)
{
	for (uint32_t i = 0; i < c->count; i++)
		villain_free(c->villains[i]);
	free(c->villains);
	free(c->evil);
}

static void run(struct crew *c, mono_ms ms)
{
	for (mono_ms end = c->w->now + ms; c->w->now < end && !c->w->failed; c->turn++) {
		for (uint32_t i = c->turn % TURNS_A_DEED; i < c->count; i += TURNS_A_DEED)
			villain_act(c->villains[i]);
		world_run_for(c->w, TURN_MS);
	}
}

static void start(struct crew *c, bool malice)
{
	struct world *w = c->w;
	host_preload(w);
	for (uint32_t i = 0; i < w->node_count; i++)
		if (malice && c->evil[i])
			c->villains[c->count++] = villain_new(w, &w->nodes[i], 0, w->seed * 1000003 + i);
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		if (w->nodes[i].puppet.hear == NULL)
			node_start(w, &w->nodes[i], false);
	world_run_for(w, START_MS);
	run(c, ATTACKED_MS);
}

static int by_time(const void *a, const void *b)
{
	const mono_ms *l = a, *r = b;
	return (*l > *r) - (*l < *r);
}

static bool judged(const struct crew *c, uint32_t node)
{
	return !c->evil[node];
}

/* An urgent record of an honest host, and when those who are honest in both runs have it. */
static size_t follow(struct crew *c, struct prng *prng, mono_ms *ret_delays)
{
	struct world *w = c->w;
	uint32_t from, wanted = 0;
	do
		from = (uint32_t)prng_below(prng, w->node_count);
	while (!judged(c, from));
	memset(w->track.at, 0, w->node_count * sizeof(*w->track.at));
	const struct sim_record *s = host_publish_crash(w, &w->nodes[from]);
	if (s == NULL)
		return 0;
	mono_ms since = w->now;
	w->track.id = s->id;
	w->track.at[from] = since;
	for (bool all = false; !all && w->now < since + REACH_BOUND_MS && !w->failed;) {
		run(c, TURN_MS);
		all = true;
		for (uint32_t i = 0; i < w->node_count; i++)
			all &= !judged(c, i) || w->track.at[i] != 0;
	}
	for (uint32_t i = 0; i < w->node_count; i++)
		if (judged(c, i) && i != from)
			ret_delays[wanted++] =
			    w->track.at[i] != 0 ? w->track.at[i] - since : (mono_ms)REACH_BOUND_MS;
	w->track.id = 0;
	return wanted;
}

/* What is told apart in the figures. */
static const struct {
	const char *name;
	uint8_t first, last;
} classes[] = {{"hello", WIRE_HELLO, WIRE_BEACON},
	       {"probe", WIRE_PING, WIRE_SUSPECT},
	       {"push", WIRE_PUSH, WIRE_PUSH},
	       {"announce", WIRE_ANNOUNCE, WIRE_ANNOUNCE},
	       {"pull", WIRE_PULL, WIRE_PULL},
	       {"records", WIRE_RECORDS, WIRE_RECORDS},
	       {"walk", WIRE_SYNC_ROOTS, WIRE_LOG_PULL - 1},
	       {"log", WIRE_LOG_PULL, WIRE_LOG_ENTRIES},
	       {"blobs", WIRE_BLOB_PULL, WIRE_BLOBS}};
#define CLASSES (sizeof(classes) / sizeof(classes[0]))

struct outcome {
	double of_class[CLASSES]; /* bytes likewise */
	mono_ms p50, p99;
	double right; /* share of what honest nodes should hold and say of honest hosts */
	double bytes; /* sent, a second and honest node */
};

/* Of each kind of each honest host the newest that was published by then. */
static const struct sim_record **newest_by(struct crew *c, mono_ms then)
{
	struct world *w = c->w;
	const struct sim_record **newest =
	    sim_alloc(w->registry.key_count, sizeof(const struct sim_record *));
	for (size_t i = 0; i < w->registry.record_count; i++) {
		const struct sim_record *s = w->registry.records[i];
		const struct node *host = world_find(w, &s->key.subject);
		if (s->key.kind < RECORD_ROLLCALL && host != NULL && judged(c, host->index) &&
		    s->published <= then &&
		    (newest[s->key_number] == NULL || newest[s->key_number]->seq < s->seq))
			newest[s->key_number] = s;
	}
	return newest;
}

/* What honest hosts said up to a moment ago (that or something newer), and their state, at each honest node.
 */
static double right_share(struct crew *c)
{
	struct world *w = c->w;
	uint64_t right = 0, all = 0;
	const struct sim_record **newest = newest_by(c, w->now - ON_ITS_WAY_MS);
	for (uint32_t n = 0; n < w->node_count; n++) {
		if (!judged(c, n))
			continue;
		for (uint32_t k = 0; k < w->registry.key_count; k++) {
			const struct sim_record *held = replica_get(&w->nodes[n].replica, k);
			all += newest[k] != NULL;
			right += newest[k] != NULL && held != NULL && held->seq >= newest[k]->seq;
		}
		for (uint32_t h = 0; h < w->node_count; h++) {
			all += judged(c, h);
			right += judged(c, h) && judge_host(w, &w->nodes[n], &w->nodes[h]) == HOST_UP;
		}
	}
	free(newest);
	return (double)right / (double)all;
}

/* By class; `sign` takes those off that were sent before. In a calm world, who will lie in the other is
 * honest. */
static void count_bytes(const struct world *w, double sign, double ret[CLASSES])
{
	for (size_t i = 0; i < CLASSES; i++)
		for (unsigned type = classes[i].first; type <= classes[i].last; type++)
			ret[i] += sign * (double)w->traffic[type].bytes;
}

static struct outcome measure(struct world *w, bool malice)
{
	struct crew c;
	struct outcome out = {.p50 = 0};
	struct prng prng;
	size_t samples = 0;
	mono_ms *delays = sim_alloc(SAMPLES + (size_t)RECORDS_LEAST * w->node_count, sizeof(*delays));
	prng_seed(&prng, w->seed ^ 0x6e657773);
	crew_pick(&c, w);
	start(&c, malice);
	count_bytes(w, -1, out.of_class);
	mono_ms since = w->now;
	for (int i = 0; (i < RECORDS_LEAST || samples < SAMPLES) && !w->failed; i++)
		samples += follow(&c, &prng, delays + samples);
	count_bytes(w, 1, out.of_class);
	for (size_t i = 0; i < CLASSES; i++) {
		out.of_class[i] /= judge_seconds(w->now - since) * (w->node_count - c.count);
		out.bytes += out.of_class[i];
	}
	run(&c, REST_MS);
	if (samples > 0 && !w->failed) {
		qsort(delays, samples, sizeof(*delays), by_time);
		out.p50 = delays[samples / 2];
		out.p99 = delays[samples * 99 / 100];
		out.right = right_share(&c);
	}
	uint64_t said = 0;
	for (uint32_t i = 0; i < c.count; i++)
		said += villain_said(c.villains[i]);
	if (malice && said < c.count * 100ull)
		world_fail(w, NULL, "%u villains said only %llu things", c.count, (unsigned long long)said);
	crew_free(&c);
	free(delays);
	return out;
}

void scenario_malicious(struct world *w, struct report *r)
{
	struct world *calm = world_new("malicious", w->seed, w->node_count, w->site_count, &w->faults);
	struct outcome without = measure(calm, false);
	if (calm->failed)
		world_fail(w, NULL, "without malice: %s", calm->failure);
	world_free(calm);
	if (w->failed)
		return;
	struct outcome with = measure(w, true);
	if (w->failed)
		return;
	/* Times are looked at in steps of the network's own delay: one is added, so that no ratio is of 0. */
	double ratio_50 = (double)(with.p50 + 1) / (double)(without.p50 + 1);
	double ratio_99 = (double)(with.p99 + 1) / (double)(without.p99 + 1);
	report_put(r, "malicious", "honest_wrong", 1000 * (1 - with.right), "of a thousand");
	report_put(r, "malicious", "calm_wrong", 1000 * (1 - without.right), "of a thousand");
	report_put(r, "malicious", "p50", judge_seconds(with.p50), "s");
	report_put(r, "malicious", "p99", judge_seconds(with.p99), "s");
	report_put(r, "malicious", "calm_p50", judge_seconds(without.p50), "s");
	report_put(r, "malicious", "calm_p99", judge_seconds(without.p99), "s");
	report_put(r, "malicious", "p50_ratio", ratio_50, "times");
	report_put(r, "malicious", "p99_ratio", ratio_99, "times");
	report_put(r, "malicious", "bytes_sent", with.bytes, "B/s a node");
	report_put(r, "malicious", "calm_bytes_sent", without.bytes, "B/s a node");
	for (size_t i = 0; i < CLASSES; i++)
		report_put(r, "malicious", classes[i].name, with.of_class[i], "B/s a node");
	report_put(r, "malicious", "false_dark", (double)w->false_dark, "verdicts");
	/* Two witnesses of one site, or one of two hosts, may lie about it: that is the stated bound. */
	report_put(r, "malicious", "league_dark", (double)w->alarms.league, "verdicts");
	report_put(r, "malicious", "framed_dark", (double)w->alarms.framed, "verdicts");
	if (w->alarms.framed > 0)
		world_fail(w, NULL, "%llu verdicts of dark where one witness alone was malicious",
			   (unsigned long long)w->alarms.framed);
	if (with.right < 0.999)
		world_fail(w, NULL, "%.4f of what honest hosts said is right at honest nodes", with.right);
	if (ratio_50 > 2 || ratio_99 > 2)
		world_fail(w, NULL, "urgent news take %.2f (p50) and %.2f (p99) times as long", ratio_50,
			   ratio_99);
}
