/* A node's store: what was committed survives a crash, what waits for the next commit does not. */
#ifndef MESH_TESTS_SIM_REPLICA_H
#define MESH_TESTS_SIM_REPLICA_H

#include "record/state.h"
#include "registry.h"

struct replica_row {
	const struct sim_record *pending; /* as the running node sees it; NULL: none */
	const struct sim_record *durable;
	wall_ms received, durable_received;
	bool listed; /* among `changed_rows` */
};

struct replica_state {
	struct host_state pending, durable;
	bool has_pending, has_durable;
	bool listed; /* among `changed_hosts` */
};

struct replica_site {
	struct site_state pending, durable;
	bool has_pending, has_durable;
};

struct replica {
	struct replica_row *rows; /* by the key's number */
	size_t row_count, row_capacity;
	uint8_t *blobs; /* by the blob's index in the registry: REPLICA_BLOB_... */
	size_t blob_count, blob_capacity;
	struct replica_state *hosts; /* by the host's index */
	size_t host_count;
	struct replica_site *sites;
	size_t site_count;
	bool dirty;
	/* Since the last commit: most commits are of a few of many rows. */
	struct replica_changes {
		uint32_t *numbers;
		size_t count, capacity;
	} changed_rows, changed_hosts;
};
#define REPLICA_BLOB_PENDING 1
#define REPLICA_BLOB_DURABLE 2

void replica_init(struct replica *r, size_t hosts, size_t sites);
void replica_free(struct replica *r);
void replica_put(struct replica *r, const struct sim_record *record, wall_ms received);
void replica_put_host(struct replica *r, uint32_t index, const struct host_state *state);
void replica_put_blob(struct replica *r, uint32_t index);
/* One that it has. */
void replica_drop_blob(struct replica *r, uint32_t index);
void replica_commit(struct replica *r);
void replica_crash(struct replica *r); /* back to what was committed */
void replica_wipe(struct replica *r);
/* NULL when there is none. */
const struct sim_record *replica_get(const struct replica *r, uint32_t key_number);
bool replica_has_blob(const struct replica *r, uint32_t index);

#endif
