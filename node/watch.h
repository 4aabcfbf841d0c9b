/* Whether this node watches the estate without a gap: what happened while it was suspended is not its to
 * tell, and times before its clock was set are none of today's clock. Pure: no clock, no I/O. */
#ifndef MESH_NODE_WATCH_H
#define MESH_NODE_WATCH_H

#include <stdbool.h>

#include "base/clock.h"

#define WATCH_LATE_MS 10000 /* so much behind its time, it was not merely busy */
#define WATCH_DEAF_MS 20000 /* heard nobody for so long, while others were up: it was cut off */
#define WATCH_STEP_MS 2000  /* the clocks drift apart by so much: one was set, or stood still */

/* Zeroed memory has not begun. */
struct watch {
	bool begun;
	mono_ms mono;
	wall_ms wall;
};

/* Each time the node wakes; `due`: by when it meant to. True when it did not watch since *ret_until, by the
 * clock then. */
bool watch_wake(struct watch *w, mono_ms mono, wall_ms wall, mono_ms due, wall_ms *ret_until);

#endif
