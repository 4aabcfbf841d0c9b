/* Inside of members: member.c adds, this finds. */
#ifndef MESH_GOSSIP_MEMBER_FIND_H
#define MESH_GOSSIP_MEMBER_FIND_H

#include "gossip/core.h"

/* Room for one more. ERR_NOMEM. */
enum err member_slot_reserve(struct gossip *g);
/* One that is in members.hosts, and for which there is room. */
void member_slot_put(struct gossip *g, struct member *m);
/* Ascending by id, as they are from the end of loading on. */
void member_sort_all(struct gossip *g);

#endif
