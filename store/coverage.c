/* What an answer says about itself. */
#include <string.h>

#include "base/text.h"
#include "store/query_private.h"

#define STALE_AFTER_MS  CLOCK_MINUTE_MS
#define FRESH_AT_LEAST  CLOCK_MINUTE_MS
#define FRESH_INTERVALS 3

static bool is_fresh(const struct query *q, const struct roster_host *host)
{
	const struct site_state *site = &q->roster.sites[host->site].state;
	wall_ms attested = host_attested(&q->roster, host);
	wall_ms bound = FRESH_INTERVALS * CLOCK_SECOND_MS * site->interval_s;
	switch (host->state.status) {
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
static void count_host(const struct query *q, const struct roster_host *host, uint8_t published,
		       struct query_coverage *c)
{
	uint64_t *const counts[] = {
	    [HOST_UNKNOWN] = &c->unknown, [HOST_UP] = &c->up,
	    [HOST_SILENT] = &c->silent,   [HOST_DARK] = &c->dark,
	    [HOST_STOPPED] = &c->stopped, [HOST_ASLEEP] = &c->asleep,
	    [HOST_LEFT] = &c->left,       [HOST_REPLACED] = &c->replaced,
	};
	if (roster_revoked(host))
		return;
	++*counts[host->state.status];
	if (host->state.status == HOST_LEFT || host->state.status == HOST_REPLACED)
		return;
	c->hosts++;
	bool quarantined = host->state.standing == STANDING_QUARANTINED, fresh = is_fresh(q, host);
	bool never_heard = host->state.status == HOST_UNKNOWN && host->state.seen == 0 && published == 0;
	c->quarantined += quarantined;
	c->fresh += fresh;
	c->never_heard += never_heard;
	c->hosts_stale += !fresh && !quarantined && !never_heard;
	c->incomplete += published < 2 && !quarantined && !never_heard;
	wall_ms attested = host_attested(&q->roster, host);
	if (host->state.status == HOST_UP && attested != 0 &&
	    (c->oldest_attested == 0 || attested < c->oldest_attested))
		c->oldest_attested = attested;
}

/* Hosts in `kind` rows, both in the order of ids: known without reading a row's content. */
static enum err count_published(struct query *q, uint8_t kind, uint8_t *seen)
{
	const uint8_t prefix[] = {TABLE_RECORDS, kind};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		struct record_key record;
		if (record_key_unpack(key.bytes + 1, key.len - 1, &record) != ERR_OK)
			continue;
		const struct roster_host *host = roster_find(&q->roster, &record.subject);
		if (host != NULL)
			seen[host - q->roster.hosts]++;
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err count_hosts(struct query *q, struct query_coverage *c)
{
	uint8_t *published = sqlite3_malloc64(q->roster.host_count + 1);
	if (published == NULL)
		return ERR_NOMEM;
	memset(published, 0, q->roster.host_count + 1);
	enum err err = count_published(q, RECORD_PROFILE, published);
	if (err == ERR_OK)
		err = count_published(q, RECORD_COMPONENTS, published);
	for (size_t i = 0; i < q->roster.host_count && err == ERR_OK; i++)
		count_host(q, &q->roster.hosts[i], published[i], c);
	sqlite3_free(published);
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

/* `self`: NULL when the replica does not know its own host yet. */
static enum err count_issues(struct query *q, const struct roster_host *self, struct query_coverage *c)
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
		c->self_unsure |= kind == ISSUE_ALLOW_LIST_MISSING && self != NULL &&
				  id_equal(&list->issues[i].subject, &self->state.issuer);
	}
	return ERR_OK;
}

enum err query_coverage(struct query *q, struct query_coverage *ret, struct err_info *info)
{
	const struct store_meta *meta = snapshot_meta(q->snapshot);
	struct query_coverage c = {.as_of = meta->as_of};
	const struct roster_host *self = roster_find_any(&q->roster, &meta->self);
	enum err err = count_hosts(q, &c);
	if (err == ERR_OK)
		err = count_issues(q, self, &c);
	if (err != ERR_OK)
		return snapshot_error(q->snapshot, err, info);
	c.stale = q->now > c.as_of && q->now - c.as_of > STALE_AFTER_MS;
	id_hex(&meta->self, c.self);
	c.revoked_hidden = q->roster.hidden_count;
	if (self != NULL) {
		text_copy(c.self_site, sizeof(c.self_site), q->roster.sites[self->site].state.name);
		c.self_standing = self->state.standing;
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
