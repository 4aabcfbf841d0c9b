/* Reconciliation: sync.c says when, and walks; sync_sketch.c comes first, by sketch. */
#ifndef MESH_GOSSIP_SYNC_H
#define MESH_GOSSIP_SYNC_H

#include "gossip/core.h"

enum err sync_init(struct gossip *g);
void sync_free(struct gossip *g);
void sync_tick(struct gossip *g);
/* SYNC_ROOTS, SYNC_NODE, SYNC_LEAF. */
void sync_on_message(struct gossip *g, struct member *m, const struct datagram *d);
void sync_on_root(struct gossip *g, struct member *m, uint64_t root); /* a PING or ACK said so */
void sync_on_session(struct gossip *g, struct member *m);
/* A roll-call says the site's partition has these children. `from` (may be NULL) had them. */
void sync_on_rollcall(struct gossip *g, struct site *s, const uint64_t trie[16], struct member *from);

/* --- between the two --- */

#define SYNC_STALLED_NEAR_MS 400  /* nothing heard of what should go on, inside the site … */
#define SYNC_STALLED_FAR_MS  1200 /* … and over an edge */

mono_ms sync_patience(const struct gossip *g, const struct member *m);
/* Begins the walk. */
void sync_walk(struct gossip *g, struct member *m);
/* Answers who asked that both sets are the same. */
void sync_equal(struct gossip *g, struct member *m, uint64_t echo);
/* It has begun to reconcile, both ways: no need to do likewise. */
void sync_asked(struct gossip *g, struct member *m);

enum err sync_sketch_init(struct gossip *g);
void sync_sketch_free(struct gossip *g);
void sync_sketch_tick(struct gossip *g);
/* False when there has to be a walk. */
bool sync_sketch_begin(struct gossip *g, struct member *m);
/* SKETCH_PULL, SKETCH, SKETCH_OFFER. */
void sync_sketch_on_message(struct gossip *g, struct member *m, const struct datagram *d);

#endif
