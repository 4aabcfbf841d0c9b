#include "registry.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"

void registry_free(struct registry *r)
{
	for (size_t i = 0; i < r->record_count; i++) {
		free(r->records[i]->bytes);
		free(r->records[i]);
	}
	for (size_t i = 0; i < r->blob_count; i++) {
		free(r->blobs[i]->bytes);
		free(r->blobs[i]);
	}
	free(r->records);
	free(r->blobs);
	sim_map_free(&r->records_by_id);
	sim_map_free(&r->keys);
	sim_map_free(&r->blobs_by_id);
}

static uint32_t number_key(struct registry *r, const struct record_key *key)
{
	uint8_t packed[RECORD_KEY_BYTES];
	record_key_pack(key, packed);
	uint64_t hash = hash_checksum(packed, sizeof(packed));
	uint32_t number = sim_map_get(&r->keys, hash);
	if (number == SIM_MAP_NONE) {
		number = (uint32_t)r->key_count++;
		sim_map_put(&r->keys, hash, number);
	}
	return number;
}

const struct sim_record *registry_add(struct registry *r, const struct record *record, mono_ms now)
{
	const struct sim_record *known = registry_find_bytes(r, record->bytes, record->len);
	if (known != NULL)
		return known;
	struct sim_record *s = sim_alloc(1, sizeof(*s));
	s->id = record_id(r->set_key, record->bytes, record->len);
	s->key = record->key;
	s->seq = record->seq;
	s->key_number = number_key(r, &record->key);
	s->published = now;
	s->len = record->len;
	s->bytes = sim_copy(record->bytes, record->len);
	r->records = sim_grow(r->records, r->record_count, &r->record_capacity, sizeof(*r->records));
	sim_map_put(&r->records_by_id, s->id, (uint32_t)r->record_count);
	r->records[r->record_count++] = s;
	return s;
}

const struct sim_record *registry_find(const struct registry *r, uint64_t id)
{
	uint32_t i = sim_map_get(&r->records_by_id, id);
	return i == SIM_MAP_NONE ? NULL : r->records[i];
}

const struct sim_record *registry_find_bytes(const struct registry *r, const uint8_t *bytes, size_t len)
{
	const struct sim_record *s = registry_find(r, record_id(r->set_key, bytes, len));
	return s != NULL && s->len == len && memcmp(s->bytes, bytes, len) == 0 ? s : NULL;
}

const struct sim_blob *registry_add_blob(struct registry *r, const struct id *id, const uint8_t *bytes,
					 size_t len)
{
	const struct sim_blob *known = registry_find_blob(r, id);
	if (known != NULL)
		return known;
	struct sim_blob *b = sim_alloc(1, sizeof(*b));
	b->id = *id;
	b->len = len;
	b->bytes = sim_copy(bytes, len);
	r->blobs = sim_grow(r->blobs, r->blob_count, &r->blob_capacity, sizeof(*r->blobs));
	sim_map_put(&r->blobs_by_id, id_short(id), (uint32_t)r->blob_count);
	r->blobs[r->blob_count++] = b;
	return b;
}

const struct sim_blob *registry_find_blob(const struct registry *r, const struct id *id)
{
	uint32_t i = sim_map_get(&r->blobs_by_id, id_short(id));
	return i != SIM_MAP_NONE && id_equal(&r->blobs[i]->id, id) ? r->blobs[i] : NULL;
}
