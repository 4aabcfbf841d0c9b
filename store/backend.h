/* The port between the store and what keeps its rows. A backend sees keys and values, and knows no overlay,
 * no checksum of single rows and no batch size. get, chunk and commit return ERR_CORRUPT for good once the
 * backend's structure was found damaged. */
#ifndef MESH_STORE_BACKEND_H
#define MESH_STORE_BACKEND_H

#include "store/row.h"

struct backend;

struct backend_ops {
	/* ERR_NOT_FOUND. */
	enum err (*get)(struct backend *b, const struct row_key *key, struct row_value *ret);
	/* Rows of the table of `after` that follow it, in order. A value no row can have comes with length 0.
	 */
	enum err (*chunk)(struct backend *b, const struct row_key *after, struct row_chunk *ret);
	/* All or nothing, durable. The only call that may run on another thread, beside get and chunk. */
	enum err (*commit)(struct backend *b, const struct row_set *batch, wall_ms now,
			   struct err_info *info);
	/* On the loop's thread, after each commit, with its result. */
	void (*settle)(struct backend *b, enum err commit_result);
	void (*count)(const struct backend *b, uint64_t *ret_rows, uint64_t *ret_file_bytes);
	void (*close)(struct backend *b);
};

struct backend {
	const struct backend_ops *ops;
};

enum err backend_memory_open(const struct id *estate, const struct id *self, struct backend **ret);

/* `map_bytes`: least size of the map. */
enum err backend_lmdb_open(const char *folder, uint64_t map_bytes, const struct id *estate,
			   const struct id *self, struct backend **ret, bool *ret_set_aside,
			   struct err_info *info);

#endif
