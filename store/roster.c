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
		if (at < l->roster.host_count && id_equal(&l->roster.hosts[at].id, &state.host))
			l->roster.hosts[at].state = state;
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
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static void count_statuses(struct roster *roster)
{
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
	free(roster->sites);
	*roster = (struct roster){0};
}

const struct roster_host *roster_find(const struct roster *roster, const struct id *host)
{
	size_t low = 0, high = roster->host_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id_compare(&roster->hosts[middle].id, host) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < roster->host_count && id_equal(&roster->hosts[low].id, host) ? &roster->hosts[low]
										  : NULL;
}
