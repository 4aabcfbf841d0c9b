#include "alarms.h"

#include "seats.h"
#include "world.h"

static bool recent(const struct world *w, mono_ms at)
{
	return at != 0 && w->now < at + ALARM_CALM_MS;
}

static bool there(const struct world *w, const struct node *n)
{
	return n->g != NULL && !n->isolated && !recent(w, n->changed_at) && !recent(w, n->disturbed_at);
}

static enum alarm_cause cause_of(const struct world *w, const struct node *n)
{
	if (recent(w, n->paused_until))
		return ALARM_STALL;
	return recent(w, n->clock_set_at) ? ALARM_CLOCK : ALARM_PLAIN;
}

/* Of two that are concerned. */
static enum alarm_cause either(enum alarm_cause a, enum alarm_cause b)
{
	if (a == ALARM_STALL || b == ALARM_STALL)
		return ALARM_STALL;
	return a == ALARM_CLOCK ? a : b;
}

static bool has_puppet(const struct world *w, uint32_t site)
{
	for (uint32_t i = site; i < w->node_count; i += w->site_count)
		if (w->nodes[i].puppet.hear != NULL)
			return true;
	return false;
}

static void alarms_framed(struct world *w, const struct node *host)
{
	bool well = host->g != NULL && !host->isolated && !recent(w, host->disturbed_at) &&
		    !recent(w, host->paused_until) && (host->life == 1 || !recent(w, host->changed_at));
	if (!well || !has_puppet(w, host->site))
		return;
	uint32_t puppets = seats_puppets(w, host->site);
	if (puppets >= 2 || (puppets == 1 && seats_live(w, host->site) < LIMIT_WITNESSES))
		w->alarms.league++;
	else
		w->alarms.framed++;
}

void alarms_dark(struct world *w, const struct node *n, const struct node *host,
		 const struct host_state *state)
{
	enum alarm_cause cause = either(cause_of(w, host), cause_of(w, n));
	alarms_framed(w, host);
	if (!there(w, host) || !there(w, n))
		return;
	for (size_t i = 0; i < state->votes && i < LIMIT_WITNESSES; i++) {
		uint32_t index = sim_map_get(&w->nodes_by_id, state->witnesses[i]);
		if (index != SIM_MAP_NONE)
			cause = either(cause, cause_of(w, &w->nodes[index]));
	}
	w->alarms.dark[cause]++;
}

void alarms_silent(struct world *w, const struct node *n, uint32_t site)
{
	size_t at = (size_t)n->site * w->site_count + site;
	enum alarm_cause cause = cause_of(w, n);
	bool alive = false;
	if (!there(w, n) || w->cut[at] || recent(w, w->healed_at[at]))
		return;
	for (uint32_t i = site; i < w->node_count; i += w->site_count) {
		alive |= there(w, &w->nodes[i]);
		cause = either(cause, cause_of(w, &w->nodes[i]));
	}
	w->alarms.silent[cause] += alive;
}

uint64_t alarms_total(const struct alarms *a)
{
	uint64_t total = 0;
	for (size_t i = 0; i < ALARM_CAUSES; i++)
		total += a->dark[i] + a->silent[i];
	return total;
}

void alarms_put(const struct alarms *a, const char *bench, struct report *r)
{
	static const char *const dark[ALARM_CAUSES] = {"false_dark", "false_dark_by_stall",
						       "false_dark_by_clock"};
	static const char *const silent[ALARM_CAUSES] = {"false_silent", "false_silent_by_stall",
							 "false_silent_by_clock"};
	for (size_t i = 0; i < ALARM_CAUSES; i++) {
		report_put(r, bench, dark[i], (double)a->dark[i], "verdicts");
		report_put(r, bench, silent[i], (double)a->silent[i], "verdicts");
	}
}
