/* A read-only snapshot of a replica on disk, beside its daemon or without it. Private to the questions. */
#ifndef MESH_STORE_SNAPSHOT_H
#define MESH_STORE_SNAPSHOT_H

#include "store/column.h"
#include "store/row.h"

struct snapshot;

/* `state` holds replica/. ERR_NOT_FOUND, ERR_DENIED, ERR_VERSION, ERR_CORRUPT, ERR_BUSY. */
enum err snapshot_open(const char *state, struct snapshot **ret, struct err_info *info);
void snapshot_close(struct snapshot *r); /* NULL is fine */
const struct store_meta *snapshot_meta(const struct snapshot *r);

/* ERR_NOT_FOUND also for a damaged row, which is counted; ERR_CORRUPT; ERR_BUSY when the snapshot, read
 * without a lock, was overtaken. */
enum err snapshot_get(struct snapshot *r, const struct row_key *key, struct row_value *ret);

/* Rows whose key starts with the `prefix_len` first bytes of `prefix`, damaged ones left out, in the order of
 * their stored keys: those of hosts by number. */
struct snapshot_scan {
	struct snapshot *snapshot;
	struct row_key at; /* the prefix */
	size_t prefix_len;
	struct row_chunk *chunk;
};
enum err snapshot_scan_open(struct snapshot *r, const uint8_t *prefix, size_t prefix_len,
			    struct snapshot_scan *ret);
/* ERR_NOT_FOUND at the end. The view is valid until the next call. */
enum err snapshot_scan_next(struct snapshot_scan *scan, struct row_key *ret_key, const uint8_t **ret_bytes,
			    size_t *ret_len);
void snapshot_scan_close(struct snapshot_scan *scan);

/* A block or delta, checked: in the map, or copied out of it. */
struct snapshot_block {
	struct column_block block; /* unless damaged; valid until the snapshot is closed */
	uint8_t *bytes;            /* the copy, if it is one */
	bool damaged;              /* and counted */
};
/* ERR_NOT_FOUND, ERR_CORRUPT, ERR_BUSY, ERR_NOMEM. */
enum err snapshot_block(struct snapshot *r, const struct row_key *key, struct snapshot_block *ret);
void snapshot_block_free(struct snapshot_block *b);
/* All whose key starts with `prefix`, in order. `take` owns what it gets. */
enum err snapshot_each_block(struct snapshot *r, const uint8_t *prefix, size_t prefix_len,
			     enum err (*take)(void *context, const struct row_key *key,
					      struct snapshot_block *taken),
			     void *context);
/* ERR_NOT_FOUND, also where the row is damaged, which is counted. */
enum err snapshot_number(struct snapshot *r, const struct id *host, uint32_t *ret);

/* For damage that no row's checksum tells of. */
void snapshot_count_damaged(struct snapshot *r, const struct row_key *key);
/* The file was cut while blocks were read in place: nothing that came of them counts. Asked before anything
 * is told. ERR_OK, ERR_CORRUPT. */
enum err snapshot_trusted(struct snapshot *r);
/* Whether the bytes stand in the map, and may so be others a moment later. */
bool snapshot_maps(const struct snapshot *r, const void *bytes);
/* Distinct damaged rows met so far. */
uint64_t snapshot_damaged(const struct snapshot *r);
/* Text for an error of get or scan. */
enum err snapshot_error(const struct snapshot *r, enum err err, struct err_info *info);

#endif
