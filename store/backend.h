/* The port between the store and what keeps its rows. A backend sees keys and values, and knows no overlay,
 * no checksum of single rows and no batch size. get, chunk and commit return ERR_CORRUPT for good once the
 * backend's structure was found damaged. */
#ifndef MESH_STORE_BACKEND_H
#define MESH_STORE_BACKEND_H

#include "store/row.h"
#include "store/store.h"

struct backend;

/* What a commit does beside the rows it is asked for. */
struct backend_work {
	uint64_t bytes;       /* of keys and values put, blocks included */
	uint64_t blocks;      /* and deltas written */
	uint64_t rebuilt;     /* blocks and groups that were damaged */
	uint64_t refused;     /* rows that there was no room for */
	uint64_t beyond_room; /* commits that wrote where no room had been set aside */
	uint64_t swept;       /* rows that nobody referred to */
	uint64_t lost;        /* damaged rows of the log, which nobody else has */
};

struct backend_count {
	uint64_t rows, file_bytes;
	uint64_t written_bytes; /* pages that commits wrote */
	struct store_reader reader;
	struct backend_work work;
};

struct backend_ops {
	/* ERR_NOT_FOUND. */
	enum err (*get)(struct backend *b, const struct row_key *key, struct row_value *ret);
	/* Rows behind ret->at, of its table, each once, in the backend's own order; of records: by kind. A
	 * value no row can have comes with length 0. */
	enum err (*chunk)(struct backend *b, struct row_chunk *ret);
	/* All or nothing, durable. The only call that may run on another thread, beside get and chunk. */
	enum err (*commit)(struct backend *b, const struct row_set *batch, wall_ms now,
			   struct err_info *info);
	/* On the loop's thread, after each commit, with its result. */
	void (*settle)(struct backend *b, enum err commit_result);
	void (*count)(const struct backend *b, struct backend_count *ret);
	void (*close)(struct backend *b);
};

struct backend {
	const struct backend_ops *ops;
};

enum err backend_memory_open(const struct id *estate, const struct id *self, struct backend **ret);

/* `map_bytes`: least size of the map. */
enum err backend_lmdb_open(const char *folder, uint64_t map_bytes, const struct id *estate,
			   const struct id *self, const struct store_progress *progress, struct backend **ret,
			   bool *ret_set_aside, struct err_info *info);

#endif
