/* How often this node begins to reconcile (sync.c): with one peer, and with all of them. */
#ifndef MESH_GOSSIP_PACE_H
#define MESH_GOSSIP_PACE_H

#include <stdbool.h>

#include "base/clock.h"

struct gossip;
struct member;

struct pace {
	mono_ms at;        /* the last one began, 0: none */
	uint64_t accepted; /* counter then, and what came by it */
	unsigned vain;     /* since one brought something */
};

/* Not before then with `m`, for a difference that is seen now. */
mono_ms pace_with(const struct gossip *g, const struct member *m);
/* Not before then with anybody. */
mono_ms pace_with_any(const struct gossip *g);
void pace_begun(struct gossip *g, struct member *m);
/* It brought a record that was taken. */
void pace_fruit(struct gossip *g, struct member *m);
/* Its set is the same as this node's. */
void pace_equal(struct gossip *g, struct member *m);
/* Of late it brought something, or there was nothing to bring. */
bool pace_worth(const struct gossip *g, const struct member *m);
/* The last one with it found so much that there may well be more. */
bool pace_goes_on(struct member *m);

#endif
