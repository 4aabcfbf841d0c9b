/* Against eclipse: now and then a look beyond those whom one usually talks to. */
#ifndef MESH_GOSSIP_COMPARE_H
#define MESH_GOSSIP_COMPARE_H

#include "gossip/core.h"

enum err compare_init(struct gossip *g);
void compare_free(struct gossip *g);
void compare_tick(struct gossip *g);

#endif
