/* Monotonic crash counts out of sources that restart with each boot or age out. Kept in a small checksummed
 * file; when that is lost, the totals go on from this host's own last crashes record. */
#ifndef MESH_NODE_CRASH_COUNTS_H
#define MESH_NODE_CRASH_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "node/collect/collect.h"
#include "record/body.h"

struct crash_counts {
	struct crashes published; /* totals, days, events: what the record says */
	uint64_t boot;            /* boot the raw values below belong to; 0: none seen yet */
	bool known[CRASH_KINDS];  /* raw has a value to compare with */
	uint64_t raw[CRASH_KINDS];
	uint64_t newest_core_dump_s;
};

void crash_counts_init(struct crash_counts *ret);
/* Go on from the own record when the file is lost: what the sources show now counts as counted. */
void crash_counts_resume(struct crash_counts *ret, const struct crashes *own_record);

/* ERR_NOT_FOUND, ERR_CHECKSUM (damaged), ERR_DENIED, ERR_IO. */
enum err crash_counts_load(const char *path, struct crash_counts *ret, struct err_info *info);
enum err crash_counts_save(const char *path, const struct crash_counts *c, struct err_info *info);

/* Takes in what the sources show. A source seen for the first time is a starting point, not news. Returns
 * how many crashes are new. */
uint64_t crash_counts_update(struct crash_counts *c, const struct crash_sources *now, wall_ms wall);
/* Counts `count` crashes of one kind as one event. */
void crash_counts_add(struct crash_counts *c, enum crash_kind kind, uint64_t count, uint64_t time_s,
		      const char *detail);

#endif
