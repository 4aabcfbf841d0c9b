/* Retention: from time to time a look for blobs that nothing refers to, off the loop; what two looks in a row
 * found is forgotten by the core and dropped from the replica, a slice a commit. */
#ifndef MESH_NODE_SWEEPER_H
#define MESH_NODE_SWEEPER_H

#include "crypto/authlog.h"
#include "node/committer.h"

struct sweeper;

/* All are kept by reference and outlive the sweeper. */
struct sweeper_options {
	struct store *store;
	struct committer *committer;
	const struct authlog *authority_log;
	const struct log *log;
	/* gossip_forget_blobs. */
	size_t (*forget)(void *context, struct id *blobs, size_t count);
	/* On the loop's thread, after a look: rearm timers. */
	void (*done)(void *context);
	void *context; /* of both */
};

enum err sweeper_new(const struct sweeper_options *options, mono_ms now, struct sweeper **ret);
/* After the loop has run its last callbacks. NULL is fine. */
void sweeper_free(struct sweeper *s);
/* UINT64_MAX: a look goes on. */
mono_ms sweeper_due(const struct sweeper *s);
void sweeper_run(struct sweeper *s, mono_ms now);

#endif
