/* Between the files that together list kernel components. */
#ifndef MESH_NODE_COLLECT_LINUX_INVENTORY_H
#define MESH_NODE_COLLECT_LINUX_INVENTORY_H

#include "node/collect/collect.h"

struct inventory {
	const char *root;
	struct collected_components *out;
	size_t capacity;
	size_t left_out; /* beyond LIMIT_COMPONENTS */
	enum err error;  /* sticky */
};

/* A zeroed component at the end of the list; NULL when there is no room or after an error. */
struct component *inventory_add(struct inventory *inv);

/* Third-party modules on disk: facts of loaded ones, and what the next boot will load instead. */
void inventory_add_files(struct inventory *inv);

/* Flag what modules-load.d names for early load. */
void inventory_mark_boot_start(struct inventory *inv);

#endif
