/* Edges between sites (edge.c). Inside gossip/ only, by way of core.h. */
#ifndef MESH_GOSSIP_EDGE_H
#define MESH_GOSSIP_EDGE_H

#include "gossip/gossip.h"

struct member;
struct site;

enum err edge_init(struct gossip *g);
void edge_free(struct gossip *g);
void edge_tick(struct gossip *g);
/* A sealed datagram of a host of another site came in. */
void edge_heard(struct gossip *g, struct member *m);
/* Live far ends of edges this node carries now, own picks first. Returns how many. */
#define EDGE_PEERS_MAX (2 * LIMIT_EDGES_PER_SITE + 16)
size_t edge_peers(const struct gossip *g, struct member **ret, size_t max);
bool edge_bridge(const struct gossip *g); /* this node drives an edge */
bool edge_carries(const struct gossip *g, const struct member *m);
/* edge_tree.c. News of `origin` (NULL: not known) are handed to `m`, of another site, at once; else they are
 * announced to it later, when it should know them from elsewhere. */
bool edge_at_once(const struct gossip *g, const struct site *origin, const struct member *m);
/* `m` lacked what it was told of later. */
void edge_asked(struct gossip *g, const struct site *origin, const struct member *m);

#endif
