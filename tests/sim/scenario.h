/* What a run does: starts hosts, lets faults happen, and says by when what must be true. */
#ifndef MESH_TESTS_SIM_SCENARIO_H
#define MESH_TESTS_SIM_SCENARIO_H

#include "report.h"
#include "world.h"

struct scenario {
	const char *name, *what;
	uint32_t hosts, sites, minutes;       /* unless the command line says otherwise */
	void (*faults)(struct sim_faults *f); /* NULL: the usual */
	void (*run)(struct world *w, struct report *r);
};

extern const struct scenario scenarios[];
extern const size_t scenario_count;
const struct scenario *scenario_find(const char *name);

void scenario_converge(struct world *w, struct report *r);
void scenario_propagation(struct world *w, struct report *r);
void scenario_dark(struct world *w, struct report *r);
void scenario_goodbye(struct world *w, struct report *r);
void scenario_silent(struct world *w, struct report *r);
void scenario_restart(struct world *w, struct report *r);
void scenario_forged(struct world *w, struct report *r);
void scenario_chaos(struct world *w, struct report *r);
void scenario_trust(struct world *w, struct report *r);
void scenario_rotation(struct world *w, struct report *r);
void scenario_idle(struct world *w, struct report *r);
void scenario_lossy(struct world *w, struct report *r);
void scenario_cables(struct world *w, struct report *r);
void scenario_storm(struct world *w, struct report *r);
void scenario_wan(struct world *w, struct report *r);
void scenario_takeover(struct world *w, struct report *r);
void scenario_sweep(struct world *w, struct report *r);
void scenario_stalls(struct world *w, struct report *r);
void scenario_malicious(struct world *w, struct report *r);
void scenario_accusers(struct world *w, struct report *r);

/* --- judge.c: what scenarios wait for --- */

/* Every running node has the same set, and in it the newest of what each running host holds of its own. */
bool judge_converged(struct world *w, void *unused);
/* What keeps it from that, for the failure. */
const char *judge_difference(struct world *w);
/* Every running node calls each running host up, and each site with one reporting. */
bool judge_all_up(struct world *w, void *unused);
bool judge_converged_and_up(struct world *w, void *unused);
enum host_status judge_host(const struct world *w, const struct node *by, const struct node *host);
enum site_status judge_site(const struct world *w, const struct node *by, uint32_t site);
/* Every running node of `by_site` (or SIM_ANY_SITE) gives this status to the host. */
#define SIM_ANY_SITE UINT32_MAX
bool judge_host_is(const struct world *w, uint32_t by_site, const struct node *host, enum host_status status);
/* Runs until converged and all up; a failure after `bound`. Returns the time it took in ms. */
mono_ms judge_settle(struct world *w, mono_ms bound, const char *when);
void judge_start_all(struct world *w, bool publish, mono_ms spread);
double judge_seconds(mono_ms ms);
/* So many intervals of roll-calls (docs/protocol.md), which grow with the number of sites; `least` at least.
 */
mono_ms judge_intervals(const struct world *w, unsigned count, mono_ms least);

#endif
