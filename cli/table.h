/* Columns under headings, fitted to a width. Cells are escaped when they come in. */
#ifndef MESH_CLI_TABLE_H
#define MESH_CLI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/err.h"

struct table;

enum table_align {
	TABLE_TEXT,   /* left; gives way when the width is short */
	TABLE_FIXED,  /* left; keeps its width */
	TABLE_NUMBER, /* right; keeps its width */
};

/* Headings are copied. NULL when out of memory. */
struct table *table_new(const char *const *headings, const enum table_align *aligns, size_t columns);
void table_free(struct table *t);
/* Row by row, `columns` cells each. After a failure (memory) nothing is added and table_print says so. */
void table_cell(struct table *t, const char *text, size_t len);
/* `width` 0: as wide as it gets. ERR_NOMEM. */
enum err table_print(const struct table *t, FILE *f, int width, bool headings);

#endif
