/* What an answer says about itself. */
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

#define STALE_AFTER_MS  CLOCK_MINUTE_MS
#define FRESH_AT_LEAST  CLOCK_MINUTE_MS
#define FRESH_INTERVALS 3

static bool is_fresh(const struct query *q, const struct roster_host *host, wall_ms attested)
{
	const struct site_state *site = &q->roster.sites[host->site].state;
	wall_ms bound = FRESH_INTERVALS * CLOCK_SECOND_MS * site->interval_s;
	switch (host->status) {
	case HOST_DARK:
	case HOST_STOPPED:
	case HOST_ASLEEP:
		return true;
	case HOST_UP:
		if (bound < FRESH_AT_LEAST)
			bound = FRESH_AT_LEAST;
		return attested != 0 && (attested >= q->now || q->now - attested <= bound);
	default:
		return false;
	}
}

/* `published`: of profile and components. */
static void count_host(const struct query *q, const struct roster_host *host, wall_ms seen,
		       unsigned published, struct query_coverage *c)
{
	uint64_t *const counts[] = {
	    [HOST_UNKNOWN] = &c->unknown, [HOST_UP] = &c->up,
	    [HOST_SILENT] = &c->silent,   [HOST_DARK] = &c->dark,
	    [HOST_STOPPED] = &c->stopped, [HOST_ASLEEP] = &c->asleep,
	    [HOST_LEFT] = &c->left,       [HOST_REPLACED] = &c->replaced,
	};
	wall_ms rollcall = q->roster.sites[host->site].state.last_rollcall;
	wall_ms attested = host->status == HOST_UP && rollcall > seen ? rollcall : seen;
	++*counts[host->status];
	if (host->status == HOST_LEFT || host->status == HOST_REPLACED)
		return;
	c->hosts++;
	bool quarantined = host->standing == STANDING_QUARANTINED, fresh = is_fresh(q, host, attested);
	bool never_heard = host->status == HOST_UNKNOWN && seen == 0 && published == 0;
	c->quarantined += quarantined;
	c->fresh += fresh;
	c->never_heard += never_heard;
	c->hosts_stale += !fresh && !quarantined && !never_heard;
	c->incomplete += published < 2 && !quarantined && !never_heard;
	if (host->status == HOST_UP && attested != 0 &&
	    (c->oldest_attested == 0 || attested < c->oldest_attested))
		c->oldest_attested = attested;
}

static enum err count_hosts(struct query *q, struct query_coverage *c)
{
	struct column_table *states, *profiles, *components;
	enum err err = roster_load(q);
	if (err == ERR_OK)
		err = columns_table(&q->columns, GROUP_STATE, &states);
	if (err == ERR_OK)
		err = columns_table(&q->columns, GROUP_PROFILE, &profiles);
	if (err == ERR_OK)
		err = columns_table(&q->columns, GROUP_COMPONENTS, &components);
	for (uint32_t n = 0; n < q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&q->roster, n);
		struct column_row state;
		bool profile = false, component = false;
		if (host == NULL || roster_revoked(host))
			continue;
		err = column_table_row(states, host->number, &state);
		if (err == ERR_OK)
			err = column_table_present(profiles, host->number, &profile);
		if (err == ERR_OK)
			err = column_table_present(components, host->number, &component);
		if (err == ERR_OK)
			count_host(q, host, state.block != NULL ? column_row_u64(state, C_STATE_SEEN) : 0,
				   (unsigned)profile + (unsigned)component, c);
	}
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
	if (err != ERR_OK)
		return snapshot_error(q->snapshot, err, info);
	id_hex(&meta->self, c.self);
	c.stale = q->now > c.as_of && q->now - c.as_of > STALE_AFTER_MS;
	c.revoked_hidden = q->roster.hidden_count;
	if (self != NULL) {
		text_copy(c.self_site, sizeof(c.self_site), q->roster.sites[self->site].state.name);
		c.self_standing = (enum host_standing)self->standing;
	}
	bool heard = c.self_standing != STANDING_REVOKED && c.self_standing != STANDING_ENDED;
	count_sites(q, &c);
	c.damaged_rows = snapshot_damaged(q->snapshot);
	c.components_left_out = q->left_out;
	c.complete = heard && !c.stale && c.hosts_stale == 0 && c.incomplete == 0 && c.sites_silent == 0 &&
		     c.damaged_rows == 0 && c.components_left_out == 0;
	*ret = c;
	return ERR_OK;
}
