/* What `mesh impact` looks for, as conditions over the table host_components. */
#ifndef MESH_CLI_IMPACT_TARGET_H
#define MESH_CLI_IMPACT_TARGET_H

#include "cli/command.h"
#include "cli/question.h"

#define IMPACT_TEXT_BYTES 512

struct impact_target {
	const char *predicate; /* of --sql; NULL: by name */
	char name[IMPACT_TEXT_BYTES];
	char file[2][IMPACT_TEXT_BYTES + 4]; /* patterns of paths that end in the name */
	bool pattern;                        /* the name has *, ? or [ */
	/* Bounds of the version, "" for none; both equal: that one. */
	char low[IMPACT_TEXT_BYTES], high[IMPACT_TEXT_BYTES];
	bool low_open, high_open; /* the bound itself is not meant */
};

/* From the operand NAME[@VERSION] or from --sql. ERR_USAGE names what is wrong with it. */
enum err impact_target_parse(const struct command *c, struct impact_target *ret, struct err_info *info);
/* From NAME[@VERSION]. Likewise. */
enum err impact_target_named(const char *text, struct impact_target *ret, struct err_info *info);
/* Appends a condition: the component is meant, in whatever version. */
void impact_target_name(const struct impact_target *t, struct question *q);
/* Appends an expression: 1 where the version is meant, too. */
void impact_target_version(const struct impact_target *t, struct question *q);
bool impact_target_any_version(const struct impact_target *t);

#endif
