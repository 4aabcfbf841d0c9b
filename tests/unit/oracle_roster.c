/* Happy path: every certificate; of each host the one that its state names, which decides; then who is
 * hidden; then the sites that the others call home, and only those: what else certificates and states speak
 * of, a thief may have made up. Nothing that others sent makes it fail. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tests/unit/oracle.h"

struct candidate {
	struct oracle_host host;
	uint8_t rank; /* 0, or its issuer's grant is 1 ended, 2 revoked */
	char site[LIMIT_SITE_NAME_BYTES + 1];
};

struct loader {
	struct snapshot *snapshot;
	struct oracle_roster roster;
	struct candidate *candidates; /* by host, the certificate that counts first */
	size_t count, cap;
	struct {
		struct id id;
		uint8_t rank;
	} * issuers; /* that something is said against */
	size_t issuer_count;
	size_t site_cap;
};

/* --- sites --- */

/* Its place, or the number of sites. */
static size_t site_find(const struct loader *l, const char *name)
{
	size_t i = 0;
	while (i < l->roster.site_total && strcmp(l->roster.sites[i].state.name, name) != 0)
		i++;
	return i;
}

static enum err site_index(struct loader *l, const char *name, uint32_t *ret)
{
	size_t at = site_find(l, name);
	if (at == l->site_cap) {
		size_t cap = l->site_cap == 0 ? 64 : l->site_cap * 2;
		struct oracle_site *grown = realloc(l->roster.sites, cap * sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		l->roster.sites = grown;
		l->site_cap = cap;
	}
	if (at == l->roster.site_total) {
		struct oracle_site *site = &l->roster.sites[l->roster.site_total++];
		memset(site, 0, sizeof(*site));
		memcpy(site->state.name, name, strlen(name) + 1);
		site->state.site = id_of_site(name);
	}
	*ret = (uint32_t)at;
	return ERR_OK;
}

/* --- rows of a table --- */

typedef enum err (*take_row)(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len);

static enum err each_row(struct loader *l, const uint8_t *prefix, size_t prefix_len, take_row take)
{
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(l->snapshot, prefix, prefix_len, &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		err = take(l, &key, bytes, len);
		if (err != ERR_OK)
			break;
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- certificates --- */

static enum err take_issuer(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct issue issue;
	if (row_decode_issue(key, bytes, len, &issue) != ERR_OK)
		return ERR_OK;
	void *grown = realloc(l->issuers, (l->issuer_count + 1) * sizeof(*l->issuers));
	if (grown == NULL)
		return ERR_NOMEM;
	l->issuers = grown;
	l->issuers[l->issuer_count].id = issue.subject;
	l->issuers[l->issuer_count++].rank = issue.kind == ISSUE_ISSUER_REVOKED ? 2 : 1;
	return ERR_OK;
}

static uint8_t rank_of(const struct loader *l, const struct id *issuer)
{
	uint8_t rank = 0;
	for (size_t i = 0; i < l->issuer_count; i++) {
		if (l->issuers[i].rank > rank && id_equal(&l->issuers[i].id, issuer))
			rank = l->issuers[i].rank;
	}
	return rank;
}

static enum err take_certificate(struct loader *l, const struct row_key *key, const uint8_t *bytes,
				 size_t len)
{
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	struct record r;
	struct certificate c;
	(void)key;
	if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK ||
	    record_parse(record, record_len, &r) != ERR_OK || certificate_decode(&r, &c) != ERR_OK)
		return ERR_OK;
	if (l->count == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		struct candidate *grown = realloc(l->candidates, cap * sizeof(*grown));
		if (grown == NULL)
			return ERR_NOMEM;
		l->candidates = grown;
		l->cap = cap;
	}
	struct candidate *candidate = &l->candidates[l->count++];
	candidate->host = (struct oracle_host){
	    .id = c.host, .issuer = c.issuer, .seq = c.seq, .enrolled = c.enrolled, .state.host = c.host};
	memcpy(candidate->site, c.site, sizeof(candidate->site));
	candidate->rank = rank_of(l, &c.issuer);
	return ERR_OK;
}

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = id_compare(&x->host.id, &y->host.id);
	if (order == 0)
		order = (int)x->rank - (int)y->rank;
	return order != 0 ? order : id_compare(&x->host.issuer, &y->host.issuer);
}

/* The first candidate of the host or of one behind it. */
static size_t lower_bound(const struct loader *l, const struct id *host)
{
	size_t low = 0, high = l->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_compare(&l->candidates[middle].host.id, host) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_of(const struct loader *l, size_t at, const struct id *host)
{
	return at < l->count && id_equal(&l->candidates[at].host.id, host);
}

/* The certificate that decides comes first, and the state goes with it. */
static enum err take_host_state(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct host_state state;
	if (row_decode_host(key, bytes, len, &state) != ERR_OK)
		return ERR_OK;
	size_t first = lower_bound(l, &state.host);
	if (!is_of(l, first, &state.host))
		return ERR_OK;
	for (size_t at = first; is_of(l, at, &state.host); at++) {
		if (id_equal(&l->candidates[at].host.issuer, &state.issuer)) {
			struct candidate chosen = l->candidates[at];
			l->candidates[at] = l->candidates[first];
			l->candidates[first] = chosen;
			break;
		}
	}
	l->candidates[first].host.state = state;
	l->candidates[first].host.decided = true;
	return ERR_OK;
}

/* Where no state says which, that of the lowest issuer id among those that nothing is said against. */
static void keep_first_of_each(struct loader *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->count; i++) {
		if (kept == 0 || !is_of(l, kept - 1, &l->candidates[i].host.id))
			l->candidates[kept++] = l->candidates[i];
	}
	l->count = kept;
}

/* --- who is hidden --- */

bool oracle_revoked(const struct oracle_host *host)
{
	return host->state.standing == STANDING_REVOKED;
}

/* Who was revoked stays hidden also when its state is the one row that got damaged. */
static enum err take_revocation(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct issue issue;
	if (row_decode_issue(key, bytes, len, &issue) != ERR_OK)
		return ERR_OK;
	size_t at = lower_bound(l, &issue.subject);
	if (is_of(l, at, &issue.subject))
		l->candidates[at].host.state.standing = STANDING_REVOKED;
	return ERR_OK;
}

static void revoke_undecided(struct loader *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct candidate *c = &l->candidates[i];
		if (!c->host.decided && c->rank == 2)
			c->host.state.standing = STANDING_REVOKED;
	}
}

/* Those of one kind, hidden or not, with their sites. */
static enum err take_over(struct loader *l, bool hidden, struct oracle_host **ret, size_t *ret_count)
{
	size_t count = 0;
	for (size_t i = 0; i < l->count; i++)
		count += oracle_revoked(&l->candidates[i].host) == hidden;
	*ret = malloc((count + 1) * sizeof(**ret));
	if (*ret == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < l->count; i++) {
		struct candidate *c = &l->candidates[i];
		if (oracle_revoked(&c->host) != hidden)
			continue;
		enum err err = site_index(l, c->site, &c->host.site);
		if (err != ERR_OK)
			return err;
		(*ret)[(*ret_count)++] = c->host;
	}
	return ERR_OK;
}

static enum err take_site_state(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct site_state state;
	if (row_decode_site(key, bytes, len, &state) != ERR_OK)
		return ERR_OK;
	size_t at = site_find(l, state.name);
	if (at == l->roster.site_total)
		return ERR_OK;
	state.site = l->roster.sites[at].state.site;
	l->roster.sites[at].state = state;
	return ERR_OK;
}

static void count_statuses(struct oracle_roster *roster)
{
	for (size_t i = 0; i < roster->host_count; i++) {
		const struct oracle_host *host = &roster->hosts[i];
		roster->sites[host->site].by_status[host->state.status]++;
	}
}

static enum err load(struct loader *l)
{
	struct oracle_roster *r = &l->roster;
	const uint8_t certificates[] = {TABLE_RECORDS, RECORD_CERTIFICATE}, states[] = {TABLE_HOST_STATES},
		      sites[] = {TABLE_SITE_STATES};
	const uint8_t hosts_revoked[] = {TABLE_ISSUES, ISSUE_HOST_REVOKED},
		      issuers_revoked[] = {TABLE_ISSUES, ISSUE_ISSUER_REVOKED},
		      issuers_ended[] = {TABLE_ISSUES, ISSUE_GRANT_ENDED};
	enum err err = each_row(l, issuers_revoked, sizeof(issuers_revoked), take_issuer);
	if (err == ERR_OK)
		err = each_row(l, issuers_ended, sizeof(issuers_ended), take_issuer);
	if (err == ERR_OK)
		err = each_row(l, certificates, sizeof(certificates), take_certificate);
	if (err == ERR_OK && l->count > 0)
		qsort(l->candidates, l->count, sizeof(*l->candidates), compare_candidates);
	if (err == ERR_OK)
		err = each_row(l, states, sizeof(states), take_host_state);
	keep_first_of_each(l);
	revoke_undecided(l);
	if (err == ERR_OK)
		err = each_row(l, hosts_revoked, sizeof(hosts_revoked), take_revocation);
	if (err == ERR_OK)
		err = take_over(l, false, &r->hosts, &r->host_count);
	r->site_count = r->site_total;
	if (err == ERR_OK)
		err = take_over(l, true, &r->hidden, &r->hidden_count);
	return err == ERR_OK ? each_row(l, sites, sizeof(sites), take_site_state) : err;
}

enum err oracle_roster_load(struct snapshot *r, struct oracle_roster *ret, struct err_info *info)
{
	struct loader l = {.snapshot = r};
	enum err err = load(&l);
	free(l.candidates);
	free(l.issuers);
	if (err == ERR_OK) {
		count_statuses(&l.roster);
		*ret = l.roster;
	} else {
		oracle_roster_free(&l.roster);
	}
	return snapshot_error(r, err, info);
}

void oracle_roster_free(struct oracle_roster *roster)
{
	free(roster->hosts);
	free(roster->hidden);
	free(roster->sites);
	*roster = (struct oracle_roster){0};
}

static const struct oracle_host *find(const struct oracle_host *hosts, size_t count, const struct id *host)
{
	size_t low = 0, high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_compare(&hosts[middle].id, host) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < count && id_equal(&hosts[low].id, host) ? &hosts[low] : NULL;
}

const struct oracle_host *oracle_find(const struct oracle_roster *roster, const struct id *host)
{
	return find(roster->hosts, roster->host_count, host);
}

const struct oracle_host *oracle_find_any(const struct oracle_roster *roster, const struct id *host)
{
	const struct oracle_host *found = oracle_find(roster, host);
	return found != NULL ? found : find(roster->hidden, roster->hidden_count, host);
}
