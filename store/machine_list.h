/* Which machine of the inventory is which host (docs/protocol.md section 4, Inventory row). Private to
 * store/. For commits, which count them, and for questions. */
#ifndef MESH_STORE_MACHINE_LIST_H
#define MESH_STORE_MACHINE_LIST_H

#include "store/column_table.h"

/* Of one moment; they outlive the list, which points into their blocks. */
struct machine_tables {
	struct column_table *inventory, *profiles, *states;
};

struct machine_list;

/* ERR_NOMEM, and what column_table_row says. */
enum err machine_list_new(const struct machine_tables *tables, struct machine_list **ret);
void machine_list_free(struct machine_list *list); /* NULL is fine */

/* Of a row of the inventory. */
struct machine_link {
	uint32_t host; /* number, valid when `enrolled` and not `several` */
	bool enrolled;
	bool several; /* hosts that it could be */
};
struct machine_link machine_list_link(const struct machine_list *list, uint32_t row);
/* The first text that a row about the site as a whole gives for the column; NULL: none does. */
const char *machine_list_site_text(const struct machine_list *list, const char *site, unsigned column);
/* Distinct ones, and those of them that no host is linked to. */
enum err machine_list_count(const struct machine_list *list, uint64_t *ret_machines,
			    uint64_t *ret_never_enrolled);

/* About a machine, not about its whole site. */
bool machine_list_is_machine(struct column_row row);

#endif
