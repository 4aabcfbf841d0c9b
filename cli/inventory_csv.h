/* The file of `mesh inventory import` (docs/operations.md). */
#ifndef MESH_CLI_INVENTORY_CSV_H
#define MESH_CLI_INVENTORY_CSV_H

#include "cli/csv.h"
#include "record/listing.h"

/* Rows are struct inventory_row. Of what does not parse each fault is noted with line and column. ERR_NOMEM.
 * Release also after an error. */
enum err inventory_csv_parse(const uint8_t *text, size_t len, struct csv_table *ret);

#endif
