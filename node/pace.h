/* When the replica may be committed: urgent rows soon, all the others when what was written before is paid
 * for out of the disk budget. Pure: no clock, no I/O. */
#ifndef MESH_NODE_PACE_H
#define MESH_NODE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define PACE_NEVER         UINT64_MAX
#define PACE_URGENT_MS     200 /* news come in bursts */
#define PACE_SETTLE_MS     1000
#define PACE_ROUTINE_MAX_S 1800

struct pace {
	uint64_t bytes_per_day, min_ms;
	mono_ms routine_at; /* last routine commit */
	uint64_t debt_ms;   /* what was written since, and by it, takes so long to pay */
	mono_ms urgent_due, routine_due;
};

/* `min_s` and `bytes_per_day` as configured, not 0. */
void pace_init(struct pace *p, uint64_t bytes_per_day, uint64_t min_s, mono_ms now);
/* Rows were put. */
void pace_note(struct pace *p, mono_ms now, bool urgent);
/* Everything is to be committed now. */
void pace_hurry(struct pace *p, mono_ms now);
/* PACE_NEVER: nothing is to be committed. */
mono_ms pace_due(const struct pace *p);
/* Whether the commit that is due takes everything, not the urgent rows alone. */
bool pace_takes_all(const struct pace *p, mono_ms now);
/* A commit begins. */
void pace_begin(struct pace *p, bool all);
/* It wrote so much; `left`: rows wait for the next. */
void pace_wrote(struct pace *p, mono_ms now, bool all, uint64_t bytes, bool left);

#endif
