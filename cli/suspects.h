/* mesh suspects: what is said of its rows in words. */
#ifndef MESH_CLI_SUSPECTS_H
#define MESH_CLI_SUSPECTS_H

#include <stdio.h>

#include "store/suspects.h"

#define SUSPECTS_NAME_BYTES 400

/* "csagent@7.11", "site leeds"; of a path only its last part unless `whole`. Not escaped. */
void suspects_name(const struct suspect *s, bool whole, char ret[SUSPECTS_NAME_BYTES]);
unsigned suspects_percent(uint64_t part, uint64_t all);
/* The lines before and behind the table. */
void suspects_head(FILE *f, const struct suspects *all, wall_ms now);
void suspects_foot(FILE *f, const struct suspects *all);

#endif
