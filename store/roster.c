/* Happy path: one pass over the hosts' numbers; then the sites that hosts call home, and only those: what
 * else states speak of, a thief may have made up. Nothing that others sent makes it fail. */
#include <stdlib.h>
#include <string.h>

#include "store/query_private.h"

struct loader {
	struct columns *columns;
	struct roster roster;
	size_t site_cap;
	uint32_t *slots; /* site index + 1 by name, open addressing, at most half full */
	size_t slot_count;
};

/* --- sites --- */

static size_t slot_of(const struct loader *l, const char *name)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (const char *c = name; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 16777619u;
	size_t slot = h & (l->slot_count - 1);
	while (l->slots[slot] != 0 && strcmp(l->roster.sites[l->slots[slot] - 1].state.name, name) != 0)
		slot = (slot + 1) & (l->slot_count - 1);
	return slot;
}

static enum err grow_sites(struct loader *l)
{
	size_t cap = l->site_cap == 0 ? 64 : l->site_cap * 2;
	struct roster_site *sites = realloc(l->roster.sites, cap * sizeof(*sites));
	uint32_t *slots = calloc(cap * 2, sizeof(*slots));
	if (sites != NULL)
		l->roster.sites = sites;
	if (sites == NULL || slots == NULL) {
		free(slots);
		return ERR_NOMEM;
	}
	free(l->slots);
	l->site_cap = cap;
	l->slots = slots;
	l->slot_count = cap * 2;
	for (size_t i = 0; i < l->roster.site_total; i++)
		l->slots[slot_of(l, sites[i].state.name)] = (uint32_t)i + 1;
	return ERR_OK;
}

static enum err site_index(struct loader *l, const char *name, uint32_t *ret)
{
	if (l->roster.site_total == l->site_cap && grow_sites(l) != ERR_OK)
		return ERR_NOMEM;
	size_t slot = slot_of(l, name);
	if (l->slots[slot] == 0) {
		struct roster_site *site = &l->roster.sites[l->roster.site_total++];
		memset(site, 0, sizeof(*site));
		memcpy(site->state.name, name, strnlen(name, LIMIT_SITE_NAME_BYTES));
		site->state.site = id_of_site(site->state.name);
		l->slots[slot] = (uint32_t)l->roster.site_total;
	}
	*ret = l->slots[slot] - 1;
	return ERR_OK;
}

static void take_site_state(struct loader *l, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct site_state state;
	if (l->slot_count == 0 || row_decode_site(key, bytes, len, &state) != ERR_OK)
		return;
	uint32_t index = l->slots[slot_of(l, state.name)];
	if (index == 0)
		return;
	state.site = l->roster.sites[index - 1].state.site;
	l->roster.sites[index - 1].state = state;
}

static enum err take_site_states(struct loader *l)
{
	const uint8_t prefix[] = {TABLE_SITE_STATES};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len;
	enum err err = snapshot_scan_open(l->columns->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK)
		take_site_state(l, &key, bytes, len);
	snapshot_scan_close(&scan);
	return err == ERR_NOT_FOUND ? ERR_OK : err;
}

size_t roster_site_find(const struct roster *roster, const char *name)
{
	size_t i = 0;
	while (i < roster->site_total && strcmp(roster->sites[i].state.name, name) != 0)
		i++;
	return i;
}

/* --- hosts --- */

bool roster_revoked(const struct roster_host *host)
{
	return host->standing == STANDING_REVOKED;
}

/* Those that are hidden, or those that are not. The sites of hidden ones come after those of all others, so
 * they are named in a second pass. */
static enum err take_host(struct loader *l, struct column_table *hosts, struct column_table *states,
			  uint32_t number, bool hidden, size_t *passed_over)
{
	struct roster *r = &l->roster;
	struct column_row host, state;
	enum err err = column_table_row(hosts, number, &host);
	if (err != ERR_OK || host.block == NULL)
		return err;
	err = column_table_row(states, number, &state);
	/* Each has both; with one of them damaged nobody knows whether it is hidden. */
	if (err != ERR_OK || state.block == NULL)
		return err;
	const char *site = column_row_text(host, C_HOST_SITE);
	uint64_t status = column_row_u64(state, C_STATE_STATUS);
	struct roster_host taken = {.number = number,
				    .status = (uint8_t)(status <= HOST_REPLACED ? status : HOST_UNKNOWN),
				    .standing = (uint8_t)column_row_u64(state, C_STATE_STANDING),
				    .decided = column_row_u64(state, C_STATE_DECIDED) != 0};
	if (roster_revoked(&taken) != hidden) {
		*passed_over += 1;
		return ERR_OK;
	}
	err = site_index(l, site != NULL ? site : "", &taken.site);
	if (err == ERR_OK && hidden)
		r->hidden[r->hidden_count++] = taken;
	else if (err == ERR_OK)
		r->hosts[r->host_count++] = taken;
	return err;
}

static void place(struct roster *r)
{
	for (size_t i = 0; i < r->host_count; i++)
		r->places[r->hosts[i].number] = (uint32_t)i + 1;
	for (size_t i = 0; i < r->hidden_count; i++) {
		if (r->places[r->hidden[i].number] == 0)
			r->places[r->hidden[i].number] = (uint32_t)(i + 1 + r->host_count);
	}
}

static enum err load(struct loader *l)
{
	struct roster *r = &l->roster;
	struct column_table *hosts, *states;
	enum err err = columns_table(l->columns, GROUP_HOST, &hosts);
	if (err == ERR_OK)
		err = columns_table(l->columns, GROUP_STATE, &states);
	if (err != ERR_OK)
		return err;
	r->end = column_table_end(hosts);
	size_t hidden = 0;
	/* Room for all of them, should the hidden ones be revealed. */
	r->hosts = malloc(((size_t)r->end + 1) * sizeof(*r->hosts));
	r->places = calloc((size_t)r->end + 1, sizeof(*r->places));
	if (r->hosts == NULL || r->places == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < r->end && err == ERR_OK; n++)
		err = take_host(l, hosts, states, n, false, &hidden);
	r->site_count = r->site_total;
	r->hidden = malloc((hidden + 1) * sizeof(*r->hidden));
	if (r->hidden == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < r->end && err == ERR_OK && hidden > 0; n++)
		err = take_host(l, hosts, states, n, true, &hidden);
	if (err != ERR_OK)
		return err;
	place(r);
	for (size_t i = 0; i < r->host_count; i++)
		r->sites[r->hosts[i].site].by_status[r->hosts[i].status]++;
	return take_site_states(l);
}

enum err roster_load(struct columns *c, struct roster *ret, struct err_info *info)
{
	struct loader l = {.columns = c};
	enum err err = load(&l);
	free(l.slots);
	if (err == ERR_OK)
		*ret = l.roster;
	else
		roster_free(&l.roster);
	return snapshot_error(c->snapshot, err, info);
}

void roster_free(struct roster *roster)
{
	free(roster->hosts);
	free(roster->hidden);
	free(roster->places);
	free(roster->by_site);
	free(roster->sites);
	*roster = (struct roster){0};
}

/* There is room: it was made for all. */
enum err roster_reveal(struct roster *r)
{
	if (r->hidden_count > 0)
		memcpy(r->hosts + r->host_count, r->hidden, r->hidden_count * sizeof(*r->hosts));
	r->host_count += r->hidden_count;
	r->site_count = r->site_total;
	free(r->by_site);
	r->by_site = NULL;
	place(r);
	return ERR_OK;
}

const struct roster_host *roster_at(const struct roster *r, uint32_t number)
{
	uint32_t place = number < r->end ? r->places[number] : 0;
	return place > 0 && place <= r->host_count ? &r->hosts[place - 1] : NULL;
}

const struct roster_host *roster_at_any(const struct roster *r, uint32_t number)
{
	uint32_t place = number < r->end ? r->places[number] : 0;
	return place > r->host_count ? &r->hidden[place - 1 - r->host_count] : roster_at(r, number);
}

static int by_name(const void *a, const void *b)
{
	const struct roster_site *const *x = a, *const *y = b;
	return strcmp((*x)->state.name, (*y)->state.name);
}

/* Place of each site in the order of names. */
static uint32_t *rank_sites(const struct roster *r)
{
	const struct roster_site **sorted = malloc((r->site_total + 1) * sizeof(*sorted));
	uint32_t *ranks = malloc((r->site_total + 1) * sizeof(*ranks));
	for (size_t i = 0; i < r->site_total && sorted != NULL; i++)
		sorted[i] = &r->sites[i];
	if (sorted == NULL || ranks == NULL) {
		free(ranks);
		ranks = NULL;
	} else {
		qsort(sorted, r->site_total, sizeof(*sorted), by_name);
		for (size_t i = 0; i < r->site_total; i++)
			ranks[sorted[i] - r->sites] = (uint32_t)i;
	}
	free(sorted);
	return ranks;
}

/* Counting sort. */
enum err roster_order(struct roster *r)
{
	if (r->by_site != NULL)
		return ERR_OK;
	uint32_t *starts = calloc(r->site_total + 2, sizeof(*starts)), *ranks = rank_sites(r);
	uint32_t *order = malloc((r->host_count + 1) * sizeof(*order));
	if (starts == NULL || ranks == NULL || order == NULL) {
		free(starts);
		free(ranks);
		free(order);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < r->host_count; i++)
		starts[ranks[r->hosts[i].site] + 1]++;
	for (size_t i = 1; i <= r->site_total; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < r->host_count; i++)
		order[starts[ranks[r->hosts[i].site]]++] = (uint32_t)i;
	r->by_site = order;
	free(starts);
	free(ranks);
	return ERR_OK;
}
