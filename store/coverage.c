/* What an answer says about itself. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

#define STALE_AFTER_MS  CLOCK_MINUTE_MS
#define FRESH_AT_LEAST  CLOCK_MINUTE_MS
#define FRESH_INTERVALS 3

static bool is_fresh(const struct query *q, const struct roster_site *site, wall_ms attested)
{
	wall_ms bound = FRESH_INTERVALS * CLOCK_SECOND_MS * site->state.interval_s;
	if (bound < FRESH_AT_LEAST)
		bound = FRESH_AT_LEAST;
	return attested != 0 && (attested >= q->now || q->now - attested <= bound);
}

/* The earliest over those that are up, each attested by the site's roll-call or by a later sign of life; 0:
 * none. */
static wall_ms oldest_attested(const struct roster_site *site)
{
	const struct site_counts *n = &site->counts;
	wall_ms rollcall = site->state.last_rollcall;
	if (n->by_status[HOST_UP] == 0 || rollcall == 0)
		return n->seen_first;
	return n->up_unseen > 0 || rollcall > n->seen_first ? rollcall : n->seen_first;
}

/* Those that are up at sites where the times kept of all of them do not tell: some are fresh, some not. One
 * pass for all such sites, as an hour after an outage that may be each of them. */
static enum err count_up(struct query *q, const bool *split, struct query_coverage *c)
{
	struct column_table *states;
	enum err err = roster_load(q);
	if (err == ERR_OK)
		err = columns_table(&q->columns, GROUP_STATE, &states);
	for (uint32_t n = 0; n < q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = &q->roster.hosts[n];
		struct column_row state;
		if (!host->certified || !split[host->site] || host->status != HOST_UP || roster_revoked(host))
			continue;
		err = column_table_row(states, n, &state);
		bool fresh = err == ERR_OK && state.block != NULL &&
			     is_fresh(q, &q->roster.sites[host->site], column_row_u64(state, C_STATE_SEEN));
		c->fresh += fresh;
		c->hosts_stale += !fresh && host->standing != STANDING_QUARANTINED;
	}
	return err;
}

/* `ret_split`: those that are up are to be looked at one by one. */
static void count_site(struct query *q, size_t index, struct query_coverage *c, bool *ret_split)
{
	const struct roster_site *site = &q->roster.sites[index];
	const struct site_counts *n = &site->counts;
	uint32_t up = n->by_status[HOST_UP];
	wall_ms oldest = oldest_attested(site);
	c->unknown += n->by_status[HOST_UNKNOWN];
	c->up += up;
	c->silent += n->by_status[HOST_SILENT];
	c->dark += n->by_status[HOST_DARK];
	c->stopped += n->by_status[HOST_STOPPED];
	c->asleep += n->by_status[HOST_ASLEEP];
	c->left += n->by_status[HOST_LEFT];
	c->replaced += n->by_status[HOST_REPLACED];
	c->revoked_hidden += n->hidden;
	c->quarantined += n->quarantined;
	c->never_heard += n->never_heard;
	c->incomplete += n->incomplete;
	c->hosts_stale += n->stale;
	c->fresh += n->by_status[HOST_DARK] + n->by_status[HOST_STOPPED] + n->by_status[HOST_ASLEEP];
	if (oldest != 0 && (c->oldest_attested == 0 || oldest < c->oldest_attested))
		c->oldest_attested = oldest;
	if (is_fresh(q, site, site->state.last_rollcall) ||
	    (n->up_unseen == 0 && is_fresh(q, site, n->seen_first))) {
		c->fresh += up;
	} else if (up > 0 && is_fresh(q, site, n->seen_latest)) {
		*ret_split = true;
	} else {
		c->hosts_stale += up - n->up_quarantined;
	}
}

static enum err count_hosts(struct query *q, struct query_coverage *c)
{
	bool *split = NULL, any = false;
	enum err err = roster_sites(q);
	if (err == ERR_OK)
		split = calloc(q->roster.site_total + 1, sizeof(*split));
	if (err == ERR_OK && split == NULL)
		err = ERR_NOMEM;
	for (size_t i = 0; i < q->roster.site_total && err == ERR_OK; i++) {
		count_site(q, i, c, &split[i]);
		any = any || split[i];
	}
	if (err == ERR_OK && any)
		err = count_up(q, split, c);
	free(split);
	c->hosts = c->unknown + c->up + c->silent + c->dark + c->stopped + c->asleep;
	return err;
}

static void count_sites(const struct query *q, struct query_coverage *c)
{
	c->sites = q->roster.site_count;
	for (size_t i = 0; i < q->roster.site_count; i++) {
		const struct site_state *site = &q->roster.sites[i].state;
		if (site->status != SITE_SILENT)
			continue;
		if (c->sites_silent < sizeof(c->silent_sites) / sizeof(c->silent_sites[0])) {
			text_copy(c->silent_sites[c->sites_silent].name, sizeof(c->silent_sites[0].name),
				  site->name);
			c->silent_sites[c->sites_silent].since = site->since;
		}
		c->sites_silent++;
	}
}

/* `issuer` of this node's certificate: NULL when the replica does not know its own host yet. */
static enum err count_issues(struct query *q, const struct id *issuer, struct query_coverage *c)
{
	const struct issue_list *list;
	enum err err = query_issues(q, &list);
	if (err != ERR_OK)
		return err;
	c->issues = list->count;
	for (size_t i = 0; i < list->count; i++) {
		enum issue_kind kind = list->issues[i].kind;
		const struct issue_facts *facts = issue_facts_of(kind);
		c->issues_critical += facts != NULL && facts->severity == ISSUE_CRITICAL;
		c->issues_warning += facts != NULL && facts->severity == ISSUE_WARNING;
		c->grants_in_grace += kind == ISSUE_GRANT_IN_GRACE;
		c->log_forked = c->log_forked || kind == ISSUE_LOG_FORKED;
		c->self_unsure |= kind == ISSUE_ALLOW_LIST_MISSING && issuer != NULL &&
				  id_equal(&list->issues[i].subject, issuer);
	}
	return ERR_OK;
}

enum err query_coverage(struct query *q, struct query_coverage *ret, struct err_info *info)
{
	const struct store_meta *meta = snapshot_meta(q->snapshot);
	struct query_coverage c = {.as_of = meta->as_of};
	const struct roster_host *self;
	struct column_row row = {.block = NULL};
	struct id issuer;
	enum err err = count_hosts(q, &c);
	if (err == ERR_OK)
		err = host_by_id(q, &meta->self, true, &self);
	if (err == ERR_OK && self != NULL)
		err = columns_row(&q->columns, GROUP_HOST, self->number, &row);
	if (err == ERR_OK) {
		bool known = row.block != NULL && column_row_id(row, C_HOST_ISSUER, &issuer);
		err = count_issues(q, known ? &issuer : NULL, &c);
	}
	if (err == ERR_OK)
		err = snapshot_trusted(q->snapshot);
	if (err != ERR_OK)
		return snapshot_error(q->snapshot, err, info);
	id_hex(&meta->self, c.self);
	c.stale = q->now > c.as_of && q->now - c.as_of > STALE_AFTER_MS;
	if (self != NULL) {
		text_copy(c.self_site, sizeof(c.self_site), q->roster.sites[self->site].state.name);
		c.self_standing = (enum host_standing)self->standing;
	}
	bool heard = c.self_standing != STANDING_REVOKED && c.self_standing != STANDING_ENDED;
	count_sites(q, &c);
	if (meta->lists[1] != 0)
		c.inventory = (struct query_inventory){.known = true,
						       .partial = meta->lists[1] == STORE_LIST_PARTIAL,
						       .machines = meta->machines,
						       .never_enrolled = meta->never_enrolled};
	c.damaged_rows = snapshot_damaged(q->snapshot);
	c.components_left_out = q->left_out;
	c.complete = heard && !c.stale && c.hosts_stale == 0 && c.incomplete == 0 && c.sites_silent == 0 &&
		     c.damaged_rows == 0 && c.components_left_out == 0 && !c.inventory.partial;
	*ret = c;
	return ERR_OK;
}
