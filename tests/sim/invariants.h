/* What must hold after each step, whatever the faults:
 *   - no record of a node's set goes back in order, and none is there that no honest node of this world
 *     published: what is persisted or listed is looked up in the registry, byte for byte;
 *   - what a node signs itself is verified, has a higher seq than anything it ever signed, across crashes,
 *     and lies below what was durably reserved;
 *   - nobody is raised from stopped, asleep or left but by a newer record of his own, nor from dark while he
 *     is down and has said nothing new;
 *   - the sketch is that of the set, now and then;
 *   - sets, sessions, queues and datagrams stay within what this world and base/limits.h allow. */
#ifndef MESH_TESTS_SIM_INVARIANTS_H
#define MESH_TESTS_SIM_INVARIANTS_H

#include "world.h"

/* Before the update's rows are put into the replica. Registers what the node signed. */
void invariants_update(struct world *w, struct node *n, const struct gossip_update *u);
/* When its records are in the replica, and its states are not yet. */
void invariants_states(struct world *w, struct node *n, const struct gossip_update *u);
/* After it was carried out. */
void invariants_node(struct world *w, struct node *n);
/* What the set may hold when the node starts is not behind what it loaded. */
void invariants_started(struct world *w, struct node *n);

#endif
