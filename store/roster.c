#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "store/query_private.h"

#define SITE_SLOTS 4096 /* of the hash table over site names: power of two, well above LIMIT_SITES */

struct loader {
	struct snapshot *snapshot;
	struct roster roster;
	size_t capacity;
	uint16_t slots[SITE_SLOTS]; /* site index + 1 */
	bool heard[LIMIT_SITES];    /* by site: it has a state, or a host that is not hidden */
};

static size_t slot_of(const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 16777619u;
	return h % SITE_SLOTS;
}

static enum err site_index(struct loader *l, const char *name, uint32_t *ret)
{
	size_t slot = slot_of(name);
	for (; l->slots[slot] != 0; slot = (slot + 1) % SITE_SLOTS) {
		if (strcmp(l->roster.sites[l->slots[slot] - 1].state.name, name) == 0) {
			*ret = l->slots[slot] - 1u;
			return ERR_OK;
		}
	}
	if (l->roster.site_count == LIMIT_SITES)
		return ERR_LIMIT;
	struct roster_site *site = &l->roster.sites[l->roster.site_count];
	memset(site, 0, sizeof(*site));
	memcpy(site->state.name, name, strlen(name) + 1);
	site->state.site = id_of_site(name);
	*ret = (uint32_t)l->roster.site_count++;
	l->slots[slot] = (uint16_t)l->roster.site_count;
	return ERR_OK;
}

static enum err add_host(struct loader *l, const struct certificate *c)
{
	if (l->roster.host_count == l->capacity) {
		size_t capacity = l->capacity == 0 ? 64 : l->capacity * 2;
		struct roster_host *hosts = realloc(l->roster.hosts, capacity * sizeof(*hosts));
		if (hosts == NULL)
			return ERR_NOMEM;
		l->roster.hosts = hosts;
		l->capacity = capacity;
	}
	struct roster_host host = {
	    .id = c->host, .issuer = c->issuer, .seq = c->seq, .enrolled = c->enrolled};
	enum err err = site_index(l, c->site, &host.site);
	if (err == ERR_OK)
		l->roster.hosts[l->roster.host_count++] = host;
	return err;
}

static enum err load_certificates(struct loader *l)
{
	const uint8_t prefix[] = {TABLE_RECORDS, RECORD_CERTIFICATE};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes, *record;
	size_t len, record_len;
	wall_ms received;
	enum err err = snapshot_scan_open(l->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while (err == ERR_OK) {
		struct record r;
		struct certificate c;
		err = snapshot_scan_next(&scan, &key, &bytes, &len);
		if (err != ERR_OK)
			break;
		if (row_decode_record(bytes, len, &record, &record_len, &received) == ERR_OK &&
		    record_parse(record, record_len, &r) == ERR_OK && certificate_decode(&r, &c) == ERR_OK)
			err = add_host(l, &c);
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* The certificate of the lowest issuer id first where a host has several, as gossip/member.c has it. */
static int compare_hosts(const void *a, const void *b)
{
	const struct roster_host *x = a, *y = b;
	int order = id_compare(&x->id, &y->id);
	return order != 0 ? order : id_compare(&x->issuer, &y->issuer);
}

static void sort_hosts(struct roster *roster)
{
	size_t kept = 0;
	if (roster->host_count > 0)
		qsort(roster->hosts, roster->host_count, sizeof(*roster->hosts), compare_hosts);
	for (size_t i = 0; i < roster->host_count; i++) {
		if (kept == 0 || !id_equal(&roster->hosts[kept - 1].id, &roster->hosts[i].id))
			roster->hosts[kept++] = roster->hosts[i];
	}
	roster->host_count = kept;
}

/* Both are in the order of host ids. */
static enum err join_host_states(struct loader *l)
{
	const uint8_t prefix[] = {TABLE_HOST_STATES};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len, at = 0;
	enum err err = snapshot_scan_open(l->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		struct host_state state;
		if (row_decode_host(&key, bytes, len, &state) != ERR_OK)
			continue;
		while (at < l->roster.host_count && id_compare(&l->roster.hosts[at].id, &state.host) < 0)
			at++;
		if (at < l->roster.host_count && id_equal(&l->roster.hosts[at].id, &state.host)) {
			l->roster.hosts[at].state = state;
			l->roster.hosts[at].decided = true;
		}
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err join_site_states(struct loader *l)
{
	const uint8_t prefix[] = {TABLE_SITE_STATES};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	uint32_t index;
	enum err err = snapshot_scan_open(l->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		struct site_state state;
		if (row_decode_site(&key, bytes, len, &state) != ERR_OK || state.name[0] == '\0')
			continue;
		err = site_index(l, state.name, &index);
		if (err != ERR_OK)
			break;
		struct id site = l->roster.sites[index].state.site;
		l->roster.sites[index].state = state;
		l->roster.sites[index].state.site = site;
		l->heard[index] = true;
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

bool roster_revoked(const struct roster_host *host)
{
	return host->state.standing == STANDING_REVOKED;
}

static void revoke(struct roster *roster, const struct issue *issue)
{
	for (size_t i = 0; i < roster->host_count; i++) {
		struct roster_host *host = &roster->hosts[i];
		bool issuer = issue->kind == ISSUE_ISSUER_REVOKED && !host->decided &&
			      id_equal(&host->issuer, &issue->subject);
		bool self = issue->kind == ISSUE_HOST_REVOKED && id_equal(&host->id, &issue->subject);
		if (issuer || self)
			host->state.standing = STANDING_REVOKED;
	}
}

/* Who was revoked stays hidden also when its state is the one row that got damaged. */
static enum err join_revocations(struct loader *l)
{
	for (uint8_t kind = ISSUE_HOST_REVOKED; kind <= ISSUE_ISSUER_REVOKED; kind++) {
		const uint8_t prefix[] = {TABLE_ISSUES, kind};
		struct snapshot_scan scan;
		struct row_key key;
		const uint8_t *bytes;
		size_t len;
		enum err err = snapshot_scan_open(l->snapshot, prefix, sizeof(prefix), &scan);
		if (err != ERR_OK)
			return err;
		while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
			struct issue issue;
			if (row_decode_issue(&key, bytes, len, &issue) == ERR_OK)
				revoke(&l->roster, &issue);
		}
		snapshot_scan_close(&scan);
		if (err != ERR_NOT_FOUND)
			return err;
	}
	return ERR_OK;
}

/* Both lists stay in the order of ids. */
static enum err hide_revoked(struct roster *roster)
{
	size_t kept = 0, hidden = 0;
	for (size_t i = 0; i < roster->host_count; i++)
		hidden += roster_revoked(&roster->hosts[i]);
	if (hidden == 0)
		return ERR_OK;
	roster->hidden = malloc(hidden * sizeof(*roster->hidden));
	if (roster->hidden == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < roster->host_count; i++) {
		if (roster_revoked(&roster->hosts[i]))
			roster->hidden[roster->hidden_count++] = roster->hosts[i];
		else
			roster->hosts[kept++] = roster->hosts[i];
	}
	roster->host_count = kept;
	return ERR_OK;
}

/* Sites that only hidden hosts speak of go behind the others. */
static enum err hide_sites(struct loader *l)
{
	struct roster *r = &l->roster;
	uint32_t moved[LIMIT_SITES];
	size_t front = 0, back;
	struct roster_site *sites = malloc(LIMIT_SITES * sizeof(*sites));
	if (sites == NULL)
		return ERR_NOMEM;
	r->site_total = r->site_count;
	for (size_t i = 0; i < r->host_count; i++)
		l->heard[r->hosts[i].site] = true;
	for (size_t i = 0; i < r->site_total; i++)
		front += l->heard[i];
	r->site_count = back = front;
	front = 0;
	for (size_t i = 0; i < r->site_total; i++) {
		moved[i] = (uint32_t)(l->heard[i] ? front++ : back++);
		sites[moved[i]] = r->sites[i];
	}
	for (size_t i = 0; i < r->host_count; i++)
		r->hosts[i].site = moved[r->hosts[i].site];
	for (size_t i = 0; i < r->hidden_count; i++)
		r->hidden[i].site = moved[r->hidden[i].site];
	free(r->sites);
	r->sites = sites;
	return ERR_OK;
}

enum err roster_reveal(struct roster *roster)
{
	size_t count = roster->host_count + roster->hidden_count;
	if (roster->hidden_count == 0)
		return ERR_OK;
	struct roster_host *hosts = realloc(roster->hosts, count * sizeof(*hosts));
	if (hosts == NULL)
		return ERR_NOMEM;
	memcpy(hosts + roster->host_count, roster->hidden, roster->hidden_count * sizeof(*hosts));
	roster->hosts = hosts;
	roster->host_count = count;
	roster->site_count = roster->site_total;
	qsort(roster->hosts, count, sizeof(*hosts), compare_hosts);
	return ERR_OK;
}

static void count_statuses(struct roster *roster)
{
	for (size_t i = 0; i < roster->hidden_count; i++)
		roster->hidden[i].state.host = roster->hidden[i].id;
	for (size_t i = 0; i < roster->host_count; i++) {
		struct roster_host *host = &roster->hosts[i];
		host->state.host = host->id;
		roster->sites[host->site].by_status[host->state.status]++;
	}
}

enum err roster_load(struct snapshot *r, struct roster *ret, struct err_info *info)
{
	struct loader *l = calloc(1, sizeof(*l));
	enum err err = l != NULL ? ERR_OK : ERR_NOMEM;
	if (err == ERR_OK) {
		l->snapshot = r;
		l->roster.sites = malloc(LIMIT_SITES * sizeof(*l->roster.sites));
		err = l->roster.sites != NULL ? load_certificates(l) : ERR_NOMEM;
	}
	if (err == ERR_OK) {
		sort_hosts(&l->roster);
		err = join_host_states(l);
	}
	if (err == ERR_OK)
		err = join_site_states(l);
	if (err == ERR_OK)
		err = join_revocations(l);
	if (err == ERR_OK)
		err = hide_revoked(&l->roster);
	if (err == ERR_OK)
		err = hide_sites(l);
	if (err == ERR_OK) {
		count_statuses(&l->roster);
		*ret = l->roster;
	} else if (l != NULL) {
		roster_free(&l->roster);
	}
	free(l);
	if (err == ERR_LIMIT)
		return err_set(info, err, "the replica holds more than %d sites", LIMIT_SITES);
	return snapshot_error(r, err, info);
}

void roster_free(struct roster *roster)
{
	free(roster->hosts);
	free(roster->hidden);
	free(roster->sites);
	*roster = (struct roster){0};
}

static const struct roster_host *find(const struct roster_host *hosts, size_t count, const struct id *host)
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

const struct roster_host *roster_find(const struct roster *roster, const struct id *host)
{
	return find(roster->hosts, roster->host_count, host);
}

const struct roster_host *roster_find_any(const struct roster *roster, const struct id *host)
{
	const struct roster_host *found = roster_find(roster, host);
	return found != NULL ? found : find(roster->hidden, roster->hidden_count, host);
}
