/* Completing the allow-lists that the log names. */
#ifndef MESH_GOSSIP_ALLOW_H
#define MESH_GOSSIP_ALLOW_H

#include "gossip/core.h"

enum err allow_init(struct gossip *g);
void allow_free(struct gossip *g);
void allow_tick(struct gossip *g);
/* The log may name new ones; `hint` (may be NULL) handed it on, and is asked first. */
void allow_refresh(struct gossip *g, struct member *hint);
/* A blob came in. False when no list needs it. */
bool allow_on_blob(struct gossip *g, const struct id *id, const uint8_t *bytes, size_t len);

#endif
