/* The file of `mesh policy set` (docs/operations.md): the columns of the table policy, so that what `mesh
 * policy show -o csv` writes can be edited and set again. */
#ifndef MESH_CLI_POLICY_CSV_H
#define MESH_CLI_POLICY_CSV_H

#include "cli/csv.h"
#include "record/listing.h"

/* Rows are struct policy_row. Of what does not parse each fault is noted with line and column. ERR_NOMEM.
 * Release also after an error. */
enum err policy_csv_parse(const uint8_t *text, size_t len, struct csv_table *ret);

#endif
