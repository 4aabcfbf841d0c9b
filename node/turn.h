/* Callers who wait for an answer that is costly to make: one answer serves all who wait, and making them
 * takes at most one part in TURN_SHARE of the loop's time, however often it is asked for. */
#ifndef MESH_NODE_TURN_H
#define MESH_NODE_TURN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/limits.h"

struct control_call;

#define TURN_SHARE 20
/* Beyond it the time went elsewhere (a machine that stood still), and callers would give up. */
#define TURN_PAUSE_MAX_MS 5000ull

struct turn {
	struct control_call *waiting[LIMIT_CONTROL_CLIENTS]; /* borrowed */
	size_t count;
	mono_ms again_at;
};

/* False when no more can wait. */
bool turn_wait(struct turn *t, struct control_call *call);
/* The caller went away. */
void turn_forget(struct turn *t, const struct control_call *call);
/* When the answer is to be made; UINT64_MAX: nobody waits. */
mono_ms turn_due(const struct turn *t);
/* Takes one who waits; NULL: none is left. */
struct control_call *turn_take(struct turn *t);
/* An answer was made in this time. */
void turn_made(struct turn *t, mono_ms began, mono_ms ended);

#endif
