/* Who is there: dark, goodbye, silent, restart. */
#include "scenario.h"

#define SETTLE_BOUND_MS 60000
#define FEW_SITES       4 /* whose roll-calls come every five seconds */

static struct node *any_running(struct world *w)
{
	for (;;) {
		struct node *n = &w->nodes[prng_below(&w->choice, w->node_count)];
		if (n->g != NULL)
			return n;
	}
}

static void no_false_alarms(struct world *w)
{
	if (!w->failed && w->false_dark > 0)
		world_fail(w, NULL, "%llu verdicts of dark on hosts that were well",
			   (unsigned long long)w->false_dark);
	if (!w->failed && w->false_silent > 0)
		world_fail(w, NULL, "%llu verdicts of silent on sites that were well",
			   (unsigned long long)w->false_silent);
}

struct expected {
	const struct node *host;
	enum host_status status;
	uint32_t by_site;
};

static bool host_is(struct world *w, void *context)
{
	const struct expected *e = context;
	return judge_host_is(w, e->by_site, e->host, e->status);
}

/* Until all (or those of one site) give it this status. Returns the time it took. */
static mono_ms expect_host(struct world *w, const struct node *host, enum host_status status,
			   uint32_t by_site, mono_ms bound)
{
	struct expected e = {host, status, by_site};
	mono_ms since = w->now;
	if (world_run_while(w, 50, bound, host_is, &e) || w->failed)
		return w->now - since;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];
		if (n->g == NULL || (by_site != SIM_ANY_SITE && n->site != by_site) ||
		    judge_host(w, n, host) == status)
			continue;
		world_fail(w, n, "after %.0f s it calls host %u of %s %s, not %s", judge_seconds(bound),
			   host->index, w->site_names[host->site], host_status_name(judge_host(w, n, host)),
			   host_status_name(status));
	}
	return bound;
}

void scenario_dark(struct world *w, struct report *r)
{
	judge_start_all(w, true, 2000);
	judge_settle(w, SETTLE_BOUND_MS, "after the first start");
	world_run_for(w, 30000);
	no_false_alarms(w);
	if (w->failed)
		return;
	struct node *victim = any_running(w);
	node_crash(w, victim, false);
	mono_ms since = w->now;
	mono_ms in_site = expect_host(w, victim, HOST_DARK, victim->site, 15000);
	report_put(r, "dark", "in_its_site", judge_seconds(in_site), "s");
	expect_host(w, victim, HOST_DARK, SIM_ANY_SITE, 15000 - in_site);
	report_put(r, "dark", "everywhere", judge_seconds(w->now - since), "s");
	/* It stays so, and nobody else is accused. */
	for (int i = 0; i < 60 && !w->failed; i++) {
		world_run_for(w, 1000);
		expect_host(w, victim, HOST_DARK, SIM_ANY_SITE, 0);
	}
	no_false_alarms(w);
	if (w->failed)
		return;
	report_put(r, "dark", "false_alarms", (double)(w->false_dark + w->false_silent), "verdicts");
	node_start(w, victim, true);
	report_put(r, "dark", "back", judge_seconds(judge_settle(w, SETTLE_BOUND_MS, "after it came back")),
		   "s");
}

void scenario_goodbye(struct world *w, struct report *r)
{
	static const struct {
		enum goodbye_reason reason;
		enum host_status status;
	} ways[] = {{GOODBYE_STOPPED, HOST_STOPPED}, {GOODBYE_ASLEEP, HOST_ASLEEP}};
	judge_start_all(w, true, 2000);
	judge_settle(w, SETTLE_BOUND_MS, "after the first start");
	for (size_t i = 0; i < 2 && !w->failed; i++) {
		world_run_for(w, 10000);
		struct node *n = any_running(w);
		node_leave(w, n, ways[i].reason);
		mono_ms took = expect_host(w, n, ways[i].status, SIM_ANY_SITE, 10000);
		report_put(r, "goodbye", "everywhere", judge_seconds(took), "s");
		/* A goodbye is not an accusation, and no witness makes it one. */
		for (int s = 0; s < 40 && !w->failed; s++) {
			world_run_for(w, 1000);
			expect_host(w, n, ways[i].status, SIM_ANY_SITE, 0);
		}
		if (w->failed)
			return;
		node_start(w, n, true);
		took = expect_host(w, n, HOST_UP, SIM_ANY_SITE, 30000);
		report_put(r, "goodbye", "back", judge_seconds(took), "s");
	}
	no_false_alarms(w);
	judge_settle(w, SETTLE_BOUND_MS, "at the end");
}

/* A host whose state `ret_by` has wrong during the cut; NULL: all are right. */
static const struct node *not_as_cut(const struct world *w, const struct node **ret_by)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct node *n = *ret_by = &w->nodes[i];
		for (uint32_t j = 0; n->g != NULL && j < w->node_count; j++) {
			const struct node *host = &w->nodes[j];
			bool same = host->site == n->site;
			if (judge_host(w, n, host) != (same ? HOST_UP : HOST_SILENT) ||
			    judge_site(w, n, host->site) != (same ? SITE_REPORTING : SITE_SILENT))
				return host;
		}
	}
	return NULL;
}

static bool both_silent(struct world *w, void *unused)
{
	const struct node *by;
	(void)unused;
	return not_as_cut(w, &by) == NULL;
}

static void expect_silent(struct world *w, mono_ms bound, const char *when)
{
	const struct node *by, *host;
	if (world_run_while(w, 100, bound, both_silent, NULL) || w->failed)
		return;
	host = not_as_cut(w, &by);
	world_fail(w, by, "%s it calls host %u of %s %s, its site %s", when, host->index,
		   w->site_names[host->site], host_status_name(judge_host(w, by, host)),
		   site_status_name(judge_site(w, by, host->site)));
}

/* The first time by the network, the second by the drill switch. */
static void cut_all(struct world *w, bool drill, bool cut)
{
	for (uint32_t a = 0; a < w->site_count; a++) {
		for (uint32_t b = 0; b < a; b++)
			net_cut(w, a, b, cut && !drill);
		for (uint32_t i = 0; drill && i < w->node_count && !w->failed; i++)
			if (w->nodes[i].site != a)
				node_drill(w, &w->nodes[i], a, cut);
	}
}

void scenario_silent(struct world *w, struct report *r)
{
	judge_start_all(w, true, 2000);
	judge_settle(w, SETTLE_BOUND_MS, "after the first start");
	for (int drill = 0; drill <= 1 && !w->failed; drill++) {
		world_run_for(w, 20000);
		no_false_alarms(w);
		cut_all(w, drill == 1, true);
		mono_ms since = w->now;
		/* Among many sites the last roll-call may have come by way of others, an interval late. */
		expect_silent(w, judge_intervals(w, w->site_count > FEW_SITES ? 5 : 4, 0),
			      "long after the cut");
		report_put(r, "silent", "noticed", judge_seconds(w->now - since), "s");
		/* Both sides live on. */
		for (int i = 0; i < 10 && !w->failed; i++) {
			host_publish_health(w, any_running(w), GOSSIP_ROUTINE);
			world_run_for(w, 2000);
		}
		expect_silent(w, 0, "while still cut off");
		cut_all(w, drill == 1, false);
		mono_ms took = judge_settle(w, judge_intervals(w, 2, 40000), "after the cut healed");
		report_put(r, "silent", "healed", judge_seconds(took), "s");
	}
}

void scenario_restart(struct world *w, struct report *r)
{
	judge_start_all(w, true, 2000);
	judge_settle(w, SETTLE_BOUND_MS, "after the first start");
	for (int i = 0; i < 16 && !w->failed; i++) {
		struct node *n = any_running(w);
		host_publish_health(w, n, GOSSIP_ROUTINE);
		/* Sometimes before anything went out, sometimes before it was committed. */
		world_run_for(w, prng_below(&w->choice, 2) * prng_below(&w->choice, 3000));
		if (w->failed)
			return;
		node_crash(w, n, i % 4 == 3);
		world_run_for(w, prng_below(&w->choice, 3000));
		if (!w->failed)
			node_start(w, n, true);
		world_run_for(w, prng_below(&w->choice, 5000));
	}
	report_put(r, "restart", "agree_again",
		   judge_seconds(judge_settle(w, SETTLE_BOUND_MS, "after the last restart")), "s");
}
