/* Command-line options, parsed by a table. Long options take a value as "--name=value" or "--name value",
 * short ones as "-oVALUE" or "-o VALUE"; "--" ends them; "-" alone is an operand. */
#ifndef MESH_CLI_OPTIONS_H
#define MESH_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct option_spec {
	const char *name;  /* without dashes; NULL ends a table */
	char letter;       /* 0: none */
	const char *value; /* what the help calls the value; NULL: a switch */
	bool repeats;
	/* The values there are, apart by spaces: others are refused. For completion also "@file" and "@dir".
	 * NULL: any. */
	const char *words;
	const char *help;
};

#define OPTIONS_MAX_SETS     5
#define OPTIONS_MAX_GIVEN    128
#define OPTIONS_MAX_OPERANDS 16

struct options {
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	size_t set_count;
	struct {
		const struct option_spec *spec;
		const char *value; /* NULL for a switch */
	} given[OPTIONS_MAX_GIVEN];
	size_t given_count;
	const char *operands[OPTIONS_MAX_OPERANDS];
	size_t operand_count;
};

/* Adds a table to look options up in; call before options_parse. */
void options_add_set(struct options *o, const struct option_spec *set);

/* Keeps pointers into argv. ERR_USAGE names the argument and, where one is near, the option that was meant.
 */
enum err options_parse(struct options *o, int argc, char *const *argv, struct err_info *info);

bool options_has(const struct options *o, const char *name);
/* NULL when not given. */
const char *options_value(const struct options *o, const char *name);
/* The n-th value of an option that repeats; NULL beyond the last. */
const char *options_nth(const struct options *o, const char *name, size_t n);

/* The word of `words` (NULL at the end) that `typed` was most likely meant to be; NULL when none is near. */
const char *options_nearest(const char *typed, const char *const *words, size_t count);

#endif
