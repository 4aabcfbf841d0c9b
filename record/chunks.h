/* Entries cut into content-addressed chunks, with lists over them: what manifests, policies and inventories
 * are made of (docs/protocol.md section 4, Chunks). For this room. */
#ifndef MESH_RECORD_CHUNKS_H
#define MESH_RECORD_CHUNKS_H

#include "record/blob.h"

struct chunk_entry {
	const uint8_t *bytes;
	size_t len;
	size_t input; /* index that `order` is asked by */
};

/* Sorts the entries, drops those that are there twice (`ret_kept` are left), cuts them, emits chunks before
 * lists and the root last. `order` (may be NULL) gets each input's place. ERR_LIMIT: more chunks than lists
 * of depth two have room for. */
enum err chunks_build(enum blob_type type, struct chunk_entry *entries, size_t count, size_t *order,
		      manifest_emit emit, void *context, struct id *ret_root, size_t *ret_kept);

/* Each entry's bytes in order, from the lists under a root down. `each` may set *stop. ERR_FORMAT: no list of
 * such chunks; what `fetch` and `each` return. Hostile lists cost at most 63 + 63 x 63 fetches. */
typedef enum err (*chunk_each)(void *context, const uint8_t *entry, size_t len, bool *stop);
enum err chunks_read(enum blob_type type, const struct id *root, manifest_fetch fetch, void *fetch_context,
		     chunk_each each, void *each_context);

#endif
