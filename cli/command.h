/* One run of a verb: its options, where it writes, how it fails. */
#ifndef MESH_CLI_COMMAND_H
#define MESH_CLI_COMMAND_H

#include <stdio.h>

#include "base/limits.h"
#include "cli/options.h"

/* Exit codes, the same for every verb. */
enum {
	MESH_EXIT_COMPLETE = 0,
	MESH_EXIT_ERROR = 1,
	MESH_EXIT_USAGE = 2,
	MESH_EXIT_PARTIAL = 3, /* answered, but stale or partial; --allow-partial makes it 0 */
};

struct command {
	const struct verb *verb;
	struct options options;
	FILE *out;
	FILE *err;
};

/* "mesh: TEXT" to c->err; returns `code`, so that a failing path is one line. */
int command_fail(struct command *c, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* As command_fail, with what a call said; its exit code. */
int command_report(struct command *c, const struct err_info *info);
/* The folder of --state, MESH_STATE or the default. */
enum err command_state(const struct command *c, char *ret, size_t cap, struct err_info *info);
/* The command that starts the node of that state folder: of the service, or of meshd by hand. */
#define COMMAND_START_BYTES (LIMIT_PATH_BYTES + 32)
void command_start_hint(const char *state, char ret[COMMAND_START_BYTES]);
/* The number of an option that must be within min..max; `fallback` when it was not given. ERR_USAGE. */
enum err command_number(const struct command *c, const char *name, unsigned min, unsigned max,
			unsigned fallback, unsigned *ret, struct err_info *info);

#endif
