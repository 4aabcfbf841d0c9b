/* A read-only snapshot of a replica on disk, beside its daemon or without it. Private to the questions. */
#ifndef MESH_STORE_REPLICA_H
#define MESH_STORE_REPLICA_H

#include "store/row.h"

struct replica;

/* `state` holds replica/. ERR_NOT_FOUND, ERR_DENIED, ERR_VERSION, ERR_CORRUPT, ERR_BUSY. */
enum err replica_open(const char *state, struct replica **ret, struct err_info *info);
void replica_close(struct replica *r); /* NULL is fine */
const struct store_meta *replica_meta(const struct replica *r);

/* ERR_NOT_FOUND also for a damaged row, which is counted; ERR_CORRUPT; ERR_BUSY when the snapshot, read
 * without a lock, was overtaken. */
enum err replica_get(struct replica *r, const struct row_key *key, struct row_value *ret);

/* Rows whose key starts with the `prefix_len` first bytes of `prefix`, in order, damaged ones left out. */
struct replica_scan {
	struct replica *replica;
	struct row_key at;
	size_t prefix_len;
	struct row_chunk *chunk;
};
enum err replica_scan_open(struct replica *r, const uint8_t *prefix, size_t prefix_len,
			   struct replica_scan *ret);
/* ERR_NOT_FOUND at the end. The view is valid until the next call. */
enum err replica_scan_next(struct replica_scan *scan, struct row_key *ret_key, const uint8_t **ret_bytes,
			   size_t *ret_len);
void replica_scan_close(struct replica_scan *scan);

/* Distinct damaged rows met so far. */
uint64_t replica_damaged(const struct replica *r);
/* Text for an error of get or scan. */
enum err replica_error(const struct replica *r, enum err err, struct err_info *info);

#endif
