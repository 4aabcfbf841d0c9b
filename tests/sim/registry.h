/* What honest nodes of this world published: every record and blob, once. What is not in here was forged. */
#ifndef MESH_TESTS_SIM_REGISTRY_H
#define MESH_TESTS_SIM_REGISTRY_H

#include "crypto/record.h"
#include "memory.h"

struct sim_record {
	uint64_t id;
	struct record_key key;
	uint64_t seq;
	uint32_t key_number; /* dense, the same for records of one key */
	mono_ms published;
	size_t len;
	uint8_t *bytes;
};

struct sim_blob {
	struct id id;
	size_t len;
	uint8_t *bytes;
};

struct registry {
	uint8_t set_key[KEY_BYTES];
	struct sim_record **records;
	size_t record_count, record_capacity;
	struct sim_map records_by_id;
	struct sim_map keys; /* hash of the key: its number */
	size_t key_count;
	struct sim_blob **blobs;
	size_t blob_count, blob_capacity;
	struct sim_map blobs_by_id;
};

void registry_free(struct registry *r);
/* Adds (or finds) a record; `record` was parsed and verified by the caller. */
const struct sim_record *registry_add(struct registry *r, const struct record *record, mono_ms now);
/* NULL when never published. */
const struct sim_record *registry_find(const struct registry *r, uint64_t id);
const struct sim_record *registry_find_bytes(const struct registry *r, const uint8_t *bytes, size_t len);
const struct sim_blob *registry_add_blob(struct registry *r, const struct id *id, const uint8_t *bytes,
					 size_t len);
const struct sim_blob *registry_find_blob(const struct registry *r, const struct id *id);

#endif
