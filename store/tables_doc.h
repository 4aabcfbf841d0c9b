/* docs/tables.md, generated from the tables themselves; a unit test compares it with the committed page. */
#ifndef MESH_STORE_TABLES_DOC_H
#define MESH_STORE_TABLES_DOC_H

#include <stdio.h>

void tables_doc_write(FILE *out);

#endif
