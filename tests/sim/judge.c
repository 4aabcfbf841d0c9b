#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"
#include "scenario.h"

double judge_seconds(mono_ms ms)
{
	return (double)ms / 1000;
}

mono_ms judge_intervals(const struct world *w, unsigned count, mono_ms least)
{
	mono_ms by_hosts = (mono_ms)w->node_count / w->site_count * 100,
		by_sites = (mono_ms)w->site_count * 1200;
	mono_ms interval = by_hosts < 5000 ? 5000 : by_hosts > 60000 ? 60000 : by_hosts;
	if (interval < by_sites)
		interval = by_sites;
	return count * interval > least ? count * interval : least;
}

enum host_status judge_host(const struct world *w, const struct node *by, const struct node *host)
{
	struct host_state s;
	(void)w;
	if (by == host)
		return HOST_UP;
	return gossip_host_state(by->g, &host->id, &s) ? s.status : HOST_UNKNOWN;
}

enum site_status judge_site(const struct world *w, const struct node *by, uint32_t site)
{
	struct site_state s;
	return gossip_site_state(by->g, w->site_names[site], &s) ? s.status : SITE_UNKNOWN;
}

bool judge_host_is(const struct world *w, uint32_t by_site, const struct node *host, enum host_status status)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];
		if (n->g != NULL && n != host && (by_site == SIM_ANY_SITE || n->site == by_site) &&
		    judge_host(w, n, host) != status)
			return false;
	}
	return true;
}

static const struct node *difference(struct world *w, const char **ret_what)
{
	const struct node *first = NULL;
	struct gossip_status reference = {.records = 0}, s;
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];
		if (n->g == NULL)
			continue;
		gossip_status(n->g, &s);
		*ret_what = "another estate root than the first";
		if (first == NULL)
			reference = s;
		else if (s.estate_root != reference.estate_root)
			return n;
		*ret_what = "another log head than the first";
		if (s.log_head.index != reference.log_head.index ||
		    s.log_head.hash != reference.log_head.hash)
			return n;
		*ret_what = "blobs still wanted";
		if (s.blobs_wanted > 0)
			return n;
		if (first == NULL)
			first = n;
	}
	if (first == NULL)
		return NULL;
	/* Equal sets could all lack the same: the newest that running hosts hold of their own must be in it.
	 */
	struct gossip_entry e;
	*ret_what = "own records that the others lack";
	for (uint32_t i = 0; i < w->node_count; i++) {
		const struct node *n = &w->nodes[i];
		if (n->g == NULL)
			continue;
		size_t own = 0;
		for (size_t at = 0; gossip_entry_at(n->g, at, &e); at++) {
			if (e.key.kind >= RECORD_ROLLCALL || !id_equal(&e.key.subject, &n->id))
				continue;
			const struct sim_record *s_own = registry_find(&w->registry, e.id);
			const struct sim_record *s_first =
			    s_own == NULL ? NULL : replica_get(&first->replica, s_own->key_number);
			if (s_first == NULL || s_first->seq != e.seq)
				return n;
			own++;
		}
		*ret_what = "no records of its own";
		if (own < 4)
			return n;
		*ret_what = "own records that the others lack";
	}
	return NULL;
}

bool judge_converged(struct world *w, void *unused)
{
	const char *what;
	(void)unused;
	return difference(w, &what) == NULL;
}

const char *judge_difference(struct world *w)
{
	static const char all_up[] = "";
	const char *what = all_up;
	return difference(w, &what) == NULL ? all_up : what;
}

static const struct node *not_up(struct world *w, const struct node **ret_by)
{
	for (uint32_t i = 0; i < w->node_count; i++) {
		if (w->nodes[i].g == NULL)
			continue;
		for (uint32_t j = 0; j < w->node_count; j++) {
			*ret_by = &w->nodes[i];
			if (w->nodes[j].g == NULL)
				continue;
			if (judge_host(w, &w->nodes[i], &w->nodes[j]) != HOST_UP ||
			    judge_site(w, &w->nodes[i], w->nodes[j].site) != SITE_REPORTING)
				return &w->nodes[j];
		}
	}
	return NULL;
}

bool judge_all_up(struct world *w, void *unused)
{
	const struct node *by;
	(void)unused;
	return not_up(w, &by) == NULL;
}

bool judge_converged_and_up(struct world *w, void *unused)
{
	return judge_all_up(w, unused) && judge_converged(w, unused);
}

mono_ms judge_settle(struct world *w, mono_ms bound, const char *when)
{
	mono_ms since = w->now;
	if (!world_run_while(w, 100, bound, judge_converged_and_up, NULL) && !w->failed) {
		const char *what = "";
		const struct node *by, *host = not_up(w, &by);
		if (host != NULL)
			world_fail(w, by, "%s, %.0f s %s: calls running host %u of %s %s, its site %s",
				   w->scenario, judge_seconds(bound), when, host->index,
				   w->site_names[host->site], host_status_name(judge_host(w, by, host)),
				   site_status_name(judge_site(w, by, host->site)));
		else if ((by = difference(w, &what)) != NULL)
			world_fail(w, by, "replicas differ %.0f s %s: it has %s", judge_seconds(bound), when,
				   what);
	}
	return w->now - since;
}

void judge_start_all(struct world *w, bool publish, mono_ms spread)
{
	for (uint32_t i = 0; i < w->node_count && !w->failed; i++) {
		node_start(w, &w->nodes[i], publish);
		world_run_for(w, prng_below(&w->choice, 2 * spread / w->node_count + 1));
	}
}
