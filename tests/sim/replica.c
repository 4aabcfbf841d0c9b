#include "replica.h"

#include <stdlib.h>
#include <string.h>

void replica_init(struct replica *r, size_t hosts, size_t sites)
{
	*r = (struct replica){.host_count = hosts, .site_count = sites};
	r->hosts = sim_alloc(hosts, sizeof(*r->hosts));
	r->sites = sim_alloc(sites, sizeof(*r->sites));
}

void replica_free(struct replica *r)
{
	free(r->rows);
	free(r->blobs);
	free(r->hosts);
	free(r->sites);
	free(r->changed_rows.numbers);
	free(r->changed_hosts.numbers);
}

static void note(struct replica_changes *c, bool *listed, uint32_t number)
{
	if (*listed)
		return;
	*listed = true;
	c->numbers = sim_grow(c->numbers, c->count, &c->capacity, sizeof(*c->numbers));
	c->numbers[c->count++] = number;
}

void replica_put(struct replica *r, const struct sim_record *record, wall_ms received)
{
	while (record->key_number >= r->row_count) {
		r->rows = sim_grow(r->rows, r->row_count, &r->row_capacity, sizeof(*r->rows));
		r->row_count++;
	}
	struct replica_row *row = &r->rows[record->key_number];
	row->pending = record;
	row->received = received;
	note(&r->changed_rows, &row->listed, record->key_number);
	r->dirty = true;
}

void replica_put_host(struct replica *r, uint32_t index, const struct host_state *state)
{
	struct replica_state *row = &r->hosts[index];
	row->pending = *state;
	row->has_pending = true;
	note(&r->changed_hosts, &row->listed, index);
	r->dirty = true;
}

void replica_put_blob(struct replica *r, uint32_t index)
{
	while (index >= r->blob_count) {
		r->blobs = sim_grow(r->blobs, r->blob_count, &r->blob_capacity, sizeof(*r->blobs));
		r->blob_count++;
	}
	r->blobs[index] |= REPLICA_BLOB_PENDING;
	r->dirty = true;
}

void replica_drop_blob(struct replica *r, uint32_t index)
{
	r->blobs[index] &= (uint8_t)~REPLICA_BLOB_PENDING;
	r->dirty = true;
}

void replica_commit(struct replica *r)
{
	for (size_t i = 0; i < r->changed_rows.count; i++) {
		struct replica_row *row = &r->rows[r->changed_rows.numbers[i]];
		row->durable = row->pending;
		row->durable_received = row->received;
		row->listed = false;
	}
	r->changed_rows.count = 0;
	for (size_t i = 0; i < r->blob_count; i++)
		r->blobs[i] = (r->blobs[i] & REPLICA_BLOB_PENDING) != 0
				  ? REPLICA_BLOB_PENDING | REPLICA_BLOB_DURABLE
				  : 0;
	for (size_t i = 0; i < r->changed_hosts.count; i++) {
		struct replica_state *row = &r->hosts[r->changed_hosts.numbers[i]];
		row->durable = row->pending;
		row->has_durable = row->has_pending;
		row->listed = false;
	}
	r->changed_hosts.count = 0;
	for (size_t i = 0; i < r->site_count; i++) {
		r->sites[i].durable = r->sites[i].pending;
		r->sites[i].has_durable = r->sites[i].has_pending;
	}
	r->dirty = false;
}

void replica_crash(struct replica *r)
{
	r->changed_rows.count = r->changed_hosts.count = 0;
	for (size_t i = 0; i < r->row_count; i++) {
		r->rows[i].pending = r->rows[i].durable;
		r->rows[i].received = r->rows[i].durable_received;
		r->rows[i].listed = false;
	}
	for (size_t i = 0; i < r->blob_count; i++)
		r->blobs[i] = (r->blobs[i] & REPLICA_BLOB_DURABLE) != 0
				  ? REPLICA_BLOB_PENDING | REPLICA_BLOB_DURABLE
				  : 0;
	for (size_t i = 0; i < r->host_count; i++) {
		r->hosts[i].pending = r->hosts[i].durable;
		r->hosts[i].has_pending = r->hosts[i].has_durable;
		r->hosts[i].listed = false;
	}
	for (size_t i = 0; i < r->site_count; i++) {
		r->sites[i].pending = r->sites[i].durable;
		r->sites[i].has_pending = r->sites[i].has_durable;
	}
	r->dirty = false;
}

void replica_wipe(struct replica *r)
{
	size_t hosts = r->host_count, sites = r->site_count;
	replica_free(r);
	replica_init(r, hosts, sites);
}

const struct sim_record *replica_get(const struct replica *r, uint32_t key_number)
{
	return key_number < r->row_count ? r->rows[key_number].pending : NULL;
}

bool replica_has_blob(const struct replica *r, uint32_t index)
{
	return index < r->blob_count && (r->blobs[index] & REPLICA_BLOB_PENDING) != 0;
}
