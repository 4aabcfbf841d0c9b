/* What others notice of a host: its key in two places, two records of one order, a clock that is off. */
#ifndef MESH_GOSSIP_CLONE_H
#define MESH_GOSSIP_CLONE_H

#include "gossip/core.h"

/* A verified record of `m`, of a kind that hosts sign, about to be taken. `fresh`: it was pushed. */
void clone_on_record(struct gossip *g, struct member *m, const struct record *r, bool fresh);
/* A hello proved that `m`, seen at `from`, used this exchange key (KEY_BYTES) after `made_after`; `answered`:
 * it was asked for it here. */
void clone_on_key(struct gossip *g, struct member *m, const uint8_t *key, mono_ms made_after, bool answered,
		  const struct address *from);
/* A verified record that has the key and seq of one that is held, and is another. True when it has to wait
 * until that one was read as proof. */
bool clone_forked(struct gossip *g, const struct record *r, uint64_t id);
/* Its fork, if it is one, was not told yet. */
bool clone_unproved(const struct gossip *g, const struct record *r, uint64_t id);
void clone_free(struct gossip *g);

#endif
