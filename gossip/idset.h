/* A set of 16-byte ids: which blobs the replica holds. Open addressing, grows on demand, nothing allocated
 * while empty. The ids are hashes, so their own bytes place them; the zero id is none. */
#ifndef MESH_GOSSIP_IDSET_H
#define MESH_GOSSIP_IDSET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "crypto/id.h"

struct idset {
	struct id *slots;
	size_t cap;
	size_t count;
	size_t limit; /* most ids */
};

void idset_init(struct idset *s, size_t limit);
void idset_free(struct idset *s);
bool idset_has(const struct idset *s, const struct id *id);
/* ERR_OK also when it is in already; ERR_LIMIT, ERR_NOMEM, ERR_ARG (zero id). */
enum err idset_add(struct idset *s, const struct id *id);
bool idset_remove(struct idset *s, const struct id *id);

#endif
