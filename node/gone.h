/* Hosts that the authority revoked long ago: hidden from every answer since, compared with no other node, and
 * in the end let go of. At start, before the core has them. */
#ifndef MESH_NODE_GONE_H
#define MESH_NODE_GONE_H

#include "base/log.h"
#include "crypto/authlog.h"
#include "store/store.h"

#define GONE_DAYS      90   /* since this node learned of the revocation */
#define GONE_HOSTS_MAX 2048 /* at one start: their rows fit into one batch */

/* Deletes all rows of such hosts, with the next commit. `self` stays. ERR_NOMEM, or why the replica cannot be
 * read. */
enum err gone_drop(struct store *s, const struct authlog *log, const struct id *self, wall_ms now,
		   size_t *ret_hosts);

#endif
