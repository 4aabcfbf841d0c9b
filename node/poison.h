/* Records that crashed this node. Which one is being applied stands in a page that is shared with a file, so
 * that it outlives any end of the process; whoever was there at the end of two runs is left out from then on,
 * until another version of meshd tries it again. */
#ifndef MESH_NODE_POISON_H
#define MESH_NODE_POISON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define POISON_RECORDS 64 /* suspects kept; the oldest gives way */
#define POISON_CRASHES 2

struct poison {
	volatile uint64_t *applying; /* record id, 0: none */
	uint64_t ids[POISON_RECORDS];
	size_t count;          /* that are left out */
	uint64_t last;         /* being applied when the run before ended, 0: none */
	unsigned last_crashes; /* so often */
};

/* `page` and `file` are made when they are missing, mode 0600; a damaged file starts over. `same_boot`: this
 * host has not been started anew since the last run, or what the page says may be as old as any. ERR_DENIED,
 * ERR_IO, ERR_DISK_FULL, ERR_NOMEM. */
enum err poison_open(const char *page, const char *file, bool same_boot, struct poison *ret,
		     struct err_info *info);
void poison_close(struct poison *p); /* zeroed memory is fine */

#endif
