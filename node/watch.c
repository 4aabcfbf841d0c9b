#include "node/watch.h"

bool watch_wake(struct watch *w, mono_ms mono, wall_ms wall, mono_ms due, wall_ms *ret_until)
{
	const struct watch before = *w;
	*w = (struct watch){true, mono, wall};
	if (!before.begun)
		return false;
	/* Where the wall clock should be; a suspended machine's other clock stands still. */
	wall_ms expected = before.wall + (mono - before.mono);
	wall_ms apart = expected > wall ? expected - wall : wall - expected;
	bool late = mono > due && mono - due > WATCH_LATE_MS;
	if (!late && apart <= WATCH_STEP_MS)
		return false;
	*ret_until = before.wall;
	return true;
}
