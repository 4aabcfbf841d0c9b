/* The outcome of a verb that is one thing with fields: text for people, one row for scripts. */
#ifndef MESH_CLI_FIELDS_H
#define MESH_CLI_FIELDS_H

#include "cli/output.h"

#include "cli/command.h"

#define FIELDS_MAX 32

/* Zeroed memory is empty. Texts are kept by pointer. */
struct fields {
	const char *names[FIELDS_MAX];
	struct query_value values[FIELDS_MAX];
	struct output_column columns[FIELDS_MAX + 1];
	size_t count;
};

void fields_text(struct fields *f, const char *name, const char *text); /* NULL: null */
void fields_number(struct fields *f, const char *name, int64_t value);
void fields_flag(struct fields *f, const char *name, bool value);
void fields_null(struct fields *f, const char *name);
/* Prints `text` (terminated lines) or the row; exit code 3 when `partial`, unless --allow-partial. */
int fields_answer(struct command *c, const struct fields *f, const char *text, bool partial);

#endif
