/* What of a question about hosts is pushed down to the tables, and what it costs. Private to store/. */
#ifndef MESH_STORE_TABLE_PLAN_H
#define MESH_STORE_TABLE_PLAN_H

#include "store/host_order.h"
#include "store/table.h"

/* In idxNum, beside a bit for each filter. */
#define TABLE_ORDERED    (1 << FILTER_COUNT)
#define TABLE_COMPONENTS (1 << (FILTER_COUNT + 1)) /* FILTER_COMPONENT: all values of an IN at once */
#define TABLE_ENTRIES    (1 << (FILTER_COUNT + 2)) /* FILTER_ENTRY: likewise */

/* Of a table by_host. Adds to `text` the columns by which hosts are to be put in order, a comma before each.
 */
void table_plan_hosts(const struct query *q, const struct table *table, sqlite3_index_info *info,
		      sqlite3_str *text);
/* False unless the column is the host's, so that whoever has the hosts in order has the rows in order. */
bool table_plan_term(const struct table *table, int column, struct order_term *ret);

#endif
