/* Allow-list: the hosts that stay when their issuer is revoked, as content-addressed blobs (docs/protocol.md
 * section 4). */
#ifndef MESH_RECORD_ALLOW_LIST_H
#define MESH_RECORD_ALLOW_LIST_H

#include "record/manifest.h"

#define ALLOW_LIST_LEAF_HOSTS 63
/* Blobs of the longest list: leaves, the lists over them, the root. */
#define ALLOW_LIST_BLOBS                                                                                     \
	((LIMIT_ALLOW_HOSTS + ALLOW_LIST_LEAF_HOSTS - 1) / ALLOW_LIST_LEAF_HOSTS + LIMIT_BLOB_LIST + 1)

/* Makes the blobs of a list of hosts, ascending, and names its root: a single leaf, or a list over leaves (of
 * lists, when they are many). `emit` gets each blob once, the root last, as in manifest_build. ERR_FORMAT
 * (not ascending), ERR_LIMIT (beyond LIMIT_ALLOW_HOSTS). */
enum err allow_list_build(const struct id *hosts, size_t count, manifest_emit emit, void *context,
			  struct id *ret_root);

/* Hosts of one leaf, at most ALLOW_LIST_LEAF_HOSTS, ascending: points into the blob, ID_BYTES each.
 * ERR_FORMAT when it is none, and what blob_check says. */
enum err allow_list_leaf(const uint8_t *blob, size_t len, const uint8_t **ret_hosts, size_t *ret_count);

/* Reads a whole list. `fetch` as in manifest_read: the first blob that is not here ends it with
 * ERR_NOT_FOUND, and its id goes to `ret_missing` (may be NULL). `ret` holds LIMIT_ALLOW_HOSTS and is scratch
 * until ERR_OK. ERR_FORMAT (not ascending throughout, or no allow-list), ERR_LIMIT. */
enum err allow_list_read(const struct id *root, manifest_fetch fetch, void *context, struct id *ret,
			 size_t *ret_count, struct id *ret_missing);

#endif
