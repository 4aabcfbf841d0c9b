/* The sites that hosts call home, and only those: what else states speak of, a thief may have made up.
 * Nothing that others sent makes it fail. */
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "store/query_private.h"

static size_t slot_of(const struct roster *r, const char *name)
{
	size_t slot = checksum_bytes(name, strlen(name)) & (r->slot_count - 1);
	while (r->slots[slot] != 0 && strcmp(r->sites[r->slots[slot] - 1].state.name, name) != 0)
		slot = (slot + 1) & (r->slot_count - 1);
	return slot;
}

static enum err grow_sites(struct roster *r)
{
	size_t cap = r->site_cap == 0 ? 64 : r->site_cap * 2;
	struct roster_site *sites = realloc(r->sites, cap * sizeof(*sites));
	uint32_t *slots = calloc(cap * 2, sizeof(*slots));
	if (sites != NULL)
		r->sites = sites;
	if (sites == NULL || slots == NULL) {
		free(slots);
		return ERR_NOMEM;
	}
	free(r->slots);
	r->site_cap = cap;
	r->slots = slots;
	r->slot_count = cap * 2;
	for (size_t i = 0; i < r->site_total; i++)
		r->slots[slot_of(r, sites[i].state.name)] = (uint32_t)i + 1;
	return ERR_OK;
}

/* One that is not known yet is added. */
static enum err site_named(struct roster *r, const char *name, struct roster_site **ret)
{
	if (r->site_total == r->site_cap && grow_sites(r) != ERR_OK)
		return ERR_NOMEM;
	size_t slot = slot_of(r, name);
	if (r->slots[slot] == 0) {
		struct roster_site *site = &r->sites[r->site_total++];
		memset(site, 0, sizeof(*site));
		memcpy(site->state.name, name, strnlen(name, LIMIT_SITE_NAME_BYTES));
		site->state.site = id_of_site(site->state.name);
		r->slots[slot] = (uint32_t)r->site_total;
	}
	*ret = &r->sites[r->slots[slot] - 1];
	return ERR_OK;
}

size_t roster_site_find(const struct roster *r, const char *name)
{
	uint32_t index = r->slot_count > 0 ? r->slots[slot_of(r, name)] : 0;
	return index > 0 ? index - 1 : r->site_total;
}

/* --- what is said of them --- */

static void take_state(struct roster *r, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct site_state state;
	if (r->slot_count == 0 || row_decode_site(key, bytes, len, &state) != ERR_OK)
		return;
	uint32_t index = r->slots[slot_of(r, state.name)];
	if (index == 0)
		return;
	state.site = r->sites[index - 1].state.site;
	r->sites[index - 1].state = state;
}

static enum err take_states(struct query *q)
{
	const uint8_t prefix[] = {TABLE_SITE_STATES};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK)
		take_state(&q->roster, &key, bytes, len);
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

/* --- who calls them home: as counted by the last commit --- */

/* Those of hidden hosts alone in a second pass, behind the others. */
static enum err take_counts(struct query *q, bool hidden, uint64_t *hosts)
{
	const uint8_t prefix[] = {TABLE_SITE_COUNTS};
	struct snapshot_scan scan;
	struct row_key key;
	struct site_counts counts;
	struct roster_site *site;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(q->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		if (site_counts_decode(bytes, len, &counts) != ERR_OK ||
		    (site_counts_hosts(&counts) == counts.hidden) != hidden)
			continue;
		err = site_named(&q->roster, counts.name, &site);
		if (err != ERR_OK)
			break;
		site->counts = counts;
		*hosts += site_counts_hosts(&counts);
	}
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

static enum err read_counts(struct query *q, uint64_t *ret_hosts)
{
	uint64_t shown = 0, hidden = 0;
	enum err err = take_counts(q, false, &shown);
	q->roster.site_count = q->roster.site_total;
	if (err == ERR_OK && shown < snapshot_meta(q->snapshot)->counted)
		err = take_counts(q, true, &hidden);
	*ret_hosts = shown + hidden;
	return err;
}

/* --- or where those rows are damaged: as the hosts say --- */

static enum err published(struct query *q, uint32_t number, uint8_t *ret)
{
	struct column_row profile, components;
	enum err err = columns_row(&q->columns, GROUP_PROFILE, number, &profile);
	if (err == ERR_OK)
		err = columns_row(&q->columns, GROUP_COMPONENTS, number, &components);
	if (err == ERR_OK)
		*ret = (uint8_t)((profile.block != NULL) + (components.block != NULL));
	return err;
}

/* Hidden ones in a second pass, again. */
static enum err count_host(struct query *q, uint32_t number, bool hidden, size_t *passed_over)
{
	struct column_row host, state;
	struct site_fact fact;
	struct roster_site *site;
	enum err err = columns_row(&q->columns, GROUP_HOST, number, &host);
	if (err != ERR_OK || host.block == NULL)
		return err;
	err = columns_row(&q->columns, GROUP_STATE, number, &state);
	if (err != ERR_OK || state.block == NULL)
		return err;
	uint64_t status = column_row_u64(state, C_STATE_STATUS);
	fact.standing = (uint8_t)column_row_u64(state, C_STATE_STANDING);
	fact.status = (uint8_t)(status <= HOST_REPLACED ? status : HOST_UNKNOWN);
	fact.seen = column_row_u64(state, C_STATE_SEEN);
	if (site_fact_hidden(&fact) != hidden) {
		*passed_over += 1;
		return ERR_OK;
	}
	err = published(q, number, &fact.published);
	const char *name = column_row_text(host, C_HOST_SITE);
	if (err == ERR_OK)
		err = site_named(&q->roster, name != NULL ? name : "", &site);
	if (err == ERR_OK)
		site_counts_add(&site->counts, &fact);
	return err;
}

static enum err count_hosts(struct query *q)
{
	struct roster *r = &q->roster;
	size_t hidden = 0, shown = 0;
	enum err err = ERR_OK;
	for (uint32_t n = 0; n < r->end && err == ERR_OK; n++)
		err = count_host(q, n, false, &hidden);
	r->site_count = r->site_total;
	for (uint32_t n = 0; n < r->end && err == ERR_OK && hidden > 0; n++)
		err = count_host(q, n, true, &shown);
	return err;
}

enum err roster_sites(struct query *q)
{
	struct roster *r = &q->roster;
	const struct store_meta *meta = snapshot_meta(q->snapshot);
	uint64_t hosts = 0;
	enum err err = ERR_OK;
	if (r->sites_there)
		return ERR_OK;
	if (meta->counts_there)
		err = read_counts(q, &hosts);
	if (err == ERR_OK && (!meta->counts_there || hosts != meta->counted)) {
		struct row_key table = row_key_first(TABLE_SITE_COUNTS);
		if (meta->counts_there && snapshot_damaged(q->snapshot) == 0)
			snapshot_count_damaged(q->snapshot, &table);
		r->site_total = 0;
		if (r->slot_count > 0)
			memset(r->slots, 0, r->slot_count * sizeof(*r->slots));
		err = count_hosts(q);
	}
	if (r->revealed)
		r->site_count = r->site_total;
	if (err == ERR_OK)
		err = take_states(q);
	r->sites_there = err == ERR_OK;
	return err;
}
