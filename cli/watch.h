/* --watch: a verb that answers again and again. */
#ifndef MESH_CLI_WATCH_H
#define MESH_CLI_WATCH_H

#include "cli/command.h"

/* Runs the verb every SECONDS, until its reader goes away or a signal ends the process; the exit code of the
 * last run. An error of the first run ends it, a later one (the replica is being replaced) is only told. */
int watch_run(struct command *c);

#endif
