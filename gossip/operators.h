/* What each operator may have the estate keep (docs/protocol.md section 9). */
#ifndef MESH_GOSSIP_OPERATORS_H
#define MESH_GOSSIP_OPERATORS_H

#include "gossip/core.h"

enum err operators_init(struct gossip *g);
void operators_free(struct gossip *g);
/* Of a record that is new or newer under its key: no operator's, or among those of its operator that stand.
 */
bool operators_room(const struct gossip *g, const struct record *r, uint64_t id);
/* What is fetched on its behalf; NULL while nothing it said is held. */
struct blob_owner *operators_blobs(struct gossip *g, const struct id *op);
/* It was put into the set; what of its operator no longer stands leaves it. ERR_NOMEM. */
enum err operators_put(struct gossip *g, const struct record *r, uint64_t id);
/* What an operator hands in at this node; errors as for GOSSIP_SUBMIT. */
enum err operators_submit(struct gossip *g, const uint8_t *bytes, size_t len);

#endif
