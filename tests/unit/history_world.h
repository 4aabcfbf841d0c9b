/* A small estate, its store, and the oracle of what its log must say. */
#ifndef MESH_TESTS_UNIT_HISTORY_WORLD_H
#define MESH_TESTS_UNIT_HISTORY_WORLD_H

#include "base/prng.h"
#include "store/query_private.h"
#include "store/store_private.h"
#include "tests/unit/history_oracle.h"
#include "tests/unit/query_estate.h"

struct world {
	const char *folder, *replica;
	struct store *store;
	struct store_meta meta;
	struct id ids[ORACLE_HOSTS];
	struct oracle oracle;
	struct prng p;
	wall_ms t;
};

/* The first commit is a start, an hour after the estate was made. */
struct world *world_make(struct scratch *s);
void world_free(struct world *w);
void world_reopen(struct world *w);
/* As of w->t. */
void world_commit(struct world *w);
/* A start or pause, committed; what was known before ended at `until`. */
void world_begin(struct world *w, enum store_mark mark, wall_ms until);
void world_put(struct world *w, size_t host, enum host_status status, wall_ms since);
/* Some hosts become something else, or are put again as they are, and a commit. */
void world_change(struct world *w);
/* Of the log, as committed. */
struct store_history world_log(const struct world *w);

#endif
