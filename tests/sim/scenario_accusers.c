/* accusers: in each site one of the three witnesses is a villain that denounces everybody, from the first
 * moment on. Where others live its word alone makes nobody dark: not where all start at once and it signs
 * first, not where a site comes back and it is the first to be heard, not where another witness crashes. */
#include "scenario.h"
#include "seats.h"
#include "villain.h"

#define TURN_MS    500
#define PHASE_MS   60000
#define CUT_MS     90000
#define SITES_MOST SIM_SITES_MAX

struct accusers {
	struct world *w;
	struct villain *villains[SITES_MOST];
};

static struct node *of_rank(struct world *w, uint32_t site, uint32_t rank)
{
	uint32_t i = site;
	while (seats_rank(w, i) != rank)
		i += w->site_count;
	CHECK(i < w->node_count);
	return &w->nodes[i];
}

static void run(struct accusers *a, mono_ms ms, const char *when)
{
	struct world *w = a->w;
	for (mono_ms end = w->now + ms; w->now < end && !w->failed;) {
		for (uint32_t site = 0; site < w->site_count; site++)
			villain_act(a->villains[site]);
		world_run_for(w, TURN_MS);
		if (w->alarms.framed > 0)
			world_fail(w, NULL, "%s: %llu verdicts of dark by the word of one witness", when,
				   (unsigned long long)w->alarms.framed);
	}
}

static void cut(struct world *w, bool apart)
{
	for (uint32_t site = 1; site < w->site_count; site++)
		net_cut(w, 0, site, apart);
}

void scenario_accusers(struct world *w, struct report *r)
{
	struct accusers a = {.w = w};
	(void)r;
	host_preload(w);
	/* Another rank each: the first, and the last that counts. */
	for (uint32_t site = 0; site < w->site_count; site++)
		a.villains[site] = villain_new(w, of_rank(w, site, site % LIMIT_WITNESSES), VILLAIN_DENOUNCES,
					       w->seed * 1000003 + site);
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++)
		if (w->nodes[i].puppet.hear == NULL)
			node_start(w, &w->nodes[i], false);
	run(&a, PHASE_MS, "all start at once");
	cut(w, true);
	run(&a, CUT_MS, "a site is cut off");
	cut(w, false);
	run(&a, PHASE_MS, "it is back");
	struct node *witness = of_rank(w, 0, LIMIT_WITNESSES - 1);
	node_crash(w, witness, false);
	run(&a, PHASE_MS, "a second witness crashed");
	node_start(w, witness, false);
	run(&a, PHASE_MS, "it started again");
	for (uint32_t site = 0; site < w->site_count; site++)
		villain_free(a.villains[site]);
}
