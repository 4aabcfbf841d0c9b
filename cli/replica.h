/* Opening the replica that the options name. */
#ifndef MESH_CLI_REPLICA_H
#define MESH_CLI_REPLICA_H

#include "cli/command.h"
#include "store/query.h"

/* ERR_NOT_FOUND and the like say what to do. */
enum err replica_open(const struct command *c, wall_ms now, struct query **ret, struct err_info *info);

#endif
