/* From the list of kernel components a collector found to what a host publishes: manifest blobs and the
 * components record, with the changes since the last one. */
#ifndef MESH_NODE_COMPONENTS_H
#define MESH_NODE_COMPONENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "node/collect/collect.h"
#include "record/body.h"
#include "record/manifest.h"

/* What the last record said, with the entries its manifest names; zeroed memory is "nothing yet". */
struct components_seen {
	bool published;
	uint64_t *entries; /* entry ids by place in the manifest, owned */
	uint8_t loaded[COMPONENTS_LOADED_BYTES];
	size_t count;
	struct component_change changes[LIMIT_CHANGES];
	size_t change_count;
	uint64_t changes_total;
};
void components_seen_release(struct components_seen *seen);

/* Picks up where the own stored record left off. The manifest is read through `fetch`; when chunks are
 * missing (ERR_NOT_FOUND) the history is kept, but the first look at the host is no comparison. */
enum err components_seen_resume(struct components_seen *seen, const struct components *own_record,
				manifest_fetch fetch, void *context);

/* Builds manifest and record out of `found` and moves `seen` on. `emit` gets the blobs, the root last.
 * ret_new: something was added or loaded that was not there before. ERR_NOMEM, ERR_LIMIT; `seen` is untouched
 * then. */
enum err components_publish(struct components_seen *seen, const struct collected_components *found,
			    uint64_t now_s, manifest_emit emit, void *context, struct components *ret,
			    bool *ret_new);

#endif
