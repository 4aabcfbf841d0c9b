/* An SQL question assembled from parts, its values bound and never pasted. */
#ifndef MESH_CLI_QUESTION_H
#define MESH_CLI_QUESTION_H

#include "cli/command.h"

/* `failed` (too long) is sticky. Zero it first. */
struct question {
	char sql[LIMIT_SQL_BYTES];
	size_t len;
	bool failed;
	const char *parameters[40];
	size_t parameter_count;
};
/* Appends text as it is. */
void question_add(struct question *q, const char *text);
/* Appends `before`, the number of a new parameter ("?3"), and `after`. */
void question_bind(struct question *q, const char *before, const char *value, const char *after);
/* Appends the question for the ids of the hosts that match --where, which was given. */
void question_hosts(struct question *q, const struct command *c);
/* Appends " AND host IN (hosts that match --where)" when it was given. */
void question_where(struct question *q, const struct command *c);

#endif
