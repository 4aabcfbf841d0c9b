/* The replica's way into the core at start. For driver.c only. */
#ifndef MESH_NODE_DRIVER_LOAD_H
#define MESH_NODE_DRIVER_LOAD_H

#include "node/driver.h"

/* Highest seq of what this host signed, 0: nothing. */
uint64_t driver_load_highest(struct store *s, const struct id *self);
/* Records that the core refuses (their host was never certified) are left out and counted. */
enum err driver_load_replica(struct store *s, const struct authlog *log, struct gossip *g,
			     struct driver_load *ret, struct err_info *info);

#endif
