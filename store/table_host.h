/* The columns that tables of hosts' records begin with: whose row it is. */
#ifndef MESH_STORE_TABLE_HOST_H
#define MESH_STORE_TABLE_HOST_H

#include "store/table.h"

/* To stand first in the table's list. */
#define HOST_COLUMNS(X)                                                                                      \
	X(HOST, "host", "TEXT", "", "host id")                                                               \
	X(HOST_NAME, "host_name", "TEXT", "", "NULL: unknown")                                               \
	X(SITE, "site", "TEXT", "", "home site")

/* "ok", "warning" or "critical". */
const char *table_level_name(enum health_level level);
/* False, and nothing called, when it is another column. */
bool table_host_column(struct table_cursor *c, int column, sqlite3_context *context);

#endif
