/* What every answer says about itself: the last lines of a table, the field "coverage" in JSON. */
#ifndef MESH_CLI_COVERAGE_H
#define MESH_CLI_COVERAGE_H

#include "cli/output.h"
#include "store/query.h"

/* Why some hosts have no list of loadable modules: counts of hosts. For verbs that show components. */
struct coverage_modules {
	bool asked;
	struct query_modules hosts;
};

/* A line about the host that answers, where it takes no or no full part in the estate: what that means and
 * what to do. `prefix` goes before it. */
void coverage_self(FILE *f, const char *prefix, enum host_standing standing, bool unsure);
/* "Coverage: …" and "PARTIAL: …" lines. */
void coverage_text(FILE *f, const struct query_coverage *c, const struct coverage_modules *modules,
		   wall_ms now);
/* The object's value; `modules` may be NULL. */
void coverage_json(struct json *j, const char *key, const struct query_coverage *c,
		   const struct coverage_modules *modules, wall_ms now);

#endif
