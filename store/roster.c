/* Happy path: whoever asks for a host has its block of certificates and of states read, and with it that of
 * 255 others. Each host has both; with one of them damaged nobody knows whether it is hidden, so it is none.
 */
#include <stdlib.h>
#include <string.h>

#include "store/query_private.h"

enum err roster_open(struct query *q)
{
	const struct store_meta *meta = snapshot_meta(q->snapshot);
	if (meta->schema < STORE_SCHEMA_BLOCKS)
		return ERR_VERSION;
	q->roster.end = meta->ends[GROUP_HOST];
	return ERR_OK;
}

void roster_free(struct roster *roster)
{
	free(roster->hosts);
	free(roster->there);
	free(roster->hidden);
	free(roster->sites);
	free(roster->slots);
	*roster = (struct roster){0};
}

bool roster_revoked(const struct roster_host *host)
{
	return host->standing == STANDING_REVOKED;
}

/* --- one block --- */

/* Texts of a block that are equal stand in one place: most hosts' sites are those of hosts just before. */
#define RECENT 64
struct recent_sites {
	const char *names[RECENT];
	uint32_t sites[RECENT];
};

static uint32_t site_of(const struct roster *r, struct recent_sites *recent, const char *name)
{
	size_t at = ((uintptr_t)name >> 3) % RECENT;
	if (name == NULL)
		name = "";
	if (recent->names[at] != name) {
		recent->sites[at] = (uint32_t)roster_site_find(r, name);
		recent->names[at] = name;
	}
	return recent->sites[at];
}

/* A site that is not among those of all hosts: a part of the replica is older than the rest. */
static void take_host(struct roster *r, struct recent_sites *recent, uint32_t number, struct column_row host,
		      struct column_row state)
{
	uint64_t status = column_row_u64(state, C_STATE_STATUS);
	struct roster_host taken = {.number = number,
				    .status = (uint8_t)(status <= HOST_REPLACED ? status : HOST_UNKNOWN),
				    .standing = (uint8_t)column_row_u64(state, C_STATE_STANDING),
				    .decided = column_row_u64(state, C_STATE_DECIDED) != 0,
				    .certified = true};
	taken.site = site_of(r, recent, column_row_text(host, C_HOST_SITE));
	if (taken.site < r->site_total)
		r->hosts[number] = taken;
}

static enum err make_room(struct roster *r)
{
	if (r->hosts == NULL)
		r->hosts = calloc((size_t)r->end + 1, sizeof(*r->hosts));
	if (r->there == NULL)
		r->there = calloc((size_t)r->end / COLUMN_BLOCK_ROWS + 1, sizeof(*r->there));
	return r->hosts != NULL && r->there != NULL ? ERR_OK : ERR_NOMEM;
}

static enum err load_block(struct query *q, uint32_t block)
{
	struct roster *r = &q->roster;
	struct column_table *hosts, *states;
	struct recent_sites recent = {{NULL}, {0}};
	enum err err = columns_table(&q->columns, GROUP_HOST, &hosts);
	if (err == ERR_OK)
		err = columns_table(&q->columns, GROUP_STATE, &states);
	for (uint32_t n = block * COLUMN_BLOCK_ROWS;
	     n < r->end && n / COLUMN_BLOCK_ROWS == block && err == ERR_OK; n++) {
		struct column_row host, state;
		err = column_table_row(hosts, n, &host);
		if (err != ERR_OK || host.block == NULL)
			continue;
		err = column_table_row(states, n, &state);
		if (err == ERR_OK && state.block != NULL)
			take_host(r, &recent, n, host, state);
	}
	r->there[block] = err == ERR_OK;
	return err;
}

enum err roster_host(struct query *q, uint32_t number, bool any, const struct roster_host **ret)
{
	struct roster *r = &q->roster;
	*ret = NULL;
	if (number >= r->end)
		return ERR_OK;
	enum err err = roster_sites(q);
	if (err == ERR_OK)
		err = make_room(r);
	if (err == ERR_OK && !r->there[number / COLUMN_BLOCK_ROWS])
		err = load_block(q, number / COLUMN_BLOCK_ROWS);
	if (err == ERR_OK)
		*ret = any && r->hosts[number].certified ? &r->hosts[number] : roster_at(r, number);
	return err;
}

/* --- all of them --- */

static enum err list_hidden(struct roster *r)
{
	size_t count = 0;
	for (uint32_t n = 0; n < r->end; n++)
		count += roster_revoked(&r->hosts[n]);
	r->hidden = malloc((count + 1) * sizeof(*r->hidden));
	if (r->hidden == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < r->end && r->hidden_count < count; n++) {
		if (roster_revoked(&r->hosts[n]))
			r->hidden[r->hidden_count++] = n;
	}
	return ERR_OK;
}

enum err roster_load(struct query *q)
{
	struct roster *r = &q->roster;
	if (r->whole)
		return ERR_OK;
	enum err err = roster_sites(q);
	if (err == ERR_OK)
		err = make_room(r);
	for (uint32_t block = 0; block * COLUMN_BLOCK_ROWS < r->end && err == ERR_OK; block++) {
		if (!r->there[block])
			err = load_block(q, block);
	}
	if (err == ERR_OK)
		err = list_hidden(r);
	r->whole = err == ERR_OK;
	return err;
}

void roster_reveal(struct roster *r)
{
	r->revealed = true;
	r->site_count = r->site_total;
}
