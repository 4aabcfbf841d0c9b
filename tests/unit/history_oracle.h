/* What the log of transitions must say, kept the simple way: every commit's changes in a list, and each
 * question answered by going through all of it, host by host. */
#ifndef MESH_TESTS_UNIT_HISTORY_ORACLE_H
#define MESH_TESTS_UNIT_HISTORY_ORACLE_H

#include "store/query.h"
#include "store/store.h"

#define ORACLE_HOSTS    64
#define ORACLE_CHANGES  20000
#define ORACLE_WATCHES  2000
#define ORACLE_NO_STATE 99

struct oracle_change {
	size_t host, watch;
	int from, to;
	wall_ms since; /* as it was put, no later than the commit */
};

/* From a start or pause to the next. */
struct oracle_watch {
	wall_ms begin, end;
	int first[ORACLE_HOSTS]; /* statuses when it began */
};

struct oracle {
	size_t hosts;
	int status[ORACLE_HOSTS]; /* today */
	const char *site[ORACLE_HOSTS];
	struct oracle_change changes[ORACLE_CHANGES];
	size_t change_count;
	struct oracle_watch watches[ORACLE_WATCHES];
	size_t watch_count;
	wall_ms begins, as_of;
};

void oracle_begin(struct oracle *o, wall_ms noted, wall_ms known_until);
void oracle_put(struct oracle *o, size_t host, int status, wall_ms since, wall_ms now);
struct query_point oracle_at(const struct oracle *o, const char *site, wall_ms t);
/* Changes after `from` up to `to`, both in one watch; else false. */
bool oracle_changes(const struct oracle *o, const char *site, wall_ms from, wall_ms to,
		    struct query_point *ret);

#endif
