/* What one signer may make the estate carry. */
#ifndef MESH_GOSSIP_SHARE_H
#define MESH_GOSSIP_SHARE_H

#include "gossip/core.h"

/* `fresh`: a record of a key that is not held yet. */
bool share_used_up(const struct gossip *g, const struct record *r, bool fresh);
void share_use(struct gossip *g, const struct record *r, bool fresh);
/* May this one be passed on as urgent? Counts it when so. */
bool share_urgent(struct gossip *g, const struct record *r);
/* May one more signature be checked now? Counts it when so. `asked`: for what this node pulled. */
bool share_verify(struct gossip *g, bool asked);

#endif
