/* How many hosts an answer is about, by state, when it shows only the first of them. */
#ifndef MESH_CLI_HOST_COUNTS_H
#define MESH_CLI_HOST_COUNTS_H

#include <stdio.h>

#include "cli/json.h"
#include "record/state.h"

struct host_counts {
	uint64_t by_status[HOST_REPLACED + 1];
	uint64_t shown;
	bool narrowed; /* by the question: the coverage does not have these counts */
};

/* Every state once, the most worrying first; `place` is below HOST_STATUSES. */
#define HOST_STATUSES (HOST_REPLACED + 1)
enum host_status host_counts_order(size_t place);

uint64_t host_counts_total(const struct host_counts *c);
/* "Shown: …", a line, where there is something to say. */
void host_counts_text(FILE *f, const struct host_counts *c);
/* The object "counts". */
void host_counts_json(struct json *j, const struct host_counts *c);

#endif
