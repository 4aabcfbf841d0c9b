/* The authority log between nodes. */
#ifndef MESH_GOSSIP_LOGSYNC_H
#define MESH_GOSSIP_LOGSYNC_H

#include "gossip/core.h"

enum err logsync_init(struct gossip *g);
void logsync_free(struct gossip *g);
void logsync_tick(struct gossip *g);
/* Its log says more than the own one, and is being fetched: its records would be judged by the wrong log. */
bool logsync_waits(const struct gossip *g, const struct member *m);
/* LOG_PULL, LOG_ENTRIES. `m` is NULL under the hello key. New entries: core_on_log. */
void logsync_on_message(struct gossip *g, struct member *m, const struct address *from,
			const struct datagram *d);
/* What the administrator hands in; errors as for GOSSIP_LOG. */
enum err logsync_local(struct gossip *g, const uint8_t *bytes, size_t len);
/* A peer (m NULL: one we have no session with, at `from`) has this head. */
void logsync_on_head(struct gossip *g, struct member *m, const struct address *from,
		     struct authlog_head head);
/* Hellos to that address are not answered: it is asked for what the log may say about that. */
void logsync_on_silence(struct gossip *g, const struct address *to);

#endif
