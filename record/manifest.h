/* Component entries, and the manifest that holds a host's: content-addressed blobs (docs/protocol.md section
 * 4). */
#ifndef MESH_RECORD_MANIFEST_H
#define MESH_RECORD_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/reading.h"
#include "crypto/id.h"

enum component_kind {
	COMPONENT_MODULE = 1,
	COMPONENT_BUILTIN = 2,
	COMPONENT_DRIVER = 3,
	COMPONENT_FILTER = 4,
	COMPONENT_EBPF = 5,
	COMPONENT_EXTENSION = 6,
	COMPONENT_CONTENT_FILE = 7,
	COMPONENT_KERNEL = 8,
};
const char *component_kind_name(enum component_kind kind);

#define COMPONENT_BOOT_START  (1u << 0)
#define COMPONENT_OUT_OF_TREE (1u << 1)
#define COMPONENT_UNSIGNED    (1u << 2)
#define COMPONENT_PROPRIETARY (1u << 3)
#define COMPONENT_THIRD_PARTY (1u << 4)

struct component {
	enum component_kind kind;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	struct reading_text version;
	struct reading_text source; /* srcversion, or hexadecimal file hash */
	struct reading_text vendor;
	struct reading_u64 size_bytes;
	uint32_t flags;
};

#define COMPONENT_ENTRY_BYTES 285
/* ERR_RANGE: no kind, no name, or a text beyond its limit. */
enum err component_encode(const struct component *c, uint8_t ret[COMPONENT_ENTRY_BYTES], size_t *ret_len);
/* ERR_SHORT, ERR_TRAILING, ERR_FORMAT, ERR_RANGE. Kinds this version does not know are decoded all the same.
 */
enum err component_decode(const uint8_t *entry, size_t len, struct component *ret);
/* Entry id of the encoded bytes. */
uint64_t component_entry_id(const uint8_t *entry, size_t len);

enum blob_type {
	BLOB_LIST = 1,
	BLOB_COMPONENTS = 2,
	BLOB_POLICY = 3,
	BLOB_INVENTORY = 4,
	BLOB_CATALOGUE = 5,
	BLOB_ALLOW_LIST = 6
};

/* ERR_VERSION, ERR_FORMAT, ERR_LIMIT. Any type; lists are checked to be whole ids. */
enum err blob_check(const uint8_t *blob, size_t len, enum blob_type *ret_type);
struct id blob_id(const uint8_t *blob, size_t len);
/* Children of a list blob; ERR_FORMAT when it is none. Points into the blob: n ids of ID_BYTES each. */
enum err blob_list(const uint8_t *blob, size_t len, const uint8_t **ret_ids, size_t *ret_count);

/* Builds a manifest. `order` (count elements, may be NULL) receives for each input index its place in the
 * manifest. `emit` is called once per blob, chunks before lists, the root last; it returns an error to stop.
 * Exact duplicates are kept once (both inputs get its place). ERR_LIMIT beyond LIMIT_COMPONENTS. */
typedef enum err (*manifest_emit)(void *context, const struct id *id, const uint8_t *blob, size_t len);
enum err manifest_build(const struct component *components, size_t count, size_t *order, manifest_emit emit,
			void *context, struct id *ret_root, size_t *ret_entries);

/* Reads a manifest. `fetch` returns ERR_OK and the blob, or ERR_NOT_FOUND: entries of missing chunks are
 * skipped in the numbering only as far as is known, so reading stops there with ERR_NOT_FOUND. `each` gets
 * the entry's place, its id and the decoded component; false stops. */
typedef enum err (*manifest_fetch)(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES],
				   size_t *ret_len);
typedef bool (*manifest_each)(void *context, size_t index, uint64_t entry_id, const struct component *c);
enum err manifest_read(const struct id *root, manifest_fetch fetch, void *fetch_context, manifest_each each,
		       void *each_context);

#endif
