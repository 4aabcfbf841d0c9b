/* One row as lines of name and value. */
#ifndef MESH_CLI_SHOW_FIELDS_H
#define MESH_CLI_SHOW_FIELDS_H

#include "cli/answer.h"

/* The first row, which is of `table`. `skip` lists columns that were said already, NULL at its end. */
enum err show_fields(const struct answer *a, const char *table, const struct rows *r,
		     const char *const *skip);

#endif
