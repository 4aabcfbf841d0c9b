/* Types and units of time. Nothing here reads a clock: os/clock.h does, and the simulator has its own. */
#ifndef MESH_BASE_CLOCK_H
#define MESH_BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of a monotonic clock with an arbitrary start. Never compared across hosts. */
typedef uint64_t mono_ms;

/* Milliseconds since 1970-01-01 UTC. Shown to people, never used for order. 0 is "not known". */
typedef uint64_t wall_ms;

/* Whole days since 1970-01-01 UTC. */
typedef uint32_t wall_day;

#define CLOCK_SECOND_MS 1000ull
#define CLOCK_MINUTE_MS 60000ull
#define CLOCK_DAY_MS    86400000ull

static inline wall_day clock_day(wall_ms t)
{
	return (wall_day)(t / CLOCK_DAY_MS);
}

#endif
